"""The last days of some components, one mark for each: what the strips on pages are drawn from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from fleetledger.lib.buckets import Window
from monitoring.availability.figures import Seconds, Tally
from monitoring.availability.reads_parts import DayRow
from monitoring.availability.states import State

BAD_FROM = 0.01
"""A day is red from this share of what was seen on; with less than that down it is yellow."""
_NOTHING = Tally()
_DAYS = """
SELECT component_id, day - %(first)s::date, up_s::float8, degraded_s::float8, down_s::float8, maintenance_s::float8,
    idle_s::float8, unknown_s::float8
FROM availability_componentday
WHERE component_id = ANY(%(components)s) AND day >= %(first)s AND day <= %(last)s
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A day. `state` is that of what was seen, None where nothing was expected; `unseen`: the share that was not."""

    day: date
    state: State | None
    unseen: float
    down_s: float
    degraded_s: float


def marks(component_ids: Collection[int], at: datetime, days: int) -> dict[int, tuple[Mark, ...]]:
    """Each of the last days of each of these components, today the last."""
    last = at.astimezone(UTC).date()
    return marks_between(component_ids, last - timedelta(days=days - 1), last)


def marks_within(days: Iterable[DayRow], window: Window) -> tuple[Mark, ...]:
    """One component's days that a window touches, whether or not anything was counted."""
    first = window.start.astimezone(UTC).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(UTC).date()
    known = {row.day: row.tally for row in days}
    found = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return tuple(mark(day, known.get(day, _NOTHING).seconds()) for day in found)


def marks_between(component_ids: Collection[int], first: date, last: date) -> dict[int, tuple[Mark, ...]]:
    """Days from `first` to `last`, both included."""
    if not component_ids:
        return {}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    empty = [Mark(day, None, 0, 0, 0) for day in days]
    found = {pk: list(empty) for pk in component_ids}
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"components": list(component_ids), "first": first, "last": last})
        for pk, place, *seconds in cursor.fetchall():
            found[pk][place] = mark(days[place], seconds)
    return {pk: tuple(row) for pk, row in found.items()}


def mark(day: date, seconds: Iterable[Seconds]) -> Mark:
    """`seconds`: up, degraded, down, maintenance, idle, unknown."""
    up, degraded, down, maintenance, idle, unknown = map(float, seconds)
    seen = up + degraded + down
    if not seen:
        rest = (State.UNKNOWN, unknown), (State.MAINTENANCE, maintenance), (State.IDLE, idle)
        state = next((state for state, amount in rest if amount), None)
        return Mark(day, state, 1.0 if unknown else 0.0, 0, 0)
    state = State.UP
    if down >= BAD_FROM * seen:
        state = State.DOWN
    elif down or degraded:
        state = State.DEGRADED
    return Mark(day, state, unknown / (seen + unknown), down, degraded)


def said(found: Sequence[Mark]) -> str:
    """The strip in words: what a reader who does not see it is told."""
    counts = _counts(found)
    days = "1 day" if len(found) == 1 else f"{len(found)} days"
    if not any(counts.values()):
        return f"{days}, nothing expected"
    parts = [f"{counts[key]} {words}" for key, words in _WORDS.items() if counts[key]]
    return f"{days}: {', '.join(parts)}"


_WORDS = {
    "down": "with downtime",
    "degraded": "degraded or down for a moment",
    "unseen": "not fully seen",
    "up": "up throughout",
    "other": "without a verdict",
}


def _counts(found: Sequence[Mark]) -> Mapping[str, int]:
    counts = dict.fromkeys(_WORDS, 0)
    for item in found:
        if item.state is State.DOWN:
            counts["down"] += 1
        elif item.state is State.DEGRADED:
            counts["degraded"] += 1
        elif item.state is State.UNKNOWN or item.unseen >= BAD_FROM:
            counts["unseen"] += 1
        elif item.state is State.UP:
            counts["up"] += 1
        elif item.state is not None:
            counts["other"] += 1
    return counts
