"""Who is on call, worked out slowly and by no code of the product: what tests compare with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTHS = {"day": 24, "week": 168, "12h": 12, "1h": 1, "3d": 72, "2w": 336, "90m": 1.5, "8h": 8}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    from_at: datetime
    until_at: datetime
    person: str


@dataclass(frozen=True)
class SlowSchedule:
    """`time_zone` and `layers` as the configuration has them; the last of `changes` was made last."""

    time_zone: str
    layers: Sequence[Mapping[str, Any]]
    changes: Sequence[Change] = ()
    hand_overs: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def walk(self) -> None:
        for layer in self.layers:
            self._hand_overs(layer, layer.get("time_zone", self.time_zone))

    def at(self, at: datetime) -> tuple[tuple[str, ...], str]:
        """The people and the source."""
        for change in reversed(self.changes):
            if change.from_at <= at < change.until_at:
                return (change.person,), "override"
        for layer in reversed(self.layers):
            people = self._of_layer(layer, at)
            if people:
                return people, f"layer {layer['name']}"
        return (), "gap"

    def _of_layer(self, layer: Mapping[str, Any], at: datetime) -> tuple[str, ...]:
        zone = layer.get("time_zone", self.time_zone)
        begun = np.nonzero(self._hand_overs(layer, zone) <= micros(at))[0]
        if not len(begun) or ("until" in layer and at >= to_utc(layer["until"], zone)):
            return ()
        if "active" in layer and not any(_is_open(one, zone, at) for one in layer["active"]):
            return ()
        people = layer["people"][int(begun.max()) % len(layer["people"])]
        return (people,) if isinstance(people, str) else tuple(people)

    def _hand_overs(self, layer: Mapping[str, Any], zone: str) -> npt.NDArray[np.int64]:
        """Every hand-over until 2030, walked through one by one."""
        if layer["name"] not in self.hand_overs:
            local, found = datetime.fromisoformat(layer["start"]), []
            while local.year < 2030:
                found.append(micros(to_utc(local.isoformat(), zone)))
                local += timedelta(hours=LENGTHS[layer["every"]])
            self.hand_overs[layer["name"]] = np.array(found, dtype=np.int64)
        return self.hand_overs[layer["name"]]


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


@cache
def to_utc(text: str, zone_name: str) -> datetime:
    """RFC 5545: the first instant with this on the wall; where there is none, with the offset from before the gap."""
    local, zone = datetime.fromisoformat(text), ZoneInfo(zone_name)
    shown = [local.replace(tzinfo=UTC) - offset for offset in _offsets(local, zone)]
    right = [at for at in shown if at.astimezone(zone).replace(tzinfo=None) == local]
    return min(right) if right else local.replace(tzinfo=UTC) - _offsets(local, zone)[0]


def _offsets(local: datetime, zone: ZoneInfo) -> list[timedelta]:
    """Those of the days around, the earliest first."""
    around = [local.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in (-30, 30)]
    return [at.astimezone(zone).utcoffset() or timedelta() for at in around]


def _is_open(active: Mapping[str, Any], zone: str, at: datetime) -> bool:
    midnight = at.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = active.get("days", DAY_NAMES)
    for back in range(-1, 4):
        day = midnight - timedelta(days=back)
        begin, end = _clock(day, active.get("from", "00:00")), _clock(day, active.get("until", "24:00"))
        end += timedelta(days=1) if end <= begin else timedelta()
        opens_at, closes_at = to_utc(begin.isoformat(), zone), to_utc(end.isoformat(), zone)
        if DAY_NAMES[day.weekday()] in days and opens_at <= at < closes_at:
            return True
    return False


def _clock(day: datetime, text: str) -> datetime:
    return day + timedelta(hours=int(text[:2]), minutes=int(text[3:]))
