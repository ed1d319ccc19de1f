"""Says how far each person's clock was from UTC, and when, so that the database tells a night by it to the second."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fleetledger.lib.buckets import DAY, Window

SECOND = timedelta(seconds=1)
LATER = timedelta(days=30)
# The database's own table of zones may lack one that Python's has: only offsets are given to it.
WALLS = """
    unnest(%(people)s::bigint[], %(places)s::int[]) AS z (person_id, place)
    JOIN unnest(%(wall_places)s::int[], %(wall_from)s::timestamptz[], %(wall_until)s::timestamptz[],
        %(wall_offsets)s::interval[]) AS w (place, from_at, until_at, away) ON w.place = z.place"""


@dataclass(frozen=True, slots=True)
class Wall:
    """From `from_at` until before `until_at` clocks of a zone are `away` from UTC."""

    from_at: datetime
    until_at: datetime
    away: timedelta


def zone_or_utc(name: str) -> str:
    """A name that we know, else UTC."""
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        return "UTC"


def walls(name: str, window: Window) -> Iterator[Wall]:
    """The stretches of `window` between changes of this zone's clocks."""
    zone = ZoneInfo(name)
    from_at, at, away = window.start, window.start, _away(zone, window.start)
    while at < window.end:
        following = min(at + DAY, window.end)
        if _away(zone, following) != away:
            change_at = _change(zone, at, following)
            yield Wall(from_at, change_at, away)
            from_at, away, following = change_at, _away(zone, change_at), change_at
        at = following
    yield Wall(from_at, window.end, away)


def values(zones: Mapping[int, str], window: Window) -> dict[str, list[object]]:
    """What WALLS needs: for people by their ids, with the zones in which they live.

    A page of `window` may have been delivered later: the walls go on for LATER.
    """
    known = sorted(set(zones.values()))
    longer = Window(window.start, window.end + LATER)
    lines = [(place, wall) for place, name in enumerate(known) for wall in walls(name, longer)]
    return {
        "people": list(zones),
        "places": [known.index(name) for name in zones.values()],
        "wall_places": [place for place, _ in lines],
        "wall_from": [wall.from_at for _, wall in lines],
        "wall_until": [wall.until_at for _, wall in lines],
        "wall_offsets": [wall.away for _, wall in lines],
    }


def _away(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole second with another offset than `before`."""
    old, low, high = _away(zone, before), before.replace(microsecond=0), after
    while high - low > SECOND:
        middle = (low + (high - low) / 2).astimezone(UTC).replace(microsecond=0)
        if middle <= low:
            break
        low, high = (middle, high) if _away(zone, middle) == old else (low, middle)
    return high
