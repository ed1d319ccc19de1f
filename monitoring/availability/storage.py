"""Intervals in the database: reads those that new slots touch, and writes the difference in a few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from fleetledger.lib.buckets import from_us, to_us
from monitoring.availability.models import Series
from monitoring.availability.slots import SECOND_US, Seen, Stretch, joined, merged, worse
from monitoring.availability.states import State

_TOUCHED = """
SELECT i.id, i.series_id, i.from_at, i.until_at, i.state, i.detail
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS w(series_id, from_at, until_at)
JOIN availability_stateinterval i
  ON i.series_id = w.series_id AND i.until_at >= w.from_at AND i.from_at <= w.until_at
ORDER BY i.series_id, i.from_at
"""
_DELETE = "DELETE FROM availability_stateinterval WHERE id = ANY(%s)"
_UPDATE = """
UPDATE availability_stateinterval i SET until_at = w.until_at, state = w.state, detail = w.detail
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[]) AS w(id, until_at, state, detail)
WHERE i.id = w.id
"""
_INSERT = """
INSERT INTO availability_stateinterval (series_id, from_at, until_at, state, detail)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
"""
_SERIES = """
UPDATE availability_series s SET first_at = w.first_at, last_at = w.last_at, state = w.state, detail = w.detail
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
  AS w(id, first_at, last_at, state, detail)
WHERE s.id = w.id
"""


@dataclass(frozen=True, slots=True)
class Slots:
    """New slots of one series, by their nominal instants in microseconds."""

    series: Series
    seen: dict[int, Seen]

    @property
    def step_us(self) -> int:
        return self.series.interval_s * SECOND_US


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    stretch: Stretch


@dataclass(slots=True)
class _Difference:
    gone: list[int]
    changed: list[_Row]
    new: list[tuple[int, Stretch]]

    def take(self, series_id: int, known: Sequence[_Row], wanted: Sequence[Stretch]) -> None:
        by_start = {row.stretch.from_us: row for row in known}
        starts = {stretch.from_us for stretch in wanted}
        self.gone += [row.pk for row in known if row.stretch.from_us not in starts]
        for stretch in wanted:
            row = by_start.get(stretch.from_us)
            if row is None:
                self.new.append((series_id, stretch))
            elif row.stretch != stretch:
                self.changed.append(_Row(row.pk, stretch))


def write(found: Collection[Slots]) -> None:
    """Merge new slots into what is stored; whoever calls holds the probes' locks."""
    if not found:
        return
    known = _touched(found)
    difference = _Difference([], [], [])
    for slots in found:
        rows = known[slots.series.pk]
        wanted = merged([row.stretch for row in rows], joined(slots.seen, slots.step_us))
        difference.take(slots.series.pk, rows, wanted)
    _apply(difference)
    _note_last(found)


def _touched(found: Collection[Slots]) -> Mapping[int, list[_Row]]:
    """The stored intervals that overlap or adjoin the new slots of each series."""
    ids = [slots.series.pk for slots in found]
    starts = [from_us(min(slots.seen)) for slots in found]
    ends = [from_us(max(slots.seen) + slots.step_us) for slots in found]
    rows: dict[int, list[_Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, [ids, starts, ends])
        for pk, series_id, from_at, until_at, state, detail in cursor.fetchall():
            rows[series_id].append(_Row(pk, Stretch(to_us(from_at), to_us(until_at), State(state), detail)))
    return rows


def _apply(difference: _Difference) -> None:
    """Deletes first: a new interval may begin where a deleted one did."""
    with connection.cursor() as cursor:
        if difference.gone:
            cursor.execute(_DELETE, [difference.gone])
        if difference.changed:
            stretches = [row.stretch for row in difference.changed]
            cursor.execute(_UPDATE, [[row.pk for row in difference.changed], *_columns(stretches)[1:]])
        if difference.new:
            stretches = [stretch for _, stretch in difference.new]
            cursor.execute(_INSERT, [[series_id for series_id, _ in difference.new], *_columns(stretches)])


def _columns(stretches: Sequence[Stretch]) -> list[list[Any]]:
    return [
        [from_us(item.from_us) for item in stretches],
        [from_us(item.until_us) for item in stretches],
        [item.state.value for item in stretches],
        [item.detail for item in stretches],
    ]


def _note_last(found: Iterable[Slots]) -> None:
    rows = [_last(slots) for slots in sorted(found, key=lambda slots: slots.series.pk)]
    with connection.cursor() as cursor:
        cursor.execute(_SERIES, [list(column) for column in zip(*rows, strict=True)])


def _last(slots: Slots) -> tuple[int, datetime, datetime, str, str]:
    """First and last slot of a series with what the last one says."""
    row, latest = slots.series, max(slots.seen)
    first, last = min(to_us(row.first_at), *slots.seen), max(to_us(row.last_at), latest)
    seen = Seen(State(row.state), row.detail)
    if latest > to_us(row.last_at):
        seen = slots.seen[latest]
    elif latest == to_us(row.last_at):
        known, new = seen, slots.seen[latest]
        seen = new if new.state == known.state else worse(known, new)
    return row.pk, from_us(first), from_us(last), seen.state.value, seen.detail
