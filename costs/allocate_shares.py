"""How a node's cost falls to those who held its GPUs: shares of any window, from held GPU-microseconds by hour."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from costs.models import AccountKind, Reason
from fleetledger.fleet.models import IdlePolicy
from fleetledger.fleet.pools import PoolResolver, PoolTerms
from fleetledger.lib.buckets import HOUR, MICROSECOND, Window, floor
from fleetledger.lib.money import split_whole
from monitoring.telemetry.reads import HeldHour

HOUR_US = HOUR // MICROSECOND
TOLERATED_US = 1_000_000  # telemetry rounds holds to microseconds: less than a second of a node's hour is no gap


class Bearing(NamedTuple):
    """Who bears a part, on which day, by which model and workload; the natural key of an allocation line."""

    kind: str
    team_id: int
    reason: str
    day: date
    gpu_model: str
    workload_id: int


class Held(NamedTuple):
    """What one holder had of a node's GPUs of one model in one hour."""

    kind: str
    team_id: int
    workload_id: int
    gpu_model: str


@dataclass(frozen=True, slots=True)
class MatchedNode:
    """A node that bill rows name. `gpus`: what it should have, None where nobody declared it."""

    id: int
    name: str
    cluster: str
    gpus: int | None


@dataclass(frozen=True, slots=True)
class Share:
    bearing: Bearing
    weight_us: int
    idle_us: int


