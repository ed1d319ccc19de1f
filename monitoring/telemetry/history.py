"""The door for history that is known by the hour: whole days of GPU hours go in at once, and are rolled up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry import partitions, rollup, storage
from monitoring.telemetry.inventory import Inventory
from monitoring.telemetry.models import NOBODY
from monitoring.telemetry.sources.readings import Batch, Holder, UnitKey

COLUMNS = tuple(name for name in storage.FACT_COLUMNS if name != "source_id")
TYPES = ["timestamptz", *["int8"] * 5, *["int8"] * 17, "bool"]


@dataclass(frozen=True, slots=True)
class HourRow:
    """An hour of one unit and holder (None: nobody). Times are GPU-microseconds, that is share x time.

    `gi_id` is None for a whole GPU and -1 for what no MIG slice covers. Nobody holds unallocated and unknown time.
    """

    gpu_uuid: str
    gi_id: int | None
    workload: Holder | None
    allocated_us: int = 0
    unallocated_us: int = 0
    unknown_us: int = 0
    busy_us: int = 0
    measured_us: int = 0
    sm_us: int = 0
    sm_measured_us: int = 0
    tensor_us: int = 0
    tensor_measured_us: int = 0
    dram_us: int = 0
    dram_measured_us: int = 0
    fb_used_mib_us: int = 0
    fb_measured_us: int = 0
    energy_uj: int | None = None
    rejected_samples: int = 0
    estimated: bool = False


def write_hours(
    source: Source,
    hours: Iterable[tuple[datetime, Sequence[HourRow]]],
    *,
    names: Batch,
    progress: Callable[[datetime, int], None] | None = None,
) -> int:
    """Replace the given hours, those of one day beside each other; gives the number of rows. Safe to run again.

    `names` tells devices, nodes and (by series with their first and last sample) since when GPUs exist. Each day is
    one transaction: hours, days and teams stand together or not at all.
    """
    with transaction.atomic():
        inventory = Inventory.load(source)
        inventory.learn(names)
    owners = storage.Owners(inventory)
    written = 0
    for day, group in groupby(hours, key=lambda item: floor(item[0], DAY)):
        written += _write_day(day, list(group), inventory, owners)
        if progress is not None:
            progress(day, written)
    return written


def _write_day(
    day: datetime, hours: list[tuple[datetime, Sequence[HourRow]]], inventory: Inventory, owners: storage.Owners
) -> int:
    span = Window(min(at for at, _ in hours), max(at for at, _ in hours) + HOUR)
    gpu_ids = [gpu.pk for gpu in inventory.gpus.values()]
    with transaction.atomic():
        partitions.ensure(span)
        _learn_holders(hours, inventory)
        rows = [_stored(at, row, inventory, owners) for at, held in hours for row in held]
        _delete([at for at, _ in hours], gpu_ids)
        _copy(rows)
        rollup.roll_up_team_hours(at for at, _ in hours)
        rollup.roll_up_days([day], gpu_ids)
        storage.bump_version()
        behind = Q(watermark_at__isnull=True) | Q(watermark_at__lt=span.end)
        Source.objects.filter(behind, pk=inventory.source.pk).update(watermark_at=span.end)
    return len(rows)


def _learn_holders(hours: list[tuple[datetime, Sequence[HourRow]]], inventory: Inventory) -> None:
    inventory.learn_workloads({row.workload for _, held in hours for row in held if row.workload is not None})


def _stored(at: datetime, row: HourRow, inventory: Inventory, owners: storage.Owners) -> tuple[Any, ...]:
    gpu = inventory.gpus[row.gpu_uuid]
    team_id, workload_id = None, NOBODY
    if row.workload is not None:
        workload_id = inventory.workloads[row.workload]
        team_id = owners.team_of(
            at,
            namespace=row.workload.namespace,
            workload=row.workload.workload,
            node=gpu.node.name if gpu.node else "",
            gpu_model=gpu.model,
        )
    unit_id = inventory.unit_id(UnitKey(row.gpu_uuid, row.gi_id))
    return (at, unit_id, workload_id, gpu.pk, gpu.node_id, team_id, *_sums(row))


def _sums(row: HourRow) -> Iterator[int | bool | None]:
    """In the order of storage.SUMS; history has no bridged time."""
    derived = {"observed_us": row.allocated_us + row.unallocated_us, "bridged_us": 0}
    for name in storage.SUMS:
        yield derived[name] if name in derived else getattr(row, name)


def _delete(hours: list[datetime], gpu_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM telemetry_gpuhour WHERE bucket = ANY(%s) AND gpu_id = ANY(%s)", [hours, gpu_ids])


def _copy(rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(COLUMNS)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY telemetry_gpuhour ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)
