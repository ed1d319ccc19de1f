"""The status wall: everything that is looked at, what needs somebody first."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.periods import REFRESHES
from fleetledger.web.tables import Column, Table, build_table
from monitoring.alerts import clock, tenants
from monitoring.availability import reads, reads_days, wall
from monitoring.availability.models import ComponentKind
from monitoring.availability.reads import ComponentRow, Status
from monitoring.availability.reads_days import Mark
from monitoring.availability.states import State
from monitoring.availability.wall import Asked

DEFAULT_REFRESH = "30s"
CSV_HEADER = (
    "name", "title", "kind", "team", "parent", "zone", "state", "why", "since", "seen_at", "healthy", "members",
    "needs", "availability", "coverage", "lower", "upper",
)  # fmt: skip
EXAMPLE = """\
components:
  - name: api
    title: Inference API
    kind: service
    probes:
      - {name: web, kind: http, url: "https://api.example.org/healthz", interval: 30s}
"""
COLUMNS: tuple[Column[ComponentRow], ...] = (Column("state", "State", lambda row: reads.ORDER.index(row.state)),)


@require_safe
def status_wall(request: HttpRequest) -> HttpResponseBase:
    """Groups of tiles, or one list of those that the address asks for."""
    person = person_of(request)
    teams = teams_visible_to(person)
    asked, at = wall.read(request.GET), clock.now()
    found = reads.status(teams=teams, at=at, days=asked.days)
    rows = (*found.components, *found.own)
    fitting = [row for row in rows if wall.fits(row, asked)]
    if wants_csv(request):
        return csv_response("components", CSV_HEADER, map(csv_cells, wall.listed(fitting, asked)))
    shown = _as_list(request, fitting, asked) if asked.is_filtered else _as_groups(request, found)
    context: dict[str, Any] = {
        "asked": asked,
        "status": found,
        "headline": headline(found),
        "tone": tone(found),
        "chips": _chips(fitting, asked),
        "all_count": len(fitting),
        "kinds": _kinds(rows),
        "tenants": tenants.visible_to(person),
        "day_choices": wall.DAYS,
        "refresh": _refresh(request),
        "refreshes": REFRESHES,
        "example": EXAMPLE,
        "at": at,
        **shown,
    }
    context["strips"] = _strips(_drawn(context), at, asked.days)
    return render(request, "availability/wall.html", context)


def headline(found: Status) -> str:
    """The sentence on top, with what is wrong below what is up."""
    if found.state in wall.ALARMING or not any(found.counts[state] for state in wall.ALARMING):
        return found.sentence
    below = [f"{found.counts[state]:,} {state.label.lower()}" for state in wall.ALARMING if found.counts[state]]
    return f"Everything at the top is up, but below it there is something else: {', '.join(below)}."


def tone(found: Status) -> State:
    """As which state the sentence is coloured: never as up while something is not."""
    if found.state in wall.ALARMING:
        return found.state
    if found.counts[State.UNKNOWN]:
        return State.UNKNOWN
    return State.DEGRADED if any(found.counts[state] for state in wall.ALARMING) else found.state


def csv_cells(row: ComponentRow) -> Sequence[Any]:
    shares = row.availability
    values: Mapping[str, Any] = {
        "team": row.team or tenants.PLATFORM_SLUG,
        "state": row.state.value,
        "availability": _number(shares.observed),
        "coverage": _number(shares.coverage),
        "lower": _number(shares.lower),
        "upper": _number(shares.upper),
    }
    return [values[name] if name in values else getattr(row, name) for name in CSV_HEADER]


def _as_list(request: HttpRequest, rows: Sequence[ComponentRow], asked: Asked) -> dict[str, Any]:
    return {"table": _table(request, wall.listed(rows, asked)), "layout": None, "own": ()}


def _as_groups(request: HttpRequest, found: Status) -> dict[str, Any]:
    """Our own parts have a section of their own, on the first page."""
    layout = wall.groups(found.components, whole(request.GET.get("page", ""), 1))
    own = wall.listed(found.own, Asked()) if layout.page == 1 else []
    return {"table": _table(request, found.components), "layout": layout, "own": own}


def _table(request: HttpRequest, rows: Sequence[ComponentRow]) -> Table[ComponentRow]:
    """The list as pages; the words of the search were looked for before."""
    return build_table(
        rows, COLUMNS, request.GET, text=lambda row: f"{row.title} {row.name} {row.zone}", default_sort="state",
        page_size=wall.TILES,
    )  # fmt: skip


def _drawn(context: Mapping[str, Any]) -> Iterable[ComponentRow]:
    if context["layout"] is None:
        return context["table"].rows  # type: ignore[no-any-return]
    groups = context["layout"].groups
    heads = [group.head for group in groups if group.head is not None]
    return [*heads, *(row for group in groups for row in group.tiles), *context["own"]]


def _strips(rows: Iterable[ComponentRow], at: datetime, days: int) -> Mapping[int, Sequence[Mark]]:
    return reads_days.marks([row.id for row in rows], at, days)


def _chips(rows: Sequence[ComponentRow], asked: Asked) -> list[tuple[State, int]]:
    """Each state that something is in, or that was asked for."""
    counts = Counter(row.state for row in rows)
    return [(state, counts[state]) for state in reads.ORDER if counts[state] or asked.state == state.value]


def _kinds(rows: Sequence[ComponentRow]) -> list[tuple[str, str]]:
    known = {row.kind for row in rows}
    return [(kind.value, str(kind.label)) for kind in ComponentKind if kind.value in known]


def _refresh(request: HttpRequest) -> tuple[str, int]:
    known = dict(REFRESHES)
    name = request.GET.get("refresh", DEFAULT_REFRESH)
    name = name if name in known else DEFAULT_REFRESH
    return name, known[name]


def _number(share: Any) -> float | None:
    return None if share is None else round(float(share) * 100, 6)
