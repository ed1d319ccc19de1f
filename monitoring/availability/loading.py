"""Reads the tree, planned work and series from the database, for what computes with them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from fleetledger.lib.buckets import Window, to_us
from monitoring.availability import sql
from monitoring.availability.models import Component
from monitoring.availability.slots import SECOND_US, Span, Stretch, Terms
from monitoring.availability.states import State
from monitoring.availability.tree import Node, Past, SeriesTime, Tree

_SERIES = """
SELECT s.id, p.component_id, s.probe_id, s.interval_s, s.first_at, s.last_at, s.ended_at
FROM availability_series s JOIN availability_probe p ON p.id = s.probe_id
WHERE p.component_id = ANY(%(components)s) AND s.first_at < %(end)s
  AND (s.ended_at IS NULL OR s.ended_at > %(start)s)
ORDER BY s.id
"""
_INTERVALS = """
SELECT series_id, from_at, until_at, state, detail FROM availability_stateinterval
WHERE series_id = ANY(%(series)s) AND until_at > %(start)s AND from_at < %(end)s
ORDER BY series_id, from_at
"""
_WORK = "SELECT component_id, from_at, until_at FROM availability_maintenancewindow WHERE until_at > from_at"
_AROUND = """
WITH RECURSIVE below AS (
    SELECT id FROM availability_component WHERE id = ANY(%(components)s) AND removed_at IS NULL
    UNION SELECT c.id FROM availability_component c JOIN below b ON c.parent_id = b.id WHERE c.removed_at IS NULL
), above AS (
    SELECT id, parent_id FROM availability_component WHERE id = ANY(%(components)s) AND removed_at IS NULL
    UNION SELECT c.id, c.parent_id FROM availability_component c JOIN above a ON c.id = a.parent_id
    WHERE c.removed_at IS NULL
)
SELECT id, name, parent_id, needs, zone FROM availability_component
WHERE id IN (SELECT id FROM below UNION ALL SELECT id FROM above) ORDER BY position, name
"""


def tree(*, removed: bool = False) -> Tree:
    """Every component that exists, with all its planned work; `removed` ones too, for their past."""
    rows = Component.objects.all() if removed else Component.objects.filter(removed_at=None)
    nodes = [Node(*values) for values in rows.values_list("id", "name", "parent_id", "needs", "zone")]
    return Tree.of(nodes, planned_work())


def tree_around(component_ids: Collection[int]) -> Tree:
    """These components with all below and all above them; siblings of those above are left out."""
    rows = sql.rows(_AROUND, {"components": list(component_ids)})
    return Tree.of([Node(*row) for row in rows], planned_work())


def planned_work() -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for component_id, from_at, until_at in sql.rows(_WORK):
        found[component_id].append((to_us(from_at), to_us(until_at)))
    return found


def past(tree: Tree, component_ids: Collection[int], window: Window, now: datetime) -> Past:
    """These components and all below them within a window; what lies ahead of `now` is not expected yet."""
    wanted = tree.with_descendants(component_ids)
    series: dict[int, list[SeriesTime]] = defaultdict(list)
    for item in _series(wanted, window, now):
        series[item.component_id].append(item)
    return Past(tree, to_us(window.start), to_us(window.end), series)


def due_until(step_us: int, last_us: int, now_us: int) -> int:
    """Until when slots are expected of a series that goes on: a slot is missing once it is 2.5 intervals old."""
    return max(last_us + step_us, now_us - step_us * 5 // 2)


def _series(component_ids: Collection[int], window: Window, now: datetime) -> Iterator[SeriesTime]:
    terms: dict[str, Any] = {"components": list(component_ids), "start": window.start, "end": window.end}
    with connection.cursor() as cursor:
        cursor.execute(_SERIES, terms)
        rows = cursor.fetchall()
        cursor.execute(_INTERVALS, terms | {"series": [row[0] for row in rows]})
        stretches = _stretches(cursor)
    now_us = to_us(now)
    for pk, component_id, probe_id, interval_s, first_at, last_at, ended_at in rows:
        step_us = interval_s * SECOND_US
        until_us = to_us(ended_at) if ended_at else due_until(step_us, to_us(last_at), now_us)
        terms_of = Terms(to_us(first_at), step_us, until_us)
        yield SeriesTime(component_id, probe_id, terms_of, tuple(stretches.get(pk, ())), pk)


def _stretches(cursor: Any) -> Mapping[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = defaultdict(list)
    states = {state.value: state for state in State}
    for series_id, from_at, until_at, state, detail in cursor:
        found[series_id].append(Stretch(to_us(from_at), to_us(until_at), states[state], detail))
    return found
