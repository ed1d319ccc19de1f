"""Keeps the calendars that layers name by their addresses, and reads them again every quarter of an hour."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from fleetledger.fleet import secrets
from fleetledger.fleet.secrets import SecretError
from monitoring.alerts.channels.apprise_process import Guard
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import ChannelError
from monitoring.alerts.models import CalendarFeed, Schedule
from monitoring.alerts.oncall import fetch
from monitoring.alerts.oncall.documents import ICAL
from monitoring.alerts.oncall.ical_in import MAX_BYTES, CalendarError, parse
from monitoring.alerts.oncall.ical_reduced import reduced

EVERY = timedelta(minutes=15)
SECONDS = 20.0
MOST_ERROR = 500


def keep(schedule: Schedule) -> None:
    """One row for each layer with an address; one whose address changed begins anew."""
    wanted = {
        layer["name"]: _reference(layer[ICAL]["url"]) for layer in schedule.layers if "url" in layer.get(ICAL, {})
    }
    stored = {row.layer: row.url for row in CalendarFeed.objects.filter(schedule=schedule)}
    gone = [name for name, url in stored.items() if wanted.get(name) != url]
    CalendarFeed.objects.filter(schedule=schedule, layer__in=gone).delete()
    CalendarFeed.objects.bulk_create(
        CalendarFeed(schedule=schedule, layer=name, url=url) for name, url in wanted.items() if stored.get(name) != url
    )


def read_due(now: datetime) -> str:
    """Read every calendar whose time has come; each by one caller alone. What was read well stays until it is again."""
    is_due = Q(tried_at=None) | Q(tried_at__lte=now - EVERY)
    found = (
        CalendarFeed.objects.filter(is_due, schedule__removed_at=None)
        .order_by(F("tried_at").asc(nulls_first=True))
        .defer("text")
    )
    tried = failed = 0
    for feed in found:
        if CalendarFeed.objects.filter(pk=feed.pk, tried_at=feed.tried_at).update(tried_at=now):
            tried += 1
            failed += not _read(feed, now)
    return f"{tried} calendars read, {failed} of them in vain."


def _read(feed: CalendarFeed, now: datetime) -> bool:
    mine = CalendarFeed.objects.filter(pk=feed.pk)
    try:
        text = _text(feed.url)
        parse(text)
    except (ChannelError, CalendarError, SecretError) as error:
        mine.update(error=str(error)[:MOST_ERROR])
        return False
    mine.update(text=text, read_at=now, error="")
    return True


def _text(url: Mapping[str, Any]) -> str:
    """What of the calendar is needed; raises ChannelError, CalendarError and SecretError."""
    address = str(url["url"]) if "url" in url else secrets.resolve(url)
    body = fetch.get(address, Deadline(SECONDS), MAX_BYTES, Guard(settings.NOTIFY_ALLOW).may_reach)
    return reduced(body.decode("utf-8-sig", errors="replace").replace("\x00", ""))


def _reference(url: str | Mapping[str, Any]) -> dict[str, Any]:
    """As the configuration has it, so that a secret stays where it is."""
    return {"url": url} if isinstance(url, str) else dict(url)
