"""Writes facts by binary COPY: what a window held for its GPUs is deleted and written anew, in one transaction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from fleetledger.fleet.models import Source
from fleetledger.fleet.ownership import Resolver
from fleetledger.fleet.pools import PoolResolver
from fleetledger.lib.buckets import BUCKET, HOUR, Window, floor, from_us, to_us
from monitoring.telemetry import partitions
from monitoring.telemetry.assemble import GpuBucket
from monitoring.telemetry.energy import Counter, Step
from monitoring.telemetry.integrate import Fact
from monitoring.telemetry.inventory import Inventory
from monitoring.telemetry.models import NOBODY, SourceNote

SUMS = (
    "allocated_us", "unallocated_us", "unknown_us", "observed_us", "busy_us", "measured_us", "sm_us", "sm_measured_us",
    "tensor_us", "tensor_measured_us", "dram_us", "dram_measured_us", "fb_used_mib_us", "fb_measured_us", "energy_uj",
    "bridged_us", "rejected_samples", "estimated",
)  # fmt: skip
FACT_COLUMNS = ("bucket", "unit_id", "workload_id", "gpu_id", "node_id", "team_id", "source_id", *SUMS)
FACT_TYPES = ["timestamptz", "int8", "int8", "int8", "int8", "int8", "int8", *["int8"] * 17, "bool"]
READING_COLUMNS = (
    "bucket", "gpu_id", "source_id", "existence_us", "observed_us", "rejected_samples", "replica",
    "first_counter_at", "first_counter_uj", "last_counter_at", "last_counter_uj", "counted_until_at",
)  # fmt: skip
READING_TYPES = [
    "timestamptz", "int8", "int8", "int8", "int8", "int4", "varchar",
    "timestamptz", "int8", "timestamptz", "int8", "timestamptz",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counters:
    """Each GPU's last counter sample before a window and its first after it, in microseconds and microjoules."""

    before: dict[int, tuple[int, int]]
    after: dict[int, tuple[int, int]]


class Owners:
    """Whose a workload's time is, by the rules in force; asked once per workload, node and day."""

    def __init__(self, inventory: Inventory) -> None:
        self._resolver = Resolver.load()
        self._pools = PoolResolver.load()
        self._cluster = inventory.cluster.name

    def team_of(self, at: datetime, *, namespace: str, workload: str, node: str, gpu_model: str) -> int | None:
        pool = self._pools.pool_for(self._cluster, node, gpu_model)
        return self._resolver.team_for(
            at,
            cluster=self._cluster,
            namespace=namespace,
            workload=workload,
            node=node,
            gpu_model=gpu_model,
            pool=pool.name if pool else "",
        )


def replace(window: Window, found: Sequence[GpuBucket], inventory: Inventory) -> int:
    """Facts of `found` in place of all that the window held for the inventory's GPUs; gives how many.

    A bucket that was seen before and of which the source has nothing left stays: its samples are gone, not its truth.
    """
    partitions.ensure(window)
    owners = Owners(inventory)
    gpu_ids = sorted({inventory.gpus[bucket.uuid].pk for bucket in found})
    kept = _seen_before(window, [bucket for bucket in found if not bucket.reading.observed_us], inventory)
    found = [bucket for bucket in found if (bucket.at, inventory.gpus[bucket.uuid].pk) not in kept]
    rows = [row for bucket in found for row in _fact_rows(bucket, inventory, owners)]
    delete(window, gpu_ids, kept)
    _copy("telemetry_fact", FACT_COLUMNS, FACT_TYPES, rows)
    _copy("telemetry_reading", READING_COLUMNS, READING_TYPES, (_reading_row(bucket, inventory) for bucket in found))
    bump_version()
    return len(rows)


