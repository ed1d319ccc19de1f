"""One component in full: what each of its probes sees, why it is in its state, its past and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window, from_us
from monitoring.availability import judging, loading, reads
from monitoring.availability.figures import Member, Redundancy, Tally, redundancy
from monitoring.availability.models import (
    Component,
    ComponentDay,
    Evidence,
    FactChange,
    MaintenanceWindow,
    Probe,
    ProbeKind,
    Series,
    Transition,
)
from monitoring.availability.reads import ComponentRow
from monitoring.availability.states import State
from monitoring.availability.tiles import STALE_AFTER, Last, Tile, current
from monitoring.availability.tree import Past, Tree

MOST_SERIES = 500
MOST_STRETCHES = 5_000


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One thing that a probe sees, with its own figures over the window."""

    id: int
    probe: str
    labels: dict[str, str]
    state: State
    detail: str
    interval_s: int
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    end_reason: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """`failure`: why the last asking gave nothing; `address`: where a heartbeat calls, for those who may know."""

    id: int
    name: str
    kind: str
    source: str
    interval_s: int
    timeout_s: float
    asked_at: datetime | None
    answered_at: datetime | None
    failure: str
    detail: str
    beat_at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A fact. Not `is_fresh`: it is the last that was known, and nobody knows whether it still holds."""

    key: str
    value: float | None
    text: str
    unit: str
    at: datetime
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    from_state: State
    to_state: State
    why: str


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact in words that became another: a new leader, say."""

    key: str
    at: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DayRow:
    day: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of its past."""

    from_at: datetime
    until_at: datetime
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Work:
    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str


@dataclass(frozen=True, slots=True)
class ComponentDetail:
    """`row.tally` is that of the window. `redundancy` is None for what has nothing below it."""

    row: ComponentRow
    description: str
    window: Window
    series: tuple[SeriesRow, ...]
    probes: tuple[ProbeRow, ...]
    children: tuple[ComponentRow, ...]
    evidence: tuple[EvidenceRow, ...]
    redundancy: Redundancy | None
    periods: tuple[Period, ...]
    changes: tuple[Change, ...]
    days: tuple[DayRow, ...]
    maintenance: tuple[Work, ...]
    new_facts: tuple[NewFact, ...] = ()


def stored(name: str, *, teams: TeamScope) -> Component | None:
    """The component of that name, for those who may see it."""
    found: Component | None = reads.visible(teams).filter(name=name).select_related("team").first()
    return found


def component(name: str, window: Window, *, teams: TeamScope, at: datetime) -> ComponentDetail | None:
    """None for one that does not exist, or that the reader may not see."""
    found = stored(name, teams=teams)
    return None if found is None else in_full(found, window, teams=teams, at=at)


def in_full(found: Component, window: Window, *, teams: TeamScope, at: datetime) -> ComponentDetail:
    """Of one that the reader may see."""
    tree, tiles = judging.now_of([found.pk], at)
    below = tree.children.get(found.pk, ())
    rows = reads.some([found.pk, *below], (tree, tiles), teams=teams, at=at)
    past = loading.past(tree, [found.pk], window, at)
    return ComponentDetail(
        row=replace(rows[found.pk], tally=past.tally(found.pk)),
        description=found.description,
        window=window,
        series=_series(found, past, at),
        probes=tuple(map(_probe, Probe.objects.filter(component=found, removed_at=None).select_related("source"))),
        children=tuple(rows[pk] for pk in below if pk in rows),
        evidence=_evidence(found, at),
        redundancy=_redundancy(found, tree, tiles),
        periods=_periods(found.pk, past),
        changes=changes(found.pk, window),
        days=_days(found.pk, window),
        maintenance=_maintenance(found.pk, window),
        new_facts=_new_facts(found.pk, window),
    )


def changes(component_id: int, window: Window, limit: int = 200) -> tuple[Change, ...]:
    """The latest first."""
    rows = Transition.objects.filter(component=component_id, at__gte=window.start, at__lt=window.end)
    return tuple(
        Change(row.at, State(row.from_state), State(row.to_state), row.why)
        for row in rows.order_by("-at", "-id")[:limit]
    )


def _series(found: Component, past: Past, at: datetime) -> tuple[SeriesRow, ...]:
    work = past.tree.planned(found.pk)
    known = {item.id: item for item in past.series.get(found.pk, ())}
    rows = Series.objects.filter(pk__in=known).select_related("probe").order_by("-last_at", "id")[:MOST_SERIES]
    return tuple(_series_row(row, past.series_tally(known[row.pk], work), at) for row in rows)


def _series_row(row: Series, tally: Tally, at: datetime) -> SeriesRow:
    last = Last(row.probe_id, row.labels, State(row.state), row.detail, row.last_at, row.interval_s)
    return SeriesRow(
        id=row.pk,
        probe=row.probe.name,
        labels=row.labels,
        state=last.state if row.ended_at else current(last, at),
        detail=row.detail,
        interval_s=row.interval_s,
        first_at=row.first_at,
        last_at=row.last_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        tally=tally,
    )


def _probe(row: Probe) -> ProbeRow:
    return ProbeRow(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        source=row.source.name if row.source else "",
        interval_s=int(row.spec.get("every_s", row.interval_s)) if row.kind == ProbeKind.HEARTBEAT else row.interval_s,
        timeout_s=row.timeout_s,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        failure=row.failure,
        detail=row.detail,
        beat_at=row.beat_at,
    )


def _evidence(found: Component, at: datetime) -> tuple[EvidenceRow, ...]:
    return tuple(
        EvidenceRow(row.key, row.value, row.text, row.unit, row.at, at <= row.at + STALE_AFTER * _seconds(row))
        for row in Evidence.objects.filter(component=found).order_by("key")
    )


def _new_facts(component_id: int, window: Window, limit: int = 200) -> tuple[NewFact, ...]:
    """The latest first."""
    rows = FactChange.objects.filter(component=component_id, at__gte=window.start, at__lt=window.end)
    return tuple(NewFact(row.key, row.at, row.before, row.after) for row in rows.order_by("-at", "-id")[:limit])


def _seconds(row: Evidence) -> timedelta:
    return timedelta(seconds=max(row.interval_s, 5))


def _redundancy(found: Component, tree: Tree, tiles: Mapping[int, Tile]) -> Redundancy | None:
    children = tree.children.get(found.pk, ())
    if not children:
        return None
    members = [Member(tree.nodes[pk].name, tree.nodes[pk].zone, tiles[pk].state) for pk in children]
    return redundancy(members, found.needs or 1)


def _periods(component_id: int, past: Past) -> tuple[Period, ...]:
    """The latest first."""
    line: Sequence[Any] = past.timeline(component_id)
    found = [Period(from_us(item.from_us), from_us(item.until_us), item.state, item.detail) for item in line]
    return tuple(found[::-1][:MOST_STRETCHES])


def _days(component_id: int, window: Window) -> tuple[DayRow, ...]:
    first, last = (at.astimezone(UTC).date() for at in (window.start, window.end))
    rows = ComponentDay.objects.filter(component=component_id, day__gte=first, day__lte=last).order_by("day")
    columns = ("up_s", "degraded_s", "down_s", "maintenance_s", "idle_s", "unknown_s")
    return tuple(DayRow(day, Tally(*map(reads.exact, sums))) for day, *sums in rows.values_list("day", *columns))


def _maintenance(component_id: int, window: Window) -> tuple[Work, ...]:
    """What touches the window, and all that is to come."""
    rows = MaintenanceWindow.objects.filter(component=component_id, until_at__gte=window.start).order_by("from_at")
    return tuple(Work(row.pk, row.from_at, row.until_at, row.reason, row.created_by) for row in rows[:200])
