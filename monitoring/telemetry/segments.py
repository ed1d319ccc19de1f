"""Which table answers which part of a window: days where whole days are asked for, hours, and facts at the edges."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window, ceil, floor

FACTS, HOURS, DAYS = "telemetry_fact", "telemetry_gpuhour", "telemetry_gpuday"
_FINER: dict[timedelta, tuple[str, timedelta]] = {DAY: (DAYS, HOUR), HOUR: (HOURS, BUCKET), BUCKET: (FACTS, BUCKET)}


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the window, aligned to the table's step."""

    table: str
    window: Window


def segments(window: Window, coarsest: timedelta) -> list[Segment]:
    """Aligned parts of `window` (aligned to five minutes), each from the coarsest table that fits, in order of time."""
    if window.start >= window.end:
        return []
    table, finer = _FINER[coarsest]
    start, end = ceil(window.start, coarsest), floor(window.end, coarsest)
    if coarsest == BUCKET:
        return [Segment(table, window)]
    if start >= end:
        return segments(window, finer)
    head = segments(Window(window.start, start), finer)
    tail = segments(Window(end, window.end), finer)
    return [*head, Segment(table, Window(start, end)), *tail]


def union(parts: list[Segment], columns: str) -> tuple[str, list[datetime]]:
    """SQL of all parts' rows with `columns`, and its parameters."""
    if not parts:
        return f"SELECT {columns} FROM {FACTS} WHERE false", []  # noqa: S608 our own names
    sql = " UNION ALL ".join(
        f"SELECT {columns} FROM {part.table} WHERE bucket >= %s AND bucket < %s"  # noqa: S608 our own names
        for part in parts
    )
    return sql, [at for part in parts for at in (part.window.start, part.window.end)]


def held_sums(names: str) -> str:
    """SQL of sums over rows `f`; busy and measured of held time alone, so that held - busy is paid for and not used."""
    held = {"busy_us", "measured_us"}
    return ", ".join(
        f"coalesce(sum(f.{name}){' FILTER (WHERE f.workload_id <> 0)' if name in held else ''}, 0)::bigint AS {name}"
        for name in names.split(", ")
    )