def delete(window: Window, gpu_ids: Collection[int], kept: Collection[tuple[datetime, int]] = ()) -> None:
    """Remove what the window holds for these GPUs, but for the (bucket, GPU) pairs of `kept`."""
    wanted: list[datetime | list[int] | list[datetime]] = [window.start, window.end, list(gpu_ids)]
    but = ""
    if kept:
        but = " AND (bucket, gpu_id) NOT IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))"
        wanted += [[at for at, _ in kept], [gpu_id for _, gpu_id in kept]]
    for table in ("telemetry_fact", "telemetry_reading"):
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE bucket >= %s AND bucket < %s AND gpu_id = ANY(%s){but}",  # noqa: S608
                wanted,
            )


def _seen_before(window: Window, unseen: Sequence[GpuBucket], inventory: Inventory) -> frozenset[tuple[datetime, int]]:
    """Of these buckets, the (bucket, GPU) pairs that an earlier read saw."""
    if not unseen:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bucket, gpu_id FROM telemetry_reading WHERE bucket >= %s AND bucket < %s AND gpu_id = ANY(%s)"
            " AND observed_us > 0",
            [window.start, window.end, sorted({inventory.gpus[bucket.uuid].pk for bucket in unseen})],
        )
        seen = frozenset(cursor.fetchall())
    return seen & {(bucket.at, inventory.gpus[bucket.uuid].pk) for bucket in unseen}


def counters_around(window: Window, gpu_ids: Collection[int]) -> Counters:
    """What earlier and later reads know of the counters, however old; one index look-up per GPU and side."""
    before = _counters(
        "SELECT g.id, r.last_counter_at, r.last_counter_uj FROM unnest(%s::bigint[]) AS g(id) CROSS JOIN LATERAL ("
        " SELECT last_counter_at, last_counter_uj FROM telemetry_reading WHERE gpu_id = g.id AND bucket < %s"
        " AND last_counter_at IS NOT NULL ORDER BY bucket DESC LIMIT 1) r",
        gpu_ids,
        window.start,
    )
    after = _counters(
        "SELECT g.id, r.first_counter_at, r.first_counter_uj FROM unnest(%s::bigint[]) AS g(id) CROSS JOIN LATERAL ("
        " SELECT first_counter_at, first_counter_uj FROM telemetry_reading WHERE gpu_id = g.id AND bucket >= %s"
        " AND first_counter_at IS NOT NULL ORDER BY bucket LIMIT 1) r",
        gpu_ids,
        window.end,
    )
    return Counters(before, after)


def settle_energy(window: Window, counters: Iterable[tuple[str, Counter]], inventory: Inventory) -> set[datetime]:
    """Give earlier buckets what the window's first step says of them, once; gives the hours that changed."""
    start_us = to_us(window.start)
    open_steps = {}
    for uuid, counter in counters:
        step = next((step for step in counter.steps if step.start_us < start_us < step.end_us), None)
        if step is not None:
            open_steps[inventory.gpus[uuid].pk] = step
    if not open_steps:
        return set()
    open_steps = {pk: open_steps[pk] for pk in _read_between(open_steps, window.start)}
    counted = _counted_until(window.start, list(open_steps)) if open_steps else {}
    hours: set[datetime] = set()
    for gpu_id, step in open_steps.items():
        since_us = max(step.start_us, to_us(counted[gpu_id]) if gpu_id in counted else step.start_us)
        if since_us < start_us:
            for bucket in Window(from_us(since_us), window.start).steps(BUCKET):
                low, high = max(since_us, to_us(bucket.start)), min(start_us, to_us(bucket.end))
                if _add_energy(gpu_id, bucket, step.until(high) - step.until(low)):
                    hours.add(floor(bucket.start, HOUR))
    return hours


def keep_notes(source: Source, notes: Iterable[str], at: datetime) -> None:
    for text in notes:
        note, is_new = SourceNote.objects.get_or_create(
            source=source, text=text[:500], defaults={"first_at": at, "last_at": at}
        )
        if not is_new:
            SourceNote.objects.filter(pk=note.pk).update(count=F("count") + 1, last_at=at)


def bump_version() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO telemetry_dataversion (name, version) VALUES ('facts', 1)"
            " ON CONFLICT (name) DO UPDATE SET version = telemetry_dataversion.version + 1"
        )


