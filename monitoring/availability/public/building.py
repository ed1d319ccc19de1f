"""Gathers what the public page says from the database: public components, their days, incidents and planned work."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q

from monitoring.availability import judging, rollup
from monitoring.availability.figures import Tally
from monitoring.availability.models import (
    Component,
    ComponentDay,
    EntryKind,
    Incident,
    IncidentState,
    MaintenanceWindow,
)
from monitoring.availability.public.shown import Day, Planned, Service, Shown, Trouble, Update
from monitoring.availability.states import State
from monitoring.availability.tiles import Tile
from monitoring.availability.tree import Tree

DAYS = 90
PAST = timedelta(days=14)
AHEAD = timedelta(days=30)
MOST_PAST = 50
Days = Mapping[int, Mapping[date, Tally]]


def build(at: datetime) -> Shown:
    """As it is now; a handful of queries."""
    tree, tiles = judging.now_of_all(at)
    components = list(Component.objects.filter(removed_at=None, is_public=True).order_by("position", "name"))
    titles = {row.pk: row.public_title or row.title for row in components}
    days = _days([row.pk for row in components], at)
    incidents = Incident.objects.filter(is_public=True).prefetch_related("entries", "components")
    live = incidents.exclude(state=IncidentState.RESOLVED).order_by("-opened_at")
    past = incidents.filter(state=IncidentState.RESOLVED, resolved_at__gt=at - PAST).order_by("-resolved_at")
    return Shown(
        at=at,
        services=tuple(_service(row, titles[row.pk], tiles, days, at) for row in components),
        troubles=tuple(_trouble(row, titles) for row in live),
        past=tuple(_trouble(row, titles) for row in past[:MOST_PAST]),
        planned=_planned(titles, tree, at),
    )


def _days(component_ids: Iterable[int], at: datetime) -> Days:
    first = at.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    found: dict[int, dict[date, Tally]] = defaultdict(dict)
    for row in ComponentDay.objects.filter(component_id__in=list(component_ids), day__gte=first):
        found[row.component_id][row.day] = rollup.tally_of(row)
    return found


def _service(row: Component, title: str, tiles: Mapping[int, Tile], days: Days, at: datetime) -> Service:
    today = at.astimezone(UTC).date()
    known = days.get(row.pk, {})
    total = sum((tally for day, tally in known.items() if day <= today), Tally()).availability
    tile = tiles.get(row.pk)
    dates = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    return Service(
        name=row.name,
        title=title,
        state=(tile.state if tile else State.UNKNOWN).value,
        observed=_float(total.observed),
        coverage=_float(total.coverage),
        lower=_float(total.lower),
        upper=_float(total.upper),
        days=tuple(_day(day, known.get(day, Tally())) for day in dates),
    )


def _day(day: date, tally: Tally) -> Day:
    """Shares of what was expected and of planned work; of nothing where neither was."""
    whole = tally.expected_s + tally.maintenance_s
    if not whole:
        return Day(day)
    parts = (tally.up_s, tally.degraded_s, tally.down_s, tally.unknown_s, tally.maintenance_s)
    return Day(day, *(round(float(part / whole), 5) for part in parts))


def _trouble(row: Incident, titles: Mapping[int, str]) -> Trouble:
    updates = [entry for entry in row.entries.all() if entry.kind == EntryKind.UPDATE]
    services = [titles[component.pk] for component in row.components.all() if component.pk in titles]
    return Trouble(
        id=row.pk,
        title=row.public_title,
        text=row.public_text,
        state=row.state,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        services=tuple(services),
        updates=tuple(Update(entry.at, entry.text) for entry in reversed(updates)),
    )


def _planned(titles: Mapping[int, str], tree: Tree, at: datetime) -> tuple[Planned, ...]:
    """Work on a public component, or on what stands above it; its reason is for those who sign in."""
    above = {pk: {pk, *tree.ancestors(pk)} for pk in titles if pk in tree.nodes}
    wanted = {known for ids in above.values() for known in ids}
    rows = MaintenanceWindow.objects.filter(
        Q(component_id__in=wanted), until_at__gt=at, from_at__lt=at + AHEAD
    ).order_by("from_at", "pk")
    return tuple(
        Planned(row.pk, titles[pk], row.from_at, row.until_at)
        for row in rows
        for pk, ids in above.items()
        if row.component_id in ids
    )


def _float(share: object) -> float | None:
    return None if share is None else float(share)  # type: ignore[arg-type]
