"""What each component is at an instant, and why, in a sentence: what was not seen lately is unknown, never up."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.lib.buckets import to_us
from monitoring.availability import timelines
from monitoring.availability.states import State
from monitoring.availability.tree import Tree

STALE_AFTER = 2.5
"""Intervals without a slot after which nothing is known any more."""
SHORTEST_S = 5
"""Probes are asked no more often than this, however short their slots are."""
NEVER = "It has never been seen."


@dataclass(frozen=True, slots=True)
class Last:
    """The last slot of a series that is expected."""

    probe_id: int
    labels: Mapping[str, str]
    state: State
    detail: str
    at: datetime
    interval_s: int

    @property
    def stale_at(self) -> datetime:
        """Until then its last word holds."""
        return self.at + timedelta(seconds=STALE_AFTER * max(self.interval_s, SHORTEST_S))


@dataclass(frozen=True, slots=True)
class Look:
    """A probe with what it sees now. `failure`: why it could not be asked."""

    probe_id: int
    name: str
    failure: str
    series: tuple[Last, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """`why`: one sentence, empty where it is up. `seen_at`: the last slot of anything that it stands on."""

    state: State
    why: str
    seen_at: datetime | None


def tiles(
    tree: Tree, looks: Mapping[int, Sequence[Look]], now: datetime, wanted: Iterable[int] | None = None
) -> dict[int, Tile]:
    """Every component of the tree, or those that are `wanted` with all below them."""
    found: dict[int, Tile] = {}
    for component_id in tree.nodes if wanted is None else wanted:
        _tile(component_id, tree, looks, now, found)
    return found


def current(last: Last, now: datetime) -> State:
    return last.state if now <= last.stale_at else State.UNKNOWN


def _tile(
    component_id: int, tree: Tree, looks: Mapping[int, Sequence[Look]], now: datetime, found: dict[int, Tile]
) -> Tile:
    if component_id not in found:
        children = tree.children.get(component_id, ())
        below = {tree.nodes[child].name: _tile(child, tree, looks, now, found) for child in children}
        own = _own(looks.get(component_id, ()), None if below else tree.nodes[component_id].needs, now)
        parts = [own, _service(below, tree.nodes[component_id].needs or 1) if below else None]
        tile = _worst([part for part in parts if part is not None])
        seen_at = max(filter(None, [tile.seen_at, *(one.seen_at for one in below.values())]), default=None)
        now_us = to_us(now)
        if any(low <= now_us < high for low, high in tree.planned(component_id)):
            tile = Tile(State.MAINTENANCE, "Planned work.", seen_at)
        found[component_id] = Tile(tile.state, tile.why, seen_at)
    return found[component_id]


def _own(looks: Sequence[Look], needs: int | None, now: datetime) -> Tile | None:
    """Of its own probes; None where it has none."""
    if not looks:
        return None
    if needs is None:
        return _worst([_probe(look, now) for look in looks])
    series = [item for look in looks for item in look.series]
    counts = timelines.count(current(item, now) for item in series)
    state = timelines.service(needs)(counts) or State.UNKNOWN
    words = _few(series, now) or next((look.failure for look in looks if look.failure), NEVER)
    why = "" if state is State.UP else f"{counts[State.UP]} of {len(series)} healthy, {needs} needed. {words}"
    return Tile(state, why, max((item.at for item in series), default=None))


def _probe(look: Look, now: datetime) -> Tile:
    """Of one probe: all that it sees together."""
    seen_at = max((item.at for item in look.series), default=None)
    if not look.series:
        return Tile(State.UNKNOWN, look.failure or NEVER, None)
    counts = timelines.count(current(item, now) for item in look.series)
    state = timelines.all_alike(counts) or State.UNKNOWN
    if state is State.UNKNOWN and look.failure:
        return Tile(state, look.failure, seen_at)
    prefix = f"{counts[State.UP]} of {len(look.series)} are up. " if len(look.series) > 1 else ""
    return Tile(state, "" if state is State.UP else prefix + _few(look.series, now), seen_at)


def _few(series: Sequence[Last], now: datetime) -> str:
    """The worst of them in words."""
    by_state: dict[State, list[Last]] = defaultdict(list)
    for item in series:
        by_state[current(item, now)].append(item)
    for state in (State.DOWN, State.UNKNOWN, State.DEGRADED, State.MAINTENANCE, State.IDLE):
        if by_state[state]:
            item = max(by_state[state], key=lambda one: one.at)
            return _said(item, state)
    return ""


def _said(item: Last, state: State) -> str:
    if state is State.UNKNOWN:
        return f"No sample since {item.at:%Y-%m-%d %H:%M:%S}Z."
    if state is State.IDLE:
        return item.detail or "There was no traffic."
    return item.detail or f"It is {state.label.lower()}."


def _service(below: Mapping[str, Tile], needs: int) -> Tile:
    counts = timelines.count(tile.state for tile in below.values())
    state = timelines.service(needs)(counts) or State.UNKNOWN
    worst = min(below, key=lambda name: (_PLACE[below[name].state], name))
    said = f"{worst}: {below[worst].why or below[worst].state.label}"
    healthy = f"{counts[State.UP]} of {len(below)} healthy, {needs} needed."
    return Tile(state, "" if state is State.UP else f"{healthy} {said}", None)


def _worst(parts: Sequence[Tile]) -> Tile:
    if not parts:
        return Tile(State.UNKNOWN, "It has no probe.", None)
    worst = min(parts, key=lambda tile: _PLACE[tile.state])
    return Tile(worst.state, worst.why, max(filter(None, (tile.seen_at for tile in parts)), default=None))


_PLACE = {
    state: place
    for place, state in enumerate((State.DOWN, State.UNKNOWN, State.DEGRADED, State.UP, State.MAINTENANCE, State.IDLE))
}