def _fact_rows(bucket: GpuBucket, inventory: Inventory, owners: Owners) -> Iterator[tuple[Any, ...]]:
    gpu = inventory.gpus[bucket.uuid]
    rejected = bucket.reading.rejected_samples
    for fact in bucket.reading.facts:
        team_id, workload_id = None, NOBODY
        if fact.holder is not None:
            workload_id = inventory.workloads[fact.holder]
            team_id = owners.team_of(
                bucket.at,
                namespace=fact.holder.namespace,
                workload=fact.holder.workload,
                node=gpu.node.name if gpu.node else "",
                gpu_model=gpu.model,
            )
        fact.rejected_samples, rejected = rejected, 0
        yield (
            bucket.at,
            inventory.unit_id(fact.unit),
            workload_id,
            gpu.pk,
            gpu.node_id,
            team_id,
            inventory.source.pk,
            *_sums(fact),
        )


def _sums(fact: Fact) -> Iterator[int | bool | None]:
    return (getattr(fact, name) for name in SUMS)


def _reading_row(bucket: GpuBucket, inventory: Inventory) -> tuple[Any, ...]:
    first, last = bucket.first_counter, bucket.last_counter
    return (
        bucket.at,
        inventory.gpus[bucket.uuid].pk,
        inventory.source.pk,
        bucket.existence_us,
        bucket.reading.observed_us,
        bucket.reading.rejected_samples,
        bucket.reading.replica[:200],
        from_us(first[0]) if first else None,
        first[1] if first else None,
        from_us(last[0]) if last else None,
        last[1] if last else None,
        from_us(bucket.counted_until_us) if bucket.counted_until_us is not None else None,
    )


def _copy(table: str, columns: Sequence[str], types: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _counters(sql: str, gpu_ids: Collection[int], at: datetime) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(gpu_ids), at])
        return {gpu_id: (to_us(sample_at), energy) for gpu_id, sample_at, energy in cursor.fetchall()}


def _read_between(open_steps: Mapping[int, Step], at: datetime) -> list[int]:
    """The GPUs with a bucket between their step's start and `at`: the others have nothing to settle."""
    starts = [floor(from_us(step.start_us), BUCKET) for step in open_steps.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.id FROM unnest(%s::bigint[], %s::timestamptz[]) AS g(id, since) WHERE EXISTS ("
            " SELECT 1 FROM telemetry_reading r WHERE r.gpu_id = g.id AND r.bucket >= g.since AND r.bucket < %s)",
            [list(open_steps), starts, at],
        )
        return [int(pk) for (pk,) in cursor.fetchall()]


def _counted_until(at: datetime, gpu_ids: list[int]) -> dict[int, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.id, r.counted_until_at FROM unnest(%s::bigint[]) AS g(id) CROSS JOIN LATERAL ("
            " SELECT counted_until_at FROM telemetry_reading WHERE gpu_id = g.id AND bucket < %s"
            " AND counted_until_at IS NOT NULL ORDER BY bucket DESC LIMIT 1) r",
            [gpu_ids, at],
        )
        return dict(cursor.fetchall())


def _add_energy(gpu_id: int, bucket: Window, energy_uj: int) -> bool:
    """Add to nobody's row of the bucket (or, where all of it was held, to the largest); False where none is there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE telemetry_fact SET energy_uj = coalesce(energy_uj, 0) + %s WHERE (bucket, unit_id, workload_id) = ("
            " SELECT bucket, unit_id, workload_id FROM telemetry_fact WHERE gpu_id = %s AND bucket = %s"
            " ORDER BY workload_id <> 0, unknown_us DESC, allocated_us DESC, unit_id LIMIT 1)",
            [energy_uj, gpu_id, bucket.start],
        )
        is_there = cursor.rowcount == 1
        cursor.execute(
            "UPDATE telemetry_reading SET counted_until_at = %s WHERE gpu_id = %s AND bucket = %s",
            [bucket.end, gpu_id, bucket.start],
        )
    return bool(is_there)
