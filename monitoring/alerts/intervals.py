"""Alertmanager's time intervals: when a route tells nobody, or only then."""

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitoring.alerts.errors import AlertsError

Document = Mapping[str, Any]
Range = tuple[int, int]
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
LONGEST_MONTH = 31
SHORTEST_MONTH = 28  # by which Alertmanager compares days from the start with days from the end
FIRST_YEAR, LAST_YEAR = 0, 9999


class IntervalError(AlertsError):
    """A time interval that says nothing, or what no calendar has."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """One entry of an interval: all that it names must hold, in `location`. Nothing named: always.

    `times` are minutes of the day, the end excluded. Other ranges include their end. Weekdays count from Sunday, 0.
    Days of the month below zero count from its end.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = "UTC"

    def contains(self, at: datetime) -> bool:
        """Whether the instant `at` lies within, by the wall clock of `location`."""
        local = at.astimezone(ZoneInfo(self.location))
        minute = local.hour * 60 + local.minute
        length = calendar.monthrange(local.year, local.month)[1]
        days = [_clamped(days, length) for days in self.days_of_month]
        return (
            (not self.times or any(first <= minute < end for first, end in self.times))
            and (not self.days_of_month or any(first <= local.day <= last for first, last in filter(None, days)))
            and _lies_in(local.month, self.months)
            and _lies_in(local.isoweekday() % 7, self.weekdays)
            and _lies_in(local.year, self.years)
        )


@dataclass(frozen=True, slots=True)
class NamedInterval:
    """An instant lies within where it lies in any of the entries."""

    name: str
    entries: tuple[TimeInterval, ...]

    def contains(self, at: datetime) -> bool:
        return any(entry.contains(at) for entry in self.entries)


def intervals_of(documents: Iterable[Document]) -> tuple[NamedInterval, ...]:
    """A configuration's `time_intervals`; raises IntervalError."""
    return tuple(
        NamedInterval(item["name"], tuple(map(_entry, item.get("time_intervals") or ()))) for item in documents
    )


def muted_by(intervals: Sequence[NamedInterval], mute: Sequence[str], active: Sequence[str], at: datetime) -> str:
    """Why a route with these names tells nobody at `at`, in words; empty where it tells.

    A name that nobody defined mutes nothing.
    """
    known = {interval.name: interval for interval in intervals}
    for name in mute:
        if name in known and known[name].contains(at):
            return f"Muted by the time interval '{name}'."
    named = [known[name] for name in active if name in known]
    if named and not any(interval.contains(at) for interval in named):
        return f"Not within the time interval{'s' if len(named) > 1 else ''} {_quoted(active)}."
    return ""


def _entry(document: Document) -> TimeInterval:
    return TimeInterval(
        times=tuple(_minutes(times) for times in document.get("times") or ()),
        weekdays=tuple(_named(text, WEEKDAYS, 0) for text in document.get("weekdays") or ()),
        days_of_month=tuple(_days(text) for text in document.get("days_of_month") or ()),
        months=tuple(_named(text, MONTHS, 1) for text in document.get("months") or ()),
        years=tuple(_years(text) for text in document.get("years") or ()),
        location=_location(document.get("location") or "UTC"),
    )


def _minutes(times: Document) -> Range:
    first, end = _minute(times["start_time"]), _minute(times["end_time"])
    if first >= end:
        raise IntervalError(
            f"'{times['start_time']}' is not before '{times['end_time']}'. A time over midnight is written as two."
        )
    return first, end


def _minute(text: str) -> int:
    hour, _, minute = str(text).partition(":")
    return int(hour) * 60 + int(minute)


def _named(text: str | int, names: Sequence[str], first: int) -> Range:
    """A range of names, or of months' numbers."""
    start, end = (_place(part, names, first) for part in _ends(text))
    if start > end:
        raise IntervalError(f"'{text}' ends before it starts. Write it as two ranges.")
    return start, end


def _place(text: str, names: Sequence[str], first: int) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + first
    if first and text.isdecimal() and first <= int(text) < first + len(names):
        return int(text)
    raise IntervalError(f"'{text[:40]}' is none of {', '.join(names)}.")


def _days(text: str | int) -> Range:
    start, end = (_number(part, text) for part in _ends(text))
    if not all(0 < abs(day) <= LONGEST_MONTH for day in (start, end)):
        raise IntervalError(f"'{text}' names no days of a month: they are 1 to 31, or -31 to -1 from its end.")
    if start < 0 < end:
        raise IntervalError(f"'{text}' begins at the month's end and ends at its start. Write it as two ranges.")
    first, last = (day if day > 0 else SHORTEST_MONTH + day for day in (start, end))
    if first > last:
        raise IntervalError(f"'{text}' ends before it starts, in short months at least. Write it as two ranges.")
    return start, end


def _years(text: str | int) -> Range:
    start, end = (_number(part, text) for part in _ends(text))
    if not FIRST_YEAR <= start <= end <= LAST_YEAR:
        raise IntervalError(f"'{text}' are no years. Write 2026 or 2026:2028.")
    return start, end


def _ends(text: str | int) -> tuple[str, str]:
    start, colon, end = str(text).strip().partition(":")
    return start.strip(), end.strip() if colon else start.strip()


def _number(part: str, text: str | int) -> int:
    try:
        return int(part)
    except ValueError as error:
        raise IntervalError(f"'{str(text)[:40]}' is no number, nor a range such as 1:15.") from error


def _location(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError) as error:
        raise IntervalError(f"There is no time zone '{name[:60]}'. Write one such as Europe/Berlin.") from error


def _lies_in(value: int, ranges: Iterable[Range]) -> bool:
    found = list(ranges)
    return not found or any(first <= value <= last for first, last in found)


def _clamped(days: Range, length: int) -> Range | None:
    """The days as this month has them; None where they lie outside of it."""
    first, last = (day if day > 0 else length + 1 + day for day in days)
    first, last = max(first, 1), min(last, length)
    return (first, last) if first <= last else None


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def entry_problems(document: Document) -> Iterator[str]:
    """What is wrong with one entry of an interval; nothing where it is right."""
    try:
        _entry(document)
    except IntervalError as error:
        yield str(error)
