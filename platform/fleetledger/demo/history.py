"""The world's hours as the integration of its samples gives them: who held what, how busy, with how much energy."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from fleetledger.demo.inventory import SLICES, Node, Unit
from fleetledger.demo.metrics import DRAM_PERCENT, SM_PERCENT, TENSOR_PERCENT, share_of_activity
from fleetledger.demo.work import GRID_S, Lease, Workload
from fleetledger.demo.world import World, memory_mib

FREE = -1  # gi_id of what no slice covers
_US = 1_000_000


@dataclass(slots=True)
class Sums:
    """One unit and holder over a window. Times are GPU-microseconds (share x time), energy is in microjoules."""

    gpu: int
    gi_id: int | None
    workload: Workload | None
    allocated_us: int = 0
    unallocated_us: int = 0
    unknown_us: int = 0
    busy_us: int = 0
    measured_us: int = 0
    sm_us: int = 0
    tensor_us: int = 0
    dram_us: int = 0
    profiled_us: int = 0
    fb_used_mib_us: int = 0
    fb_measured_us: int = 0
    energy_uj: int = 0
    rejected_samples: int = 0
    active_us: int = 0  # activity x time of the unit itself, rejected samples and all


@dataclass(frozen=True, slots=True)
class Hold:
    """Samples of [first, last) that hold [start, end): the same, or one step later where a silence begins."""

    start: int
    end: int
    shift: int = 0


def hours(world: World, node: Node, start: int, end: int) -> list[Sums]:
    """The node's sums of [start, end), a window of at most an hour on the five-minute grid."""
    holds = _holds(world, node, start, end)
    held = sum(hold.end - hold.start for hold in holds)
    is_disturbed = bool(world.silences(node, start, end + GRID_S))
    found: list[Sums] = []
    for gpu, units in enumerate(node.gpus):
        mine: list[Sums] = []
        for unit in units:
            mine += _unit(world, node, unit, holds)
        _complete(mine, gpu, units, held, end - start)
        if is_disturbed or not _share_steady_energy(node, units, mine, end - start):
            _share_energy(world, node, mine, holds, (start, end))
        found += mine
    return found


def _holds(world: World, node: Node, start: int, end: int) -> list[Hold]:
    """What samples hold of the window. The last one before a silence holds for two scrape intervals."""
    holds = [Hold(first, last) for first, last in world.heard(node, start, end)]
    quiet = [silence.start for silence in world.silences(node, start, end) if start <= silence.start]
    holds += [Hold(at, at + GRID_S, GRID_S) for at in quiet]
    return sorted(holds, key=lambda hold: hold.start)


def _unit(world: World, node: Node, unit: Unit, holds: list[Hold]) -> list[Sums]:
    by_holder: dict[Workload | None, Sums] = {}
    lane = node.lane_of[unit]
    for hold in holds:
        for lease, first, last in world.held(node, lane, hold.start - hold.shift, hold.end - hold.shift):
            sums = by_holder.setdefault(lease.workload, Sums(unit.gpu, unit.gi_id, lease.workload))
            held = _Held(world, node, unit, lease, first, last)
            _add(held, sums)
            _reject(held, sums, is_new=not hold.shift)
    return list(by_holder.values())


