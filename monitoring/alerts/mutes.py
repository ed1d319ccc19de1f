"""From when until when a route tells nobody: the stretch of its time intervals that holds now, or the next one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.alerts.intervals import NamedInterval, TimeInterval, muted_by
from monitoring.alerts.routing import Route

DAYS = 32  # what lies further away is not looked for: a route's row would cost too much
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mute:
    """`reason` in words. `from_at`, `until_at`: None where that is more than a month away."""

    is_now: bool
    from_at: datetime | None
    until_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Hours:
    """A time interval for people: each entry in one line, and whether the present lies within."""

    name: str
    is_now: bool
    entries: tuple[str, ...]


class Mutes:
    """The mutes of one tree's routes at one instant; routes with the same names are worked out once."""

    def __init__(self, known: Sequence[NamedInterval], at: datetime) -> None:
        self._known, self._at = known, at
        self._found: dict[tuple[tuple[str, ...], tuple[str, ...]], Mute | None] = {}

    def of(self, route: Route) -> Mute | None:
        """None where nothing mutes this route now, nor within a month."""
        names = (route.mute_time_intervals, route.active_time_intervals)
        if not any(names):
            return None
        if names not in self._found:
            self._found[names] = _mute(_Names(self._known, *names), self._at)
        return self._found[names]


@dataclass(frozen=True, slots=True)
class _Names:
    """What mutes a route."""

    known: Sequence[NamedInterval]
    mute: tuple[str, ...]
    active: tuple[str, ...]

    def reason(self, at: datetime) -> str:
        return muted_by(self.known, self.mute, self.active, at)

    def edges(self, start: datetime) -> list[datetime]:
        """Every instant of a month from `start` on at which the reason may change, in order."""
        named = [interval for interval in self.known if interval.name in {*self.mute, *self.active}]
        entries = {entry for interval in named for entry in interval.entries}
        return sorted({edge for entry in entries for edge in _edges_of(entry, start)})


def _mute(names: _Names, at: datetime) -> Mute | None:
    ahead = names.edges(at)
    is_now = bool(names.reason(at))
    begin = at if is_now else next(filter(names.reason, ahead), None)
    if begin is None:
        return None
    end = next((edge for edge in ahead if edge > begin and not names.reason(edge)), None)
    reason = names.reason(begin)
    return Mute(is_now, _began(names, at) if is_now else begin, end, f"{reason[:1].lower()}{reason[1:].rstrip('.')}")


def _began(names: _Names, at: datetime) -> datetime | None:
    """The first instant of the stretch that holds at `at`."""
    began: datetime | None = None
    for edge in reversed(names.edges(at - DAYS * DAY)):
        if edge <= at:
            if not names.reason(edge):
                return began
            began = edge
    return None


def hours_of(known: Iterable[NamedInterval], documents: Iterable[Mapping[str, Any]], at: datetime) -> tuple[Hours, ...]:
    """A tree's time intervals in words."""
    return tuple(
        Hours(interval.name, interval.contains(at), tuple(map(_in_words, document["time_intervals"])))
        for interval, document in zip(known, documents, strict=True)
    )


def _in_words(entry: Mapping[str, Any]) -> str:
    """'monday:friday, 09:00-17:30, Europe/Berlin', the ranges as they were written."""
    parts = [
        *map(str, entry.get("weekdays") or ()),
        *(f"day {days}" for days in entry.get("days_of_month") or ()),
        *(f"month {months}" if str(months)[:1].isdecimal() else str(months) for months in entry.get("months") or ()),
        *map(str, entry.get("years") or ()),
        *(f"{times['start_time']}-{times['end_time']}" for times in entry.get("times") or ()),
    ]
    return ", ".join([*parts, str(entry.get("location") or "UTC")]) if parts else "always"


def _edges_of(entry: TimeInterval, start: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(entry.location)
    minutes = sorted({0, *(minute for times in entry.times for minute in times)} - {24 * 60})
    first_on = start.astimezone(zone).date()
    for number in range(DAYS + 1):
        midnight = datetime.combine(first_on + number * DAY, time(0), zone)
        for minute in minutes:
            for fold in (0, 1):  # a wall time may be there twice, or not at all: then both are right beside the gap
                wall = midnight.replace(hour=minute // 60, minute=minute % 60, fold=fold)
                if (edge := wall.astimezone(UTC)) > start:
                    yield edge
        yield from (edge for edge in _changes_of_clocks(midnight.astimezone(UTC), zone) if edge > start)


def _changes_of_clocks(begin: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The minute at which the zone's clocks change within the 25 hours from `begin`, where they do."""
    low, high = begin, begin + 25 * 60 * MINUTE
    offset = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == offset:
        return
    while high - low > MINUTE:
        middle = low + ((high - low) // 2 // MINUTE) * MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    yield high
