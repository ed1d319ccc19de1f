"""The fields that the simulated exporters give: DCGM's names, with each value as it stands on the wire."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetledger.demo.inventory import Node, Unit
from fleetledger.demo.work import Lease
from fleetledger.demo.world import GARBAGE_UTIL, World, memory_mib, slice_memory_mib

SM_PERCENT = {"training": 84, "batch": 71, "serving": 58, "interactive": 40}
TENSOR_PERCENT = {"training": 57, "batch": 38, "serving": 27, "interactive": 9}
DRAM_PERCENT = {"training": 49, "batch": 41, "serving": 53, "interactive": 17}
_OTHER_PERCENT = 33


@dataclass(frozen=True, slots=True)
class Moment:
    """One unit at one scrape, with what its metrics are computed from."""

    world: World
    node: Node
    unit: Unit
    lease: Lease
    at: int

    @property
    def activity(self) -> int:
        return self.world.rhythm(self.node).at(self.lease, self.unit, self.at)

    @property
    def kind(self) -> str:
        return self.lease.workload.kind if self.lease.workload else ""

    @property
    def power_mw(self) -> int:
        return self.world.power(self.node, self.unit.gpu, self.at)


@dataclass(frozen=True, slots=True)
class Metric:
    """`profiling` fields need DCGM's profiling module; a `whole` field is absent under MIG."""

    name: str
    kind: str
    help: str
    value: Callable[[Moment], str]
    profiling: bool = False
    whole: bool = False

    def is_given_by(self, node: Node, unit: Unit) -> bool:
        return (node.profiled or not self.profiling) and not (self.whole and unit.gi_id is not None)


def share_of_activity(percents: dict[str, int], kind: str) -> int:
    """In percent of the activity: how much of it the SMs, the tensor cores or the memory are busy."""
    return percents.get(kind, _OTHER_PERCENT)


def number(value: float) -> str:
    """As Prometheus writes a sample's value: the shortest digits that read back the same."""
    return str(int(value)) if value == int(value) else repr(value)


def _share(percents: dict[str, int]) -> Callable[[Moment], str]:
    return lambda m: number(m.activity * share_of_activity(percents, m.kind) / 100_000)


def _util(moment: Moment) -> str:
    garbage = moment.world.block(moment.node, moment.at).weather.garbage[moment.unit.gpu]
    return str(GARBAGE_UTIL if moment.at in garbage else (moment.activity + 9) // 10)


def _temperature(moment: Moment) -> str:
    return str(27 + moment.power_mw * 46 // (moment.node.board.idle_mw + 7000 * moment.node.board.slope_mw))


def _throttle(moment: Moment) -> str:
    """Bit 0: idle; bit 2: the power cap."""
    activity = moment.activity
    return "1" if activity == 0 else "4" if activity > 930 else "0"  # noqa: PLR2004 near the board's limit


def _memory_free(moment: Moment) -> str:
    mine = slice_memory_mib(moment.node, moment.unit)
    return str(mine - memory_mib(moment.node, moment.unit, moment.lease))


def _xid(moment: Moment) -> str:
    return str(moment.world.xid(moment.node, moment.unit.gpu, moment.at))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).",
               lambda m: str(m.node.board.sm_mhz if m.activity else 345)),
        Metric("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).",
               lambda m: str(m.node.board.memory_mhz)),
        Metric("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", _temperature),
        Metric("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", lambda m: number(m.power_mw / 1000)),
        Metric("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter",
               "Total energy consumption since boot (in mJ).",
               lambda m: str(m.world.counter(m.node, m.unit.gpu, m.at))),
        Metric("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", _util, whole=True),
        Metric("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).",
               lambda m: str(memory_mib(m.node, m.unit, m.lease))),
        Metric("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", _memory_free),
        Metric("DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).",
               lambda m: str(m.node.board.reserved_mib * m.unit.slices // 7)),
        Metric("DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered.", _xid),
        Metric("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "gauge", "Throttling reasons bitmask.", _throttle),
        Metric("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.",
               lambda m: number(m.activity / 1000), profiling=True),
        Metric("DCGM_FI_PROF_SM_ACTIVE", "gauge", "The ratio of cycles an SM has at least 1 warp assigned.",
               _share(SM_PERCENT), profiling=True),
        Metric("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor (HMMA) pipe is active.",
               _share(TENSOR_PERCENT), profiling=True),
        Metric("DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active.",
               _share(DRAM_PERCENT), profiling=True),
    )
}  # fmt: skip
