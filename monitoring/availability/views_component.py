"""One component in full: its state and why, its past, its figures, and what is known of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.buckets import Window
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import Cell, csv_response, wants_csv
from fleetledger.web.periods import parse_period
from monitoring.alerts import clock
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability import reads_component, reads_days, reads_related
from monitoring.availability.forms import WorkForm
from monitoring.availability.models import Component, ProbeKind
from monitoring.availability.reads_component import ComponentDetail

LONGEST = timedelta(days=400)
TOO_LONG = "The page shows 400 days at most: these are the last of the range."
SHOWN = 50
"""Lines of a table before "and so many more"; the CSV has all."""


@require_safe
def component(request: HttpRequest, name: str) -> HttpResponseBase:
    """Over a range of time; `?table=` as CSV."""
    person = person_of(request)
    teams = teams_visible_to(person)
    at = clock.now()
    period = parse_period(request.GET, at)
    window, error = _cut(period.window)
    stored = seen(request, name)
    found = reads_component.in_full(stored, window, teams=teams, at=at)
    if wants_csv(request):
        return _csv(request, found)
    acts = may_act(person, of_team(stored.team))
    context: dict[str, Any] = {
        "period": period,
        "error": period.error or error,
        "window": window,
        "component": found.row,
        "detail": found,
        "figures": found.row.tally.availability,
        "marks": {found.row.id: reads_days.marks_within(found.days, window)},
        "strips": reads_days.marks([row.id for row in found.children], at, 30),
        "facts": found.evidence,
        "alerts": reads_related.alerts(stored, teams=teams, at=at),
        "alerts_query": str(reads_related.matcher(stored)),
        "incidents": reads_related.incidents(stored, teams=teams),
        "may_act": acts,
        "addresses": reads_related.heartbeat_addresses(stored) if acts and _has_heartbeat(found) else {},
        "form": WorkForm(initial={"until_at": at + timedelta(hours=1)}) if acts else None,
        "shown": SHOWN,
        "at": at,
    }
    return render(request, "availability/component.html", context)


def _has_heartbeat(found: ComponentDetail) -> bool:
    return any(probe.kind == ProbeKind.HEARTBEAT for probe in found.probes)


def seen(request: HttpRequest, name: str) -> Component:
    """Raises Http404 for what is not there, or another team's."""
    found = reads_component.stored(name, teams=teams_visible_to(request.user))
    if found is None:
        raise no_such(name)
    return found


def no_such(name: str) -> Http404:
    return Http404(f"No component is called '{name[:100]}', or none that you may see.")


def _cut(window: Window) -> tuple[Window, str]:
    if window.duration <= LONGEST:
        return window, ""
    return Window(window.end - LONGEST, window.end), TOO_LONG


Lines = tuple[Sequence[str], Iterable[Sequence[Cell]]]


def _csv(request: HttpRequest, found: ComponentDetail) -> HttpResponseBase:
    kinds: Mapping[str, Callable[[ComponentDetail], Lines]] = {
        "days": _days,
        "states": _states,
        "changes": _changes,
        "series": _series,
    }
    wanted = request.GET.get("table", "")
    table = wanted if wanted in kinds else "days"
    header, lines = kinds[table](found)
    return csv_response(f"{found.row.name}-{table}", header, lines)


TALLY = ("up_s", "degraded_s", "down_s", "unknown_s", "maintenance_s", "idle_s")


def _days(found: ComponentDetail) -> Lines:
    header = ("day", *(f"{name.removesuffix('_s')}_seconds" for name in TALLY), "availability")
    rows = (
        [row.day.isoformat(), *_numbers(row.tally), _percent(row.tally.availability.observed)] for row in found.days
    )
    return header, rows


def _states(found: ComponentDetail) -> Lines:
    rows: Iterable[Sequence[Cell]] = (
        [row.from_at, row.until_at, row.state.value, row.why] for row in reversed(found.periods)
    )
    return ("from", "until", "state", "why"), rows


def _changes(found: ComponentDetail) -> Lines:
    rows: Iterable[Sequence[Cell]] = (
        [row.at, row.from_state.value, row.to_state.value, row.why] for row in reversed(found.changes)
    )
    return ("at", "from_state", "to_state", "why"), rows


def _series(found: ComponentDetail) -> Lines:
    header = ("probe", "labels", "state", "detail", "first_at", "last_at", "ended_at", "end_reason", "availability")
    rows = (
        [
            row.probe, _words(row.labels), row.state.value, row.detail, row.first_at, row.last_at, row.ended_at,
            row.end_reason, _percent(row.tally.availability.observed),
        ]
        for row in found.series
    )  # fmt: skip
    return header, rows


def _words(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))


def _numbers(tally: Any) -> list[float]:
    return [float(getattr(tally, name)) for name in TALLY]


def _percent(share: Any) -> float | None:
    return None if share is None else round(float(share) * 100, 6)
