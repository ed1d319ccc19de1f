"""Reads an iCalendar text: what happens when, with recurrences, exceptions, zones and all-day events worked out."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from monitoring.alerts.errors import AlertsError
from monitoring.alerts.oncall.documents import DocumentError, zone_named
from monitoring.alerts.oncall.wall import day_starts_at, instant

NO_CALENDAR = "This is no iCalendar text. It begins with BEGIN:VCALENDAR."
MAX_BYTES = 2 * 1024 * 1024
MAX_A_DAY = 1000  # what all rules together may bring a day: more would take minutes to work out
MAX_CACHED = 32
CHUNK = timedelta(days=28)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_PARTS_OF_A_DAY = {"SECONDLY": (24, 60, 60), "MINUTELY": (24, 60, 1), "HOURLY": (24, 1, 1)}
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)  # what libraries raise on nonsense
_NOT_PEOPLE = frozenset({"ROOM", "RESOURCE", "GROUP"})


class CalendarError(AlertsError):
    """A text that is no calendar, or one that we don't work out."""


@dataclass(frozen=True, slots=True)
class Event:
    """[from_at, until_at). `mails`: of those who attend and did not decline, else of the organizer, in lower case."""

    from_at: datetime
    until_at: datetime
    summary: str
    mails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """`digest` tells texts apart, so that what was worked out once is kept. `problem`: what of it cannot be read."""

    digest: str
    zone: ZoneInfo | None
    problem: str
    query: Any = field(compare=False, hash=False, repr=False)

    def events(self, from_at: datetime, until_at: datetime, zone: ZoneInfo) -> list[Event]:
        """Those that touch [from_at, until_at), cut at edges of chunks; days and times without a zone are in `zone`."""
        first, last = (from_at - _EPOCH) // CHUNK, (until_at - _EPOCH) // CHUNK
        found = [event for number in range(first, last + 1) for event in _of_chunk(self, number, zone)]
        return [event for event in found if event.from_at < until_at and event.until_at > from_at]

    def whole(self, from_at: datetime, until_at: datetime, zone: ZoneInfo) -> Iterator[Event]:
        """Those that touch [from_at, until_at), uncut."""
        try:
            rows = self.query.between(from_at, until_at)
        except _UNREADABLE as error:
            raise CalendarError(f"The calendar's rules cannot be worked out ({error}).") from error
        for row in rows:
            event = _event(row, zone)
            if event is not None:
                yield event


_cache: dict[str, Calendar] = {}


def parse(text: str) -> Calendar:
    """A calendar, kept for the next time; raises CalendarError."""
    raw = text.encode()
    if len(raw) > MAX_BYTES:
        raise CalendarError(f"The calendar is larger than {MAX_BYTES // 1024 // 1024} MB. Hand in a part of it.")
    digest = hashlib.sha256(raw).hexdigest()
    if digest not in _cache:
        made = _parsed(text, digest)
        if len(_cache) >= MAX_CACHED:
            _cache.clear()
        _cache[digest] = made
    return _cache[digest]


def _parsed(text: str, digest: str) -> Calendar:
    try:
        found = icalendar.Calendar.from_ical(text)
    except _UNREADABLE as error:
        raise CalendarError(NO_CALENDAR) from error
    if found.name != "VCALENDAR":
        raise CalendarError(NO_CALENDAR)
    broken = _taken_out(found, _is_sound)
    if sum(_a_day(rule) for event in found.walk("VEVENT") for rule in _listed(event.get("RRULE"))) > MAX_A_DAY:
        raise CalendarError(f"The calendar's rules bring more than {MAX_A_DAY} events a day. Take some out.")
    try:
        query = _query(found)
    except _UNREADABLE:
        broken += _taken_out(found, _has_a_course)
        query = _query(found)
    return Calendar(digest, _zone(str(found.get("X-WR-TIMEZONE", ""))), _problem(broken), query)


def _query(found: Any) -> Any:
    return recurring_ical_events.of(found, components=("VEVENT",))


def _taken_out(found: Any, is_good: Callable[[Any], bool]) -> list[Any]:
    """Take the events that are not good out of a calendar."""
    broken = [event for event in found.walk("VEVENT") if not is_good(event)]
    gone = set(map(id, broken))
    found.subcomponents = [component for component in found.subcomponents if id(component) not in gone]
    return broken


def _is_sound(event: Any) -> bool:
    """Whether it begins before it ends, and its rules are such."""
    try:
        return bool(event.start <= event.end) and all(isinstance(rule, Mapping) for rule in _listed(event.get("RRULE")))
    except _UNREADABLE:
        return False


def _has_a_course(event: Any) -> bool:
    """Whether its rules can be worked out."""
    alone = icalendar.Calendar()
    alone.add_component(event)
    try:
        _query(alone)
    except _UNREADABLE:
        return False
    return True


def _problem(broken: Sequence[Any]) -> str:
    if not broken:
        return ""
    names = ", ".join(f"“{str(event.get('SUMMARY', ''))[:40]}”" for event in broken[:3])
    return f"{len(broken)} of the calendar's events cannot be read and are left out: {names}."


@lru_cache(maxsize=512)
def _of_chunk(calendar: Calendar, number: int, zone: ZoneInfo) -> tuple[Event, ...]:
    begin = _EPOCH + number * CHUNK
    end = begin + CHUNK
    found = [
        Event(max(event.from_at, begin), min(event.until_at, end), event.summary, event.mails)
        for event in calendar.whole(begin, end, zone)
        if event.from_at < end and event.until_at > begin
    ]
    return tuple(sorted(found, key=lambda event: (event.from_at, event.until_at, event.summary)))


def _event(row: Any, zone: ZoneInfo) -> Event | None:
    """None for one that is cancelled, or lasts no time."""
    if str(row.get("STATUS", "")).upper() == "CANCELLED":
        return None
    begin, end = _instant(row.start, zone), _instant(row.end, zone)
    return Event(begin, end, " ".join(str(row.get("SUMMARY", "")).split()), _mails(row)) if begin < end else None


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    """A day begins at midnight on the wall of `zone`; a time without a zone is what that wall shows."""
    if not isinstance(value, datetime):
        return day_starts_at(value, zone)
    if value.tzinfo is None:
        return instant(value, zone)
    own = value.tzinfo
    return instant(value.replace(tzinfo=None), own) if isinstance(own, ZoneInfo) else value.astimezone(_EPOCH.tzinfo)


def _mails(row: Any) -> tuple[str, ...]:
    attending = [one for one in _listed(row.get("ATTENDEE")) if _comes(getattr(one, "params", {}))]
    found = [_mail(one) for one in attending or _listed(row.get("ORGANIZER"))]
    return tuple(dict.fromkeys(mail for mail in found if mail))


def _comes(params: Mapping[str, str]) -> bool:
    is_person = str(params.get("CUTYPE", "")).upper() not in _NOT_PEOPLE
    return is_person and str(params.get("PARTSTAT", "")).upper() != "DECLINED"


def _mail(value: object) -> str:
    text = str(value).strip().lower()
    return text.removeprefix("mailto:") if "@" in text else ""


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return zone_named(name) if name else None
    except DocumentError:
        return None


def _a_day(rule: Mapping[str, Any]) -> int:
    """How many events a rule can bring a day at most."""
    hours, minutes, seconds = _PARTS_OF_A_DAY.get(str(_listed(rule.get("FREQ"))[0]), (1, 1, 1))
    return (
        (len(_listed(rule.get("BYHOUR"))) or hours)
        * (len(_listed(rule.get("BYMINUTE"))) or minutes)
        * (len(_listed(rule.get("BYSECOND"))) or seconds)
    )
