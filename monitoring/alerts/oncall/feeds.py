"""Keeps the calendars that layers name by their addresses."""

from collections.abc import Mapping
from typing import Any

from monitoring.alerts.models import CalendarFeed, Schedule
from monitoring.alerts.oncall.documents import ICAL


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


def _reference(url: str | Mapping[str, Any]) -> dict[str, Any]:
    """As the configuration has it, so that a secret stays where it is."""
    return {"url": url} if isinstance(url, str) else dict(url)
