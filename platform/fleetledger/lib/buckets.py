"""Time as the product counts it: half-open windows in UTC, cut into buckets, hours, days and months."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

BUCKET = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_MONTH = re.compile(r"(\d{4})-(\d{2})")


class PeriodError(ValueError):
    """A period that is not a month written as YYYY-MM."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is not a period. Write a month as YYYY-MM, for example 2026-10.")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open range [start, end) of UTC instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("A window needs instants with a time zone.")
        if self.end < self.start:
            raise ValueError("A window ends after it starts.")

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def duration_us(self) -> int:
        return self.duration // MICROSECOND

    def cut(self, other: "Window") -> "Window | None":
        """The part both windows share, or None where they share no time."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def steps(self, step: timedelta) -> Iterator["Window"]:
        """The aligned steps that touch this window, whole, in order."""
        at = floor(self.start, step)
        while at < self.end:
            yield Window(at, at + step)
            at += step


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A billing period: one calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read YYYY-MM; raises PeriodError."""
        match = _MONTH.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 12 or not 1970 <= int(match[1]) <= 9998:  # noqa: PLR2004 months of a year
            raise PeriodError(text)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, at: datetime | date) -> "Month":
        return cls(at.year, at.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def window(self) -> Window:
        return Window(self.start, self.next.start)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def floor(at: datetime, step: timedelta) -> datetime:
    """The last aligned instant at or before `at`; steps are counted from 1970-01-01T00:00Z."""
    return at - (at - EPOCH) % step


def ceil(at: datetime, step: timedelta) -> datetime:
    """The first aligned instant at or after `at`."""
    low = floor(at, step)
    return low if low == at else low + step


def to_us(at: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (at - EPOCH) // MICROSECOND


def from_us(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
