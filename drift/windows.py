"""Reads a window as people write it: FROM/TO, days or instants in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from drift.errors import BadWindowError

_DAY = len("2026-11-01")
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


@dataclass(frozen=True, slots=True)
class ReportWindow:
    """The data that a report is about: [start, end), or an instant where both are the same."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{_text(self.start)}/{_text(self.end)}"


def parse_window(text: str) -> ReportWindow:
    """`2026-11-01/2026-11-02`, or with times; without a time zone it is UTC. Raises BadWindowError."""
    start, slash, end = text.strip().partition("/")
    try:
        window = ReportWindow(_instant(start), _instant(end))
    except (ValueError, OverflowError) as error:
        raise BadWindowError(text) from error
    years = (window.start.year, window.end.year)
    if not slash or window.end <= window.start or min(years) < _FIRST_YEAR or max(years) > _LAST_YEAR:
        raise BadWindowError(text)
    return window


def _instant(text: str) -> datetime:
    text = text.strip()
    if len(text) == _DAY:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
