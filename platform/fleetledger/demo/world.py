"""The simulated fleet at any instant: a pure function of the unit and the time, with exact sums over any stretch."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from fleetledger.demo.activity import Rhythm
from fleetledger.demo.inventory import Cluster, Node, Unit, clusters
from fleetledger.demo.weather import SEED, Silence, Weather, block_of, weather
from fleetledger.demo.work import GRID_S, HOUR_S, Lease, Workload, leases

GARBAGE_UTIL = 808334905
_KEPT_BLOCKS = 160


@dataclass(frozen=True, slots=True)
class Sample:
    """What one scrape says of a unit. Activity in permille; `util` is the raw field 203, garbage included."""

    workload: Workload | None
    activity: int
    util: int
    memory_mib: int
    power_mw: int
    energy_mj: int
    xid: int


@dataclass(slots=True)
class Block:
    """A node between two maintenance days: its weather, and who holds each lane."""

    weather: Weather
    lanes: list[list[Lease]]
    starts: list[list[int]]
    energy: dict[int, list[int]] = field(default_factory=dict)  # per GPU: mJ from the block's start to each hour

    def lease(self, lane: int, at: int) -> Lease:
        return self.lanes[lane][bisect_right(self.starts[lane], at) - 1]


class World:
    """All state is computed when asked for; the last few blocks are kept, so that memory is bounded."""

    def __init__(self) -> None:
        self.clusters: tuple[Cluster, ...] = clusters()
        self._blocks: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._lock = Lock()
        self._offsets = {cluster.name: cluster.utc_offset_h for cluster in self.clusters}
        self._rhythms = {
            (cluster.name, coarse): Rhythm(cluster.utc_offset_h, coarse=coarse)
            for cluster in self.clusters
            for coarse in (False, True)
        }

    def nodes(self) -> Iterator[Node]:
        for cluster in self.clusters:
            yield from cluster.nodes

    def rhythm(self, node: Node) -> Rhythm:
        return self._rhythms[node.cluster, not node.profiled]

    def block(self, node: Node, at: int) -> Block:
        name = (node.index, block_of(node, at))
        with self._lock:
            block = self._blocks.get(name)
            if block is None:
                block = self._blocks[name] = self._make(node, name[1])
                if len(self._blocks) > _KEPT_BLOCKS:
                    self._blocks.popitem(last=False)
            else:
                self._blocks.move_to_end(name)
        return block

    def held(self, node: Node, lane: int, start: int, end: int) -> Iterator[tuple[Lease, int, int]]:
        """The leases of a lane that touch [start, end), over as many blocks as it takes, with each one's part."""
        while start < end:
            block = self.block(node, start)
            stop = min(end, block.weather.end)
            yield from held(block, lane, start, stop)
            start = stop

    def is_silent(self, node: Node, at: int) -> bool:
        """Whether the scrape at `at` brought nothing."""
        return _silence_at(self.block(node, at).weather, at) is not None

    def is_off(self, node: Node, at: int) -> bool:
        silence = _silence_at(self.block(node, at).weather, at)
        return silence is not None and silence.powerless

    def scrapes(self, node: Node, start: int, end: int) -> list[int]:
        """The instants of [start, end) (both on the grid) whose scrapes brought something."""
        times: list[int] = []
        for first, last in self.heard(node, start, end):
            times.extend(range(first, last, GRID_S))
        return times

    def heard(self, node: Node, start: int, end: int) -> Iterator[tuple[int, int]]:
        """[start, end) without its silences."""
        for silence in self.silences(node, start, end):
            if silence.start > start:
                yield start, silence.start
            start = silence.end
        if start < end:
            yield start, end

    def silences(self, node: Node, start: int, end: int) -> list[Silence]:
        """Those that touch [start, end), in order."""
        found: list[Silence] = []
        while start < end:
            conditions = self.block(node, start).weather
            stop = min(end, conditions.end)
            at = bisect_right(conditions.silences, start, key=lambda silence: silence.end)
            while at < len(conditions.silences) and conditions.silences[at].start < stop:
                found.append(conditions.silences[at])
                at += 1
            start = stop
        return found

    def sample(self, node: Node, unit: Unit, at: int) -> Sample | None:
        """What the scrape at `at` (a multiple of 30 s) says of `unit`; None where the scrape brought nothing."""
        block = self.block(node, at)
        if _silence_at(block.weather, at) is not None:
            return None
        lease = block.lease(node.lane_of[unit], at)
        activity = self.rhythm(node).at(lease, unit, at)
        garbage = at in block.weather.garbage[unit.gpu]
        return Sample(
            workload=lease.workload,
            activity=activity,
            util=GARBAGE_UTIL if garbage else (activity + 9) // 10,
            memory_mib=memory_mib(node, unit, lease),
            power_mw=self.power(node, unit.gpu, at),
            energy_mj=self.counter(node, unit.gpu, at),
            xid=self.xid(node, unit.gpu, at),
        )

    def xid(self, node: Node, gpu: int, at: int) -> int:
        """The last code since the driver was loaded: it sticks until the node is switched on anew."""
        conditions = self.block(node, at).weather
        since = max((s.end for s in conditions.silences if s.powerless and s.end <= at), default=conditions.start)
        return next((code for t, code in reversed(conditions.xids[gpu]) if since <= t <= at), 0)

    def power(self, node: Node, gpu: int, at: int) -> int:
        """Milliwatts in [at, at + 30 s)."""
        return self.energy(node, gpu, at, at + GRID_S) // GRID_S

    def counter(self, node: Node, gpu: int, at: int) -> int:
        """The energy counter: millijoules since the node was last switched on."""
        conditions = self.block(node, at).weather
        ups = [silence.end for silence in conditions.silences if silence.powerless and silence.end <= at]
        return self.energy(node, gpu, ups[-1], at) if ups else 0

    def energy(self, node: Node, gpu: int, start: int, end: int) -> int:
        """Millijoules drawn in [start, end), which lies within one block (its end included)."""
        if end - start <= HOUR_S:
            return self._drawn(node, gpu, self.block(node, start), start, end)
        block = self.block(node, start)
        return self._since_block_start(node, gpu, block, end) - self._since_block_start(node, gpu, block, start)

    def _since_block_start(self, node: Node, gpu: int, block: Block, at: int) -> int:
        first = block.weather.start // HOUR_S
        marks = block.energy.get(gpu)
        if marks is None:
            marks = [0]
            for hour in range(first, block.weather.end // HOUR_S):
                marks.append(marks[-1] + self._drawn(node, gpu, block, hour * HOUR_S, (hour + 1) * HOUR_S))
            block.energy[gpu] = marks
        hour = at // HOUR_S
        return marks[hour - first] + self._drawn(node, gpu, block, hour * HOUR_S, at)

    def _drawn(self, node: Node, gpu: int, block: Block, start: int, end: int) -> int:
        """As `energy`, by adding up leases: power is linear in activity, so each hour is one step."""
        rhythm, board, total = self.rhythm(node), node.board, 0
        for first, last in _powered(block.weather, start, end):
            total += board.idle_mw * (last - first)
            for unit in node.gpus[gpu]:
                lane = node.lane_of[unit]
                for lease, begin, stop in held(block, lane, first, last):
                    if lease.workload is not None:
                        total += board.slope_mw * unit.slices * GRID_S * rhythm.total(lease, unit, begin, stop)
        return total

    def _make(self, node: Node, number: int) -> Block:
        conditions = weather(node, number)
        offset = self._offsets[node.cluster]
        lanes = [
            leases(lane, conditions.start, conditions.end, offset, SEED, 5, node.index, at, number)
            for at, lane in enumerate(node.lanes)
        ]
        return Block(conditions, lanes, [[lease.start for lease in lane] for lane in lanes])


def held(block: Block, lane: int, start: int, end: int) -> Iterator[tuple[Lease, int, int]]:
    """The leases of a lane that touch [start, end), with the part of it that each has."""
    at = bisect_right(block.starts[lane], start) - 1
    book = block.lanes[lane]
    while at < len(book) and book[at].start < end:
        yield book[at], max(start, book[at].start), min(end, book[at].end)
        at += 1


def memory_mib(node: Node, unit: Unit, lease: Lease) -> int:
    """Frame buffer in use: steady while somebody holds the unit."""
    mine = slice_memory_mib(node, unit)
    return mine * (35 + lease.seed % 60) // 100 if lease.workload else 4


def slice_memory_mib(node: Node, unit: Unit) -> int:
    """What a unit can use: a MIG slice has the memory of its profile's name."""
    if unit.gi_id is None:
        return node.board.memory_mib - node.board.reserved_mib
    return int(unit.profile.split(".")[1].removesuffix("gb")) * 972


def _silence_at(conditions: Weather, at: int) -> Silence | None:
    found = bisect_right(conditions.silences, at, key=lambda silence: silence.start) - 1
    return conditions.silences[found] if found >= 0 and at < conditions.silences[found].end else None


def _powered(conditions: Weather, start: int, end: int) -> Iterator[tuple[int, int]]:
    for silence in conditions.silences:
        if silence.powerless and silence.end > start and silence.start < end:
            if silence.start > start:
                yield start, silence.start
            start = silence.end
    if start < end:
        yield start, end
