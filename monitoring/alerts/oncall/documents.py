"""Reads the layers of a schedule as the configuration writes them, and refuses what means nothing."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetledger.lib.durations import DurationError, parse_duration
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.oncall.rotations import MIN_EVERY, Rotation
from monitoring.alerts.oncall.windows import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WALL_TIME = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:00)?)?$"
YEARS = range(1970, 2200)
ICAL = "ical"
_WORDS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_CLOCK = re.compile(r"(\d{2}):(\d{2})")


class DocumentError(AlertsError):
    """What stands in a layer and means nothing; `key` is where, below the layer."""

    def __init__(self, sentence: str, *key: str | int) -> None:
        super().__init__(sentence)
        self.key = key


def zone_named(name: str) -> ZoneInfo:
    """Raises DocumentError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        sentence = f"No time zone is called '{name[:64]}'. Write it as Europe/Berlin, America/New_York or UTC."
        raise DocumentError(sentence, "time_zone") from None


def rotation(layer: Mapping[str, Any], zone: ZoneInfo) -> Rotation:
    """A layer with `people`; `zone` is the schedule's. Raises DocumentError."""
    own = zone_named(layer["time_zone"]) if layer.get("time_zone") else zone
    start = wall_time(layer["start"], "start")
    until = wall_time(layer["until"], "until") if layer.get("until") else None
    if until is not None and until <= start:
        raise DocumentError("This layer ends before it starts. Let until be later than start.", "until")
    active = layer.get("active") or ()
    windows = tuple(window(document, number) for number, document in enumerate(active))
    return Rotation(str(layer["name"]), turns(layer["people"]), own, start, every(layer["every"]), until, windows)


def turns(people: Sequence[str | Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple((item,) if isinstance(item, str) else tuple(dict.fromkeys(item)) for item in people)


def every(text: str) -> timedelta:
    """day, week, or a duration of whole minutes from one hour on; raises DocumentError."""
    try:
        span = _WORDS.get(text) or parse_duration(text)
    except DurationError:
        raise DocumentError(f"'{text[:64]}' is no length of a turn. Write day, week, 12h, 3d or 2w.", "every") from None
    if span < MIN_EVERY or span % timedelta(minutes=1):
        raise DocumentError("A turn lasts whole minutes, and one hour at least.", "every")
    return span


def wall_time(text: str, key: str) -> datetime:
    """A naive wall time, midnight where it is a day alone; raises DocumentError."""
    try:
        found = datetime.fromisoformat(text) if re.fullmatch(WALL_TIME, text) else None
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise DocumentError(f"'{text[:64]}' is no wall time. Write it as 2026-03-02 09:00.", key)
    return found


def window(document: Mapping[str, Any], number: int = 0) -> Window:
    """An entry of `active`; without days every day, without hours the whole day. Raises DocumentError."""
    days = document.get("days") or DAYS
    unknown = [day for day in days if day not in DAYS]
    if unknown:
        raise DocumentError(f"'{unknown[0]}' is no day. Write {', '.join(DAYS)}.", "active", number, "days")
    begin, end = document.get("from", "00:00"), document.get("until", "24:00")
    return Window(frozenset(map(DAYS.index, days)), _minute(begin, number, "from"), _minute(end, number, "until"))


def _minute(text: str, number: int, key: str) -> int:
    match = _CLOCK.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1  # noqa: PLR2004 of an hour
    if not 0 <= minutes <= 24 * 60:
        raise DocumentError(f"'{text[:64]}' is no time of the day. Write it as 09:00.", "active", number, key)
    return minutes
