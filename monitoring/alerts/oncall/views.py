"""The pages about on-call: who has it now and next, and each schedule as a calendar."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock
from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import figures, found, ical_links, problems, reads, words
from monitoring.alerts.oncall.documents import YEARS, DocumentError, zone_named
from monitoring.alerts.oncall.overrides import may_cancel
from monitoring.alerts.oncall.reads import ScheduleRow, Shift
from monitoring.alerts.oncall.wall import wall
from monitoring.alerts.tenants import may_act, of_team

SCHEDULES_HEADER = (
    "name", "team", "time_zone", "now", "source", "until_at", "next", "next_from_at", "next_gap_from_at",
)  # fmt: skip
SHIFTS_HEADER = ("schedule", "from_at", "until_at", "hours", "people", "source")
MOST_LISTED = 40
TICKS = tuple(f"{day / 7 * 100:.3f}" for day in range(1, 7))  # where days part in a week, in percent
OVERRIDES_AHEAD = timedelta(weeks=26)
EXAMPLE = """\
schedules:
  - name: primary
    time_zone: Europe/Berlin
    fallback: {person: mira}
    layers:
      - {name: weeks, people: [mira, tom], every: week, start: "2026-03-02 09:00"}
"""


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """Every schedule that may be seen with who is on call now and next, and what of it is mine."""
    person = person_of(request)
    teams = teams_visible_to(person)
    now = clock.now()
    rows = reads.schedules(teams=teams, at=now)
    if wants_csv(request):
        return csv_response("on-call", SCHEDULES_HEADER, map(_cells, rows))
    swaps = reads.open_swaps(teams=teams, at=now)
    context = {
        "rows": rows,
        "gaps": [row for row in rows if row.next_gap],
        "mine": reads.own_shifts(person, teams=teams, at=now),
        "swaps": swaps,
        "takers": found.takers(person, found.schedules(teams=teams)) if swaps else frozenset(),
        "calendar": ical_links.address(person, settings.BASE_URL),
        "zone": zone_of(person),
        "now": now,
        "me": person.username,
        "example": EXAMPLE,
    }
    return render(request, "alerts/schedules.html", context)


@require_safe
def schedule(request: HttpRequest, name: str) -> HttpResponseBase:
    """Four weeks of a schedule, with its layers, gaps, overrides and swaps."""
    person = person_of(request)
    row = seen(request, name)
    now = clock.now()
    zone = zone_of(person)
    this_week = figures.monday_of(wall(now, zone).date())
    first = _first(request, this_week)
    figure = figures.weeks(row, first, zone, now)
    shown = reads.shifts(row, figure.from_at, figure.until_at)
    if wants_csv(request):
        return csv_response(f"{name}-{first}", SHIFTS_HEADER, (_shift_cells(name, shift) for shift in shown))
    is_today = first == this_week
    ahead = [shift for shift in shown if not is_today or shift.until_at is None or shift.until_at > now]
    context = {
        "schedule": reads.schedule(name, teams=teams_visible_to(person), at=now),
        "figure": figure,
        "ticks": TICKS,
        "shifts": ahead[:MOST_LISTED],
        "left_out": max(len(ahead) - MOST_LISTED, 0),
        "first": first,
        "last": first + timedelta(days=7 * figures.WEEKS - 1),
        "is_today": is_today,
        "previous": first - timedelta(weeks=figures.WEEKS),
        "next": first + timedelta(weeks=figures.WEEKS),
        "calendar": ical_links.address(person, settings.BASE_URL, row.pk),
        "zone": zone,
        "now": now,
        **_changes(row, person, now),
    }
    return render(request, "alerts/schedule.html", context)


def seen(request: HttpRequest, name: str) -> Schedule:
    """Raises Http404 for what is not there, or another team's."""
    try:
        return found.schedule(name, teams=teams_visible_to(request.user))
    except NotFoundError as error:
        raise Http404(str(error)) from error


def zone_of(person: User) -> ZoneInfo:
    try:
        return zone_named(person.time_zone)
    except DocumentError:
        return ZoneInfo("UTC")


def _changes(row: Schedule, person: User, now: datetime) -> dict[str, Any]:
    """What does not work, what people changed, and what this one may change."""
    ahead = reads.overrides_within(row, now, now + OVERRIDES_AHEAD)
    acts = may_act(person, of_team(row.team))
    return {
        "problems": problems.of_schedule(row, now),
        "gaps": reads.gaps_ahead(row, now),
        "fallback": words.fallback(row),
        "layers": words.layers(row),
        "overrides": ahead,
        "cancellable": {one.id for one in ahead if may_cancel(row, one, person, acts=acts)},
        "swaps": reads.open_swaps(teams=teams_visible_to(person), at=now, schedule=row),
        "takers": found.takers(person, [row]),
        "may_act": acts,
        "me": person.username,
    }


def _first(request: HttpRequest, this_week: date) -> date:
    """The Monday of ?from=2026-11-23; this week's for anything that is no day."""
    try:
        day = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return this_week
    return figures.monday_of(day) if day.year in YEARS[1:] else this_week


def _cells(row: ScheduleRow) -> Sequence[Any]:
    return (
        row.name,
        row.team or "platform",
        row.time_zone,
        _names(row.now),
        row.now.source,
        row.now.until_at,
        _names(row.next) if row.next else "",
        row.next.from_at if row.next else None,
        row.next_gap.from_at if row.next_gap else None,
    )


def _shift_cells(name: str, shift: Shift) -> Sequence[Any]:
    hours = (shift.until_at - shift.from_at) / timedelta(hours=1) if shift.until_at else None
    return name, shift.from_at, shift.until_at, hours, _names(shift), shift.source


def _names(shift: Shift) -> str:
    return ", ".join(person.name for person in shift.people) or "nobody"