@dataclass(frozen=True, slots=True)
class _Held:
    """The samples of [first, last) of a unit, all of one lease."""

    world: World
    node: Node
    unit: Unit
    lease: Lease
    first: int
    last: int

    def busy_us(self, first: int, last: int) -> int:
        """Activity x time; exact, since activity is in permille."""
        return self.world.rhythm(self.node).total(self.lease, self.unit, first, last) * GRID_S * (_US // 1000)


def _add(held: _Held, sums: Sums) -> None:
    whole_us = (held.last - held.first) * _US
    if held.lease.workload is None:
        sums.unallocated_us += whole_us
    else:
        sums.allocated_us += whole_us
        active = held.busy_us(held.first, held.last)
        sums.busy_us += active
        sums.active_us += active
        if held.node.profiled:
            kind = held.lease.workload.kind
            sums.sm_us += active * share_of_activity(SM_PERCENT, kind) // 100
            sums.tensor_us += active * share_of_activity(TENSOR_PERCENT, kind) // 100
            sums.dram_us += active * share_of_activity(DRAM_PERCENT, kind) // 100
    sums.measured_us += whole_us
    sums.profiled_us += whole_us if held.node.profiled else 0
    sums.fb_measured_us += whole_us
    sums.fb_used_mib_us += memory_mib(held.node, held.unit, held.lease) * whole_us


def _reject(held: _Held, sums: Sums, *, is_new: bool) -> None:
    """A garbage value of field 203 is counted once; where 203 is all there is, its time is not measured."""
    if held.unit.gi_id is not None:
        return
    for at in held.world.block(held.node, held.first).weather.garbage[held.unit.gpu]:
        if held.first <= at < held.last:
            sums.rejected_samples += is_new
            if not held.node.profiled:
                sums.measured_us -= GRID_S * _US
                sums.busy_us -= held.busy_us(at, at + GRID_S)


def _complete(mine: list[Sums], gpu: int, units: tuple[Unit, ...], held: int, length: int) -> None:
    """Weigh slices by their share, add what no slice covers and what nobody saw; the GPU's time adds up exactly."""
    is_cut = units[0].gi_id is not None
    if is_cut:
        slices = {unit.gi_id: unit.slices for unit in units}
        exact = {
            at: Fraction((s.allocated_us + s.unallocated_us) * slices[s.gi_id], SLICES) for at, s in enumerate(mine)
        }
        for s in mine:
            for name in ("busy_us", "measured_us", "sm_us", "tensor_us", "dram_us", "profiled_us"):
                setattr(s, name, round(Fraction(getattr(s, name) * slices[s.gi_id], SLICES)))
        free = Sums(gpu, FREE, None)
        mine.append(free)
        exact[len(mine) - 1] = Fraction(held * _US * (SLICES - sum(slices.values())), SLICES)
        for at, whole in _largest_remainder(exact, held * _US).items():
            name = "allocated_us" if mine[at].workload else "unallocated_us"
            setattr(mine[at], name, whole)
    unseen = (length - held) * _US
    if unseen:
        target = next((s for s in mine if s.workload is None and (s.gi_id == FREE or not is_cut)), None)
        if target is None:
            target = Sums(gpu, None, None)
            mine.append(target)
        target.unknown_us += unseen
    mine[:] = [s for s in mine if s.allocated_us + s.unallocated_us + s.unknown_us]


def _largest_remainder(exact: dict[int, Fraction], total: int) -> dict[int, int]:
    whole = {at: int(weight) for at, weight in exact.items()}
    left = total - sum(whole.values())
    for at in sorted(exact, key=lambda at: (whole[at] - exact[at], at))[:left]:
        whole[at] += 1
    return whole


def _nobody(mine: list[Sums]) -> Sums:
    """Who gets what belongs to nobody: the whole GPU or what no slice covers, else the first free slice."""
    return min(mine, key=lambda s: (s.workload is not None, -2 if s.gi_id is None else s.gi_id))


def _share_steady_energy(node: Node, units: tuple[Unit, ...], mine: list[Sums], length: int) -> bool:
    """As `_share_energy` where no sample is missing, from activity alone. False where slices changed hands."""
    board = node.board
    if units[0].gi_id is None:
        for s in mine:
            held_us = s.allocated_us + s.unallocated_us
            s.energy_uj = board.idle_mw * held_us // 1000 + board.slope_mw * SLICES * s.active_us
        return True
    slices = {unit.gi_id: unit.slices for unit in units}
    holders = [s for s in mine if s.gi_id in slices]
    if len(holders) != len(units):
        return False
    whole = board.idle_mw * length * 1000 + sum(board.slope_mw * slices[s.gi_id] * s.active_us for s in holders)
    for s in holders:
        s.energy_uj = whole * slices[s.gi_id] // SLICES
    nobody = _nobody(mine)
    nobody.energy_uj += whole - sum(s.energy_uj for s in holders)
    return True


def _share_energy(world: World, node: Node, mine: list[Sums], holds: list[Hold], window: tuple[int, int]) -> None:
    """The counter's steps, shared as time is shared within each hold; unknown time and crumbs belong to nobody."""
    slices = {unit.gi_id: unit.slices for unit in node.units if unit.gpu == mine[0].gpu}
    by_holder = {(s.gi_id, s.workload): s for s in mine}
    gpu = mine[0].gpu
    left = energy_uj(world, node, gpu, *window)
    for hold in holds:
        for gi_id, share in slices.items():
            unit = next(u for u in node.gpus[gpu] if u.gi_id == gi_id)
            for lease, first, last in world.held(
                node, node.lane_of[unit], hold.start - hold.shift, hold.end - hold.shift
            ):
                used = energy_uj(world, node, gpu, first + hold.shift, last + hold.shift) * share // SLICES
                by_holder[gi_id, lease.workload].energy_uj += used
                left -= used
    nobody = _nobody(mine)
    nobody.energy_uj += left


def energy_uj(world: World, node: Node, gpu: int, start: int, end: int) -> int:
    """What the counter says of [start, end): a step over a silence is spread evenly, and starts anew after a cut."""
    total = 0
    for first, last, step in _steps(world, node, gpu, start, end):
        low, high = max(first, start), min(last, end)
        total += (
            step
            if (low, high) == (first, last)
            else step * (high - first) // (last - first) - (step * (low - first) // (last - first))
        )
    return total


def _steps(world: World, node: Node, gpu: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(from, to, microjoules) of the counter's steps that touch [start, end)."""
    at = start
    for silence in world.silences(node, start, end + GRID_S):
        before = silence.start - GRID_S
        if before > at:
            yield at, before, world.energy(node, gpu, at, before) * 1000
        used = 0 if silence.powerless else world.energy(node, gpu, before, silence.end)
        yield before, silence.end, used * 1000
        at = silence.end
    if at < end:
        yield at, end, world.energy(node, gpu, at, end) * 1000
