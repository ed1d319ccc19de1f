"""Writes the simulated fleet's past as hours of GPUs, newest days first, through telemetry's door for history."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from fleetledger.demo import history
from fleetledger.demo.history import Sums
from fleetledger.demo.inventory import Cluster, Node
from fleetledger.demo.work import GRID_S, Workload
from fleetledger.demo.world import World
from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry.history import HourRow, write_hours
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Series, UnitKey

AT_ONCE = timedelta(days=8)
_US = 1_000_000
Told = Callable[[datetime, int], None]


def fill(world: World, cluster: Cluster, source: Source, window: Window, told: Told) -> int:
    """Write the cluster's hours of `window` (aligned to hours), replacing what is there; gives the number of rows."""
    hours = ((hour.start, _rows(world, cluster, hour)) for hour in window.steps(HOUR))
    return write_hours(source, hours, names=_names(cluster, window), progress=told)


def stretches(window: Window) -> Iterator[Window]:
    """The window in parts of some days, newest first; parts meet at midnight."""
    end = window.end
    while end > window.start:
        start = max(window.start, floor(end - AT_ONCE, DAY))
        yield Window(start, end)
        end = start


def _rows(world: World, cluster: Cluster, hour: Window) -> Sequence[HourRow]:
    start = int(hour.start.timestamp())
    end = int(hour.end.timestamp())
    return [_row(node, sums) for node in cluster.nodes for sums in history.hours(world, node, start, end)]


def _row(node: Node, sums: Sums) -> HourRow:
    return HourRow(
        gpu_uuid=node.uuid(sums.gpu),
        gi_id=sums.gi_id,
        workload=_holder(sums.workload),
        allocated_us=sums.allocated_us,
        unallocated_us=sums.unallocated_us,
        unknown_us=sums.unknown_us,
        busy_us=sums.busy_us,
        measured_us=sums.measured_us,
        sm_us=sums.sm_us,
        sm_measured_us=sums.profiled_us,
        tensor_us=sums.tensor_us,
        tensor_measured_us=sums.profiled_us,
        dram_us=sums.dram_us,
        dram_measured_us=sums.profiled_us,
        fb_used_mib_us=sums.fb_used_mib_us,
        fb_measured_us=sums.fb_measured_us,
        energy_uj=sums.energy_uj,
        rejected_samples=sums.rejected_samples,
    )


def _holder(workload: Workload | None) -> Holder | None:
    return None if workload is None else Holder(workload.namespace, workload.pod, workload.kind, workload.owner)


def _names(cluster: Cluster, window: Window) -> Batch:
    """The cluster's nodes and devices; a unit exists from the window's first scrape to its last."""
    times = [int(window.start.timestamp()) * _US, (int(window.end.timestamp()) - GRID_S) * _US]
    batch = Batch(nodes={node.name: node.provider_id for node in cluster.nodes})
    for node in cluster.nodes:
        for unit in node.units:
            uuid = node.uuid(unit.gpu)
            batch.devices[uuid] = Device(uuid, node.board.model, node.name, str(unit.gpu))
            key = UnitKey(uuid, unit.gi_id)
            batch.series.append(Series(key, unit.profile, Field.GR_ACTIVE, "", None, list(times), [0.0, 0.0]))
    return batch
