"""What of a schedule does not work: people who are gone, calendars that cannot be read, words that mean nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.models import User
from monitoring.alerts.models import CalendarFeed, Schedule
from monitoring.alerts.oncall.calendars import CalendarLayer
from monitoring.alerts.oncall.documents import ICAL, DocumentError, rotation, zone_named
from monitoring.alerts.oncall.ical_in import CalendarError, parse
from monitoring.alerts.oncall.loading import load, named, zone_of

AHEAD = timedelta(weeks=8)


@dataclass(frozen=True, slots=True)
class Problem:
    """`layer` is empty where it is of the schedule as a whole."""

    layer: str
    sentence: str


def of_schedule(schedule: Schedule, at: datetime) -> tuple[Problem, ...]:
    """For what lies within the next weeks."""
    return tuple(_found(schedule, at))


def _found(schedule: Schedule, at: datetime) -> Iterator[Problem]:
    try:
        zone_named(schedule.time_zone)
    except DocumentError as error:
        yield Problem("", f"{error} Until then it counts as UTC.")
    feeds = {feed.layer: feed for feed in CalendarFeed.objects.filter(schedule=schedule)}
    there = set(
        User.objects.filter(
            username__in={name for layer in schedule.layers for name in named(layer)}, is_active=True
        ).values_list("username", flat=True)
    )
    for layer in schedule.layers:
        name = str(layer["name"])
        for username in dict.fromkeys(named(layer)):
            if username not in there:
                yield Problem(name, f"{username} is gone: their time counts as nobody's. Change the layer's people.")
        yield from (Problem(name, words) for words in _of_layer(layer, feeds.get(name), schedule))
    yield from _strangers(schedule, at)


def _of_layer(layer: dict[str, Any], feed: CalendarFeed | None, schedule: Schedule) -> Iterator[str]:
    try:
        if ICAL not in layer:
            rotation(layer, zone_of(schedule))
            return
        text = layer[ICAL].get("text") or (feed.text if feed else "")
        if text and (words := parse(text).problem):
            yield words
    except (DocumentError, CalendarError) as error:
        yield str(error)
    if feed is not None and feed.error:
        since = (
            f"What was read at {feed.read_at:%Y-%m-%d %H:%M} UTC counts." if feed.read_at else "Nothing was read yet."
        )
        yield f"The calendar cannot be read: {feed.error} {since}"
    elif feed is not None and feed.read_at is None:
        yield "The calendar has not been read yet. That takes a minute or two."


def _strangers(schedule: Schedule, at: datetime) -> Iterator[Problem]:
    if not any(ICAL in layer for layer in schedule.layers):
        return
    until = at + AHEAD
    for layer in load([schedule], at, until).plans[schedule.pk].layers:
        if not isinstance(layer, CalendarLayer):
            continue
        try:
            for words, first_at in layer.unknown(at, until).items():
                yield Problem(
                    layer.name,
                    f"“{words[:80]}” means nobody we know, first at {first_at:%Y-%m-%d %H:%M} UTC: "
                    "that time counts as nobody's. Name the person under the layer's people.",
                )
        except CalendarError as error:
            yield Problem(layer.name, str(error))
