"""The hours of the week in which a layer has anybody at all, as spans of instants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring.alerts.oncall.wall import instant, wall

_DAY_MINUTES = 24 * 60
_REACH_DAYS = 2  # a window that began the day before may still be open, and clocks may skip a day


@dataclass(frozen=True, slots=True)
class Span:
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """`days`: on which days it begins, 0 Monday … 6 Sunday; minutes since midnight of the wall.

    One that ends at or before its beginning goes on until the next day.
    """

    days: frozenset[int]
    from_minute: int = 0
    until_minute: int = _DAY_MINUTES

    def minutes(self) -> int:
        """How long it is by the wall."""
        return (self.until_minute - self.from_minute - 1) % _DAY_MINUTES + 1


def spans(windows: Sequence[Window], zone: ZoneInfo, from_at: datetime, until_at: datetime) -> list[Span]:
    """When any of the windows is open, within [from_at, until_at): in order, none touching another."""
    found: list[Span] = []
    for span in sorted(_opened(windows, zone, from_at, until_at), key=lambda one: one.from_at):
        begin, end = max(span.from_at, from_at), min(span.until_at, until_at)
        if begin >= end:
            continue
        if found and begin <= found[-1].until_at:
            found[-1] = Span(found[-1].from_at, max(found[-1].until_at, end))
        else:
            found.append(Span(begin, end))
    return found


def _opened(windows: Sequence[Window], zone: ZoneInfo, from_at: datetime, until_at: datetime) -> Iterator[Span]:
    day = wall(from_at, zone).date() - timedelta(days=_REACH_DAYS)
    last = wall(until_at, zone).date()
    while day <= last:
        midnight = datetime.combine(day, time())
        for window in windows:
            if day.weekday() in window.days:
                begin = midnight + timedelta(minutes=window.from_minute)
                yield Span(instant(begin, zone), instant(begin + timedelta(minutes=window.minutes()), zone))
        day += timedelta(days=1)
