"""Whether a step's `if` holds: at this time of the week, or while more than so many alerts came in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from fleetledger.lib.durations import parse_duration
from monitoring.alerts.models import Episode, Run
from monitoring.alerts.oncall.documents import DAYS

_DAY_MINUTES = 24 * 60


def why_not(step: Mapping[str, Any], run: Run, now: datetime) -> str:
    """Why the step is passed over, in words; empty where it is to be done."""
    wanted = step.get("if") or {}
    if "time" in wanted and not in_window(wanted["time"], now):
        return "it is outside the step's hours"
    if "more_than" in wanted:
        return _too_few(wanted["more_than"], run, now)
    return ""


def in_window(window: Mapping[str, Any], at: datetime) -> bool:
    """`days` are those on which it begins; one that ends at or before its beginning goes on over midnight."""
    local = at.astimezone(ZoneInfo(window.get("time_zone") or "UTC"))
    begin, end = _minute(window.get("from", "00:00")), _minute(window.get("until", "24:00"))
    minute, days = local.hour * 60 + local.minute, window.get("days") or DAYS
    today, yesterday = DAYS[local.weekday()] in days, DAYS[local.weekday() - 1] in days
    if end > begin:
        return today and begin <= minute < end
    return (today and minute >= begin) or (yesterday and minute < end)


def _too_few(wanted: Mapping[str, Any], run: Run, now: datetime) -> str:
    """Counted are the alerts of the run's group, also those that are over."""
    since = now - parse_duration(wanted["within"])
    of_group = Q(alert__memberships__group=run.group_id) | Q(escalated__group=run.group_id)
    found = Episode.objects.filter(of_group, opened_at__gt=since).values("alert_id").distinct().count()
    if found > wanted["alerts"]:
        return ""
    return f"{found} alerts came in within {wanted['within']}, not more than {wanted['alerts']}"


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return min(int(hour) * 60 + int(minute), _DAY_MINUTES)
