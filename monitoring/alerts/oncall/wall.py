"""Turns wall time in a zone into instants, as RFC 5545 says."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive wall time.

    One that a change of the clocks skips is read with the offset from before it; of one that comes twice it is the
    first.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """The naive wall time that clocks in `zone` show at an instant."""
    return at.astimezone(zone).replace(tzinfo=None)


def day_starts_at(day: date, zone: ZoneInfo) -> datetime:
    return instant(datetime.combine(day, time()), zone)


def days_between(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> list[date]:
    """The days of the wall that [from_at, until_at) touches."""
    first, last = wall(from_at, zone).date(), wall(until_at - timedelta(microseconds=1), zone).date()
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]
