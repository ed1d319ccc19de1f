"""How pages say states, windows, scores and directions."""

from datetime import UTC, datetime, timedelta

from drift.reads import State

STATES: dict[State, tuple[str, str]] = {
    State.DRIFTED: ("Drifted", "bad"),
    State.LATE: ("Report is late", "bad"),
    State.SOME: ("Some columns", "warn"),
    State.UNKNOWN: ("Unknown", "unknown"),
    State.EMPTY: ("No report", "unknown"),
    State.STEADY: ("Steady", "good"),
    State.REMOVED: ("Removed", ""),
}
DIRECTIONS = {
    "small": "drifts when small",
    "large": "drifts when large",
    "outside": "drifts outside its band",
    "unknown": "direction unknown",
}
_DAY = timedelta(days=1)


def window_text(start: datetime | None, end: datetime | None) -> str:
    """1 Nov 2026; 1 Nov \N{EN DASH} 7 Nov 2026; with hours where days do not tell it; an instant as at 06:00."""
    if start is None or end is None:
        return "undated"
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start == end:
        return f"{_day(end)} {end.year}, {end:%H:%M}"
    if _is_midnight(start) and _is_midnight(end):
        last = end - _DAY
        if last == start:
            return f"{_day(start)} {start.year}"
        year = "" if start.year == last.year else f" {start.year}"
        return f"{_day(start)}{year} \N{EN DASH} {_day(last)} {last.year}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(start)} {start.year}, {start:%H:%M} \N{EN DASH} {until}"


def score_text(value: float | None) -> str:
    """Three digits that tell something: 0.261, 7.07e-23, 111; a dash for nothing."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 from there on digits are plenty


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def _is_midnight(at: datetime) -> bool:
    return (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
