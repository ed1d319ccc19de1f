"""Where the windows of a stream of events begin and end, in UTC."""

from datetime import UTC, datetime, timedelta

from drift.models import WindowGrain
from drift.windows import ReportWindow
from fleetledger.lib import buckets

WEEK = timedelta(days=7)


def window_of(at: datetime, grain: str) -> ReportWindow:
    """The hour, day, week (from Monday) or month that an instant lies in."""
    at = at.astimezone(UTC)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if grain == WindowGrain.HOUR:
        start = at.replace(minute=0, second=0, microsecond=0)
        return ReportWindow(start, start + buckets.HOUR)
    if grain == WindowGrain.WEEK:
        monday = day - timedelta(days=day.weekday())
        return ReportWindow(monday, monday + WEEK)
    if grain == WindowGrain.MONTH:
        month = buckets.Month.of(day)
        return ReportWindow(month.start, month.next.start)
    return ReportWindow(day, day + buckets.DAY)