class Driver:
    """Held time of some nodes in memory, by node and hour; gives the shares of a window."""

    def __init__(self, nodes: Collection[MatchedNode], pools: PoolResolver) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._pools = pools
        self._held: dict[tuple[int, datetime], dict[Held, list[int]]] = defaultdict(dict)
        self._gpus: dict[int, dict[int, tuple[datetime, datetime]]] = defaultdict(dict)
        self._pool_holders: Mapping[str, Mapping[int, int]] = {}
        self._shares: dict[tuple[int, datetime, datetime], tuple[Share, ...]] = {}

    def add(self, hour: HeldHour) -> None:
        if hour.node_id is None:
            return
        key = Held(hour.kind, hour.team_id or 0, hour.workload_id or 0, hour.gpu_model)
        sums = self._held[hour.node_id, hour.at].setdefault(key, [0, 0])
        sums[0] += hour.held_us
        sums[1] += max(0, hour.measured_us - hour.busy_us)
        first, last = self._gpus[hour.node_id].get(hour.gpu_id, (hour.at, hour.at))
        self._gpus[hour.node_id][hour.gpu_id] = (min(first, hour.at), max(last, hour.at))

    def share_idle(self, holders: Mapping[str, Mapping[int, int]]) -> None:
        """Who held how much of each pool whose idle time is shared, by the pool's name."""
        self._pool_holders = holders

    def shares(self, node_id: int, window: Window) -> tuple[Share, ...]:
        """Whole weights in GPU-microseconds, in a stable order; their sum is the denominator. Never empty.

        Declared GPUs, or else those ever seen in the window, that sent nothing for a time are `no-telemetry`.
        """
        key = (node_id, window.start, window.end)
        if key not in self._shares:
            self._shares[key] = self._build(self._nodes[node_id], window)
        return self._shares[key]

    def _build(self, node: MatchedNode, window: Window) -> tuple[Share, ...]:
        weights: dict[Bearing, list[int]] = defaultdict(lambda: [0, 0])
        for hour in window.steps(HOUR):
            part = hour.cut(window)
            overlap_us = part.duration_us if part else 0
            existing_us = 0
            for held, (held_us, idle_us) in self._held.get((node.id, hour.start), {}).items():
                own_us = held_us * overlap_us // HOUR_US
                existing_us += own_us
                self._bear(weights, node, held, hour.start.date(), (own_us, idle_us * overlap_us // HOUR_US))
            expected_us = self._expected_gpus(node, window) * overlap_us
            if expected_us - existing_us > TOLERATED_US:
                _put(weights, _unallocated(Reason.NO_TELEMETRY, hour.start.date()), expected_us - existing_us, 0)
        if not weights:
            _put(weights, _unallocated(Reason.NO_TELEMETRY, window.start.date()), 1, 0)
        return tuple(Share(bearing, *weights[bearing]) for bearing in sorted(weights) if weights[bearing][0])

    def _expected_gpus(self, node: MatchedNode, window: Window) -> int:
        if node.gpus is not None:
            return node.gpus
        seen = self._gpus.get(node.id, {}).values()
        return sum(first < window.end and last + HOUR > window.start for first, last in seen) or 1

    def _bear(
        self, weights: dict[Bearing, list[int]], node: MatchedNode, held: Held, day: date, own: tuple[int, int]
    ) -> None:
        own_us, idle_us = own
        if held.kind == "allocated":
            bearing = Bearing(AccountKind.TEAM, held.team_id, "", day, held.gpu_model, held.workload_id)
            _put(weights, bearing, own_us, idle_us)
        elif held.kind == "unowned":
            bearing = Bearing(AccountKind.UNALLOCATED, 0, Reason.NO_OWNER, day, held.gpu_model, held.workload_id)
            _put(weights, bearing, own_us, idle_us)
        elif held.kind == "unallocated":
            pool = self._pools.pool_for(node.cluster, node.name, held.gpu_model)
            for team_id, part_us in self._idle_parts(pool, own_us):
                kind = AccountKind.TEAM if team_id else AccountKind.IDLE
                _put(weights, Bearing(kind, team_id, "", day, held.gpu_model, 0), part_us, part_us)
        else:
            _put(weights, _unallocated(Reason.NO_TELEMETRY, day, held.gpu_model), own_us, 0)

    def _idle_parts(self, pool: PoolTerms | None, own_us: int) -> list[tuple[int, int]]:
        """Idle time to (team or 0 for the idle account, part), by the pool's policy."""
        if pool is not None and pool.idle == IdlePolicy.OWNER and pool.owner_id is not None:
            return [(pool.owner_id, own_us)]
        holders = self._pool_holders.get(pool.name, {}) if pool is not None and pool.idle == IdlePolicy.SHARE else {}
        if not sum(holders.values()):
            return [(0, own_us)]
        teams = sorted(holders)
        return list(zip(teams, split_whole(own_us, [holders[team] for team in teams]), strict=True))


def pool_holders(
    hours: Iterable[HeldHour], nodes: Mapping[int, MatchedNode], pools: PoolResolver
) -> dict[str, dict[int, int]]:
    """Held time by team of each pool whose idle time is shared."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for hour in hours:
        node = nodes.get(hour.node_id or 0)
        if hour.kind != "allocated" or node is None or hour.team_id is None:
            continue
        pool = pools.pool_for(node.cluster, node.name, hour.gpu_model)
        if pool is not None and pool.idle == IdlePolicy.SHARE:
            found[pool.name][hour.team_id] += hour.held_us
    return found


def hours_of(start: datetime, end: datetime) -> Window:
    """The whole hours that touch [start, end); one hour where it is empty."""
    first = floor(start, HOUR)
    last = floor(max(end, start + MICROSECOND) - MICROSECOND, HOUR) + HOUR
    return Window(first, last)


def at_least_a_moment(start: datetime, end: datetime) -> Window:
    """The window of a charge; one of no length counts as the hour it lies in."""
    if end > start:
        return Window(start, end)
    first = floor(start, HOUR)
    return Window(first, first + timedelta(hours=1))


def _put(weights: dict[Bearing, list[int]], bearing: Bearing, own_us: int, idle_us: int) -> None:
    sums = weights[bearing]
    sums[0] += own_us
    sums[1] += idle_us


def _unallocated(reason: str, day: date, gpu_model: str = "") -> Bearing:
    return Bearing(AccountKind.UNALLOCATED, 0, reason, day, gpu_model, 0)
