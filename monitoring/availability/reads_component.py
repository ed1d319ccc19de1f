"""One component in full: what each of its probes sees, why it is in its state, its past and what is known of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window, from_us
from monitoring.availability import judging, loading, reads, reads_parts, sql
from monitoring.availability.figures import Member, Redundancy, Tally, redundancy
from monitoring.availability.models import Component
from monitoring.availability.reads import ComponentRow
from monitoring.availability.reads_parts import Change, DayRow, EvidenceRow, NewFact, ProbeRow, Work
from monitoring.availability.states import State
from monitoring.availability.tiles import Last, Tile, current
from monitoring.availability.tree import Past, Tree

MOST_SERIES = 500
MOST_STRETCHES = 5_000
_SERIES = """
SELECT s.id, p.name, s.probe_id, s.labels, s.state, s.detail, s.interval_s, s.first_at, s.last_at, s.ended_at,
    s.end_reason
FROM availability_series s JOIN availability_probe p ON p.id = s.probe_id
WHERE s.id = ANY(%(series)s) ORDER BY s.last_at DESC, s.id LIMIT %(limit)s
"""


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
class Period:
    """A stretch of its past."""

    from_at: datetime
    until_at: datetime
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class ComponentDetail:
    """`row.tally` is that of the window. `redundancy` is None for what has nothing below it.

    `new_facts`: where somebody reads them.
    """

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
    if found is None:
        return None
    detail = in_full(found, window, teams=teams, at=at)
    return replace(detail, new_facts=reads_parts.new_facts(found.pk, window))


def in_full(found: Component, window: Window, *, teams: TeamScope, at: datetime) -> ComponentDetail:
    """Of one that the reader may see, without `new_facts`."""
    tree, tiles = judging.now_of([found.pk], at)
    below = tree.children.get(found.pk, ())
    rows = reads.some([found.pk, *below], (tree, tiles), teams=teams, at=at)
    past = loading.past(tree, [found.pk], window, at)
    return ComponentDetail(
        row=replace(rows[found.pk], tally=past.tally(found.pk)),
        description=found.description,
        window=window,
        series=_series(found.pk, past, at),
        probes=reads_parts.probes(found.pk),
        children=tuple(rows[pk] for pk in below if pk in rows),
        evidence=reads_parts.evidence(found.pk, at),
        redundancy=_redundancy(found, tree, tiles),
        periods=_periods(found.pk, past),
        changes=reads_parts.changes(found.pk, window),
        days=reads_parts.days(found.pk, window),
        maintenance=reads_parts.work(found.pk, window),
    )


def _series(component_id: int, past: Past, at: datetime) -> tuple[SeriesRow, ...]:
    work = past.tree.planned(component_id)
    known = {item.id: item for item in past.series.get(component_id, ())}
    found = sql.rows(_SERIES, {"series": list(known), "limit": MOST_SERIES}) if known else []
    return tuple(_series_row(row, past.series_tally(known[row[0]], work), at) for row in found)


def _series_row(row: Sequence[Any], tally: Tally, at: datetime) -> SeriesRow:
    pk, probe, probe_id, labels, state, detail, interval_s, first_at, last_at, ended_at, end_reason = row
    last = Last(probe_id, json.loads(labels), State(state), detail, last_at, interval_s)
    return SeriesRow(
        id=pk,
        probe=probe,
        labels=dict(last.labels),
        state=last.state if ended_at else current(last, at),
        detail=detail,
        interval_s=interval_s,
        first_at=first_at,
        last_at=last_at,
        ended_at=ended_at,
        end_reason=end_reason,
        tally=tally,
    )


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
