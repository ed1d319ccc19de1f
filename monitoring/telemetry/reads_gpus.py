"""What single GPUs did: each with its slices and holders now, its series, and who held it. For fleet scope."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Gpu, MigSlice
from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window
from monitoring.telemetry.reads import Step
from monitoring.telemetry.segments import segments, union

TIMES = ("allocated_us", "busy_us", "measured_us", "unallocated_us", "unknown_us", "energy_uj")
NOW = timedelta(minutes=30)  # how far back "now" may lie: facts come every five minutes
SLICE_GONE = timedelta(hours=1)
LONGEST_IN_FACTS = timedelta(days=2)
STEPS: dict[Step, tuple[timedelta, str]] = {
    Step.DAY: (DAY, "date_trunc('day', bucket, 'UTC')"),
    Step.HOUR: (HOUR, "date_trunc('hour', bucket, 'UTC')"),
    Step.BUCKET: (BUCKET, "bucket"),
}


@dataclass(frozen=True, slots=True)
class SliceUse:
    """A MIG slice: `slices` of the GPU's `of`, and who holds it now (empty: nobody)."""

    gi_id: int
    profile: str
    slices: int
    of: int
    holder: str
    team: str | None
    last_sample_at: datetime


@dataclass(frozen=True, slots=True)
class GpuUse:
    uuid: str
    model: str
    cluster: str
    node: str
    index: str
    memory_mib: int | None
    source: str
    first_sample_at: datetime | None
    last_sample_at: datetime | None
    retired_at: datetime | None
    holder: str
    team: str | None
    slices: tuple[SliceUse, ...]
    gpu_us: int
    allocated_us: int
    busy_us: int
    measured_us: int
    unallocated_us: int
    unknown_us: int
    energy_uj: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch of one holder. `kind`: allocated, unowned, unallocated or unknown."""

    start: datetime
    end: datetime
    gi_id: int | None
    kind: str
    holder: str
    team: str | None
    held_us: int
    busy_us: int
    measured_us: int


@dataclass(frozen=True, slots=True)
class GpuPoint:
    """One step of one GPU; utilization in percent, power as the mean of what the energy counter tells."""

    at: datetime
    utilization: float | None
    memory_used_mib: float | None
    power_w: float | None
    unknown_us: int
    allocated_us: int


@dataclass(frozen=True, slots=True)
class _Holder:
    gi_id: int | None
    name: str
    team: str | None


def gpus(
    window: Window, *, teams: TeamScope, node_cluster: str | None = None, node: str | None = None
) -> tuple[GpuUse, ...]:
    """Every GPU, of one node where it is named; four queries."""
    if not teams.fleet:
        return ()
    wanted = _inventory()
    if node is not None:
        wanted = wanted.filter(node__name=node, node__cluster__name=node_cluster)
    return _uses(window, list(wanted))


def gpu(uuid: str, window: Window, *, teams: TeamScope) -> GpuUse | None:
    """One GPU, or None where there is none or the caller may not see it."""
    if not teams.fleet:
        return None
    return next(iter(_uses(window, list(_inventory().filter(uuid=uuid)))), None)


def gpu_holds(uuid: str, window: Window, *, teams: TeamScope) -> tuple[Hold, ...]:
    """Who held the GPU, oldest first; neighbours of one holder are joined. By hours where the window is long."""
    if not teams.fleet:
        return ()
    width = BUCKET if window.duration <= LONGEST_IN_FACTS else HOUR
    table = "telemetry_fact" if width == BUCKET else "telemetry_gpuhour"
    rows = _all(
        f"SELECT f.bucket, u.gi_id, f.workload_id, w.namespace, w.name, t.slug, f.allocated_us, f.unallocated_us,"  # noqa: S608
        f" f.unknown_us, f.busy_us, f.measured_us FROM {table} f JOIN fleet_gpu g ON g.id = f.gpu_id"
        " JOIN telemetry_unit u ON u.id = f.unit_id LEFT JOIN fleet_workload w ON w.id = f.workload_id"
        " LEFT JOIN fleet_team t ON t.id = f.team_id"
        " WHERE g.uuid = %s AND f.bucket >= %s AND f.bucket < %s ORDER BY f.bucket, u.gi_id NULLS FIRST, f.workload_id",
        [uuid, window.start, window.end],
    )
    open_holds: dict[tuple[int | None, str, str], Hold] = {}
    done: list[Hold] = []
    for row in rows:
        for hold in _holds_of(row, width):
            key = (hold.gi_id, hold.kind, hold.holder)
            before = open_holds.get(key)
            if before is not None and before.end == hold.start and before.team == hold.team:
                open_holds[key] = _joined(before, hold)
            else:
                if before is not None:
                    done.append(before)
                open_holds[key] = hold
    done += open_holds.values()
    return tuple(sorted(done, key=lambda hold: (hold.start, hold.end, -2 if hold.gi_id is None else hold.gi_id)))


def gpu_series(uuid: str, window: Window, *, step: Step, teams: TeamScope) -> tuple[GpuPoint, ...]:
    """The GPU over time; one query."""
    if not teams.fleet:
        return ()
    width, at = STEPS[step]
    columns = "gpu_id, bucket, allocated_us, unallocated_us, unknown_us, busy_us, measured_us, fb_used_mib_us, fb_measured_us, energy_uj"  # noqa: E501
    sql, times = union(segments(window, width), columns)
    rows = _all(
        f"SELECT {at}, sum(busy_us), sum(measured_us), sum(fb_used_mib_us), sum(fb_measured_us), sum(energy_uj),"  # noqa: S608
        f" sum(allocated_us + unallocated_us + unknown_us), sum(unknown_us), sum(allocated_us) FROM ({sql}) x"
        " WHERE gpu_id = (SELECT id FROM fleet_gpu WHERE uuid = %s) GROUP BY 1 ORDER BY 1",
        [*times, uuid],
    )
    return tuple(
        GpuPoint(
            at=row[0],
            utilization=float(100 * row[1] / row[2]) if row[2] else None,
            memory_used_mib=float(row[3] / row[4]) if row[4] else None,
            power_w=float(row[5] / row[6]) if row[5] is not None and row[6] else None,
            unknown_us=int(row[7]),
            allocated_us=int(row[8]),
        )
        for row in rows
    )


def held_gpu_ids(team_ids: Any) -> frozenset[int]:
    """The GPUs on which workloads of these teams held time in the 30 days before the newest day; one query."""
    rows = _all(
        "SELECT DISTINCT gpu_id FROM telemetry_gpuday WHERE team_id = ANY(%s)"
        " AND bucket >= (SELECT max(bucket) FROM telemetry_gpuday) - interval '30 days'",
        [sorted(team_ids)],
    )
    return frozenset(row[0] for row in rows)


def _inventory() -> QuerySet[Gpu]:
    return Gpu.objects.select_related("node__cluster", "source")


def _uses(window: Window, found: list[Gpu]) -> tuple[GpuUse, ...]:
    ids = [row.pk for row in found]
    sums, holders = _sums(window, ids), _holders_now(ids)
    slices: dict[int, list[MigSlice]] = defaultdict(list)
    for mig in MigSlice.objects.filter(gpu_id__in=ids):
        slices[mig.gpu_id].append(mig)
    return tuple(_use(row, sums.get(row.pk), holders.get(row.pk, []), slices[row.pk]) for row in found)


def _use(row: Gpu, sums: tuple[int | None, ...] | None, holders: list[_Holder], migs: list[MigSlice]) -> GpuUse:
    held, busy, measured, free, unknown, energy = sums or (0, 0, 0, 0, 0, None)
    last = row.last_sample_at
    live = [mig for mig in migs if last is None or mig.last_sample_at >= last - SLICE_GONE]
    whole = [holder for holder in holders if holder.gi_id is None]
    return GpuUse(
        uuid=row.uuid,
        model=row.model,
        cluster=row.node.cluster.name if row.node else "",
        node=row.node.name if row.node else "",
        index=row.device_index,
        memory_mib=row.memory_mib,
        source=row.source.name if row.source else "",
        first_sample_at=row.first_sample_at,
        last_sample_at=last,
        retired_at=row.retired_at,
        holder=", ".join(holder.name for holder in whole),
        team=whole[0].team if whole else None,
        slices=tuple(_slice(mig, row, holders) for mig in sorted(live, key=lambda mig: mig.gi_id)),
        gpu_us=(held or 0) + (free or 0) + (unknown or 0),
        allocated_us=held or 0,
        busy_us=busy or 0,
        measured_us=measured or 0,
        unallocated_us=free or 0,
        unknown_us=unknown or 0,
        energy_uj=energy,
    )


def _slice(mig: MigSlice, row: Gpu, holders: list[_Holder]) -> SliceUse:
    held = next((holder for holder in holders if holder.gi_id == mig.gi_id), None)
    return SliceUse(
        gi_id=mig.gi_id,
        profile=mig.profile,
        slices=mig.slices,
        of=row.slices,
        holder=held.name if held else "",
        team=held.team if held else None,
        last_sample_at=mig.last_sample_at,
    )


def _sums(window: Window, ids: list[int]) -> dict[int, tuple[int | None, ...]]:
    sql, times = union(segments(window, DAY), f"gpu_id, {', '.join(TIMES)}")
    rows = _all(
        f"SELECT gpu_id, {', '.join(f'sum({name})' for name in TIMES)} FROM ({sql}) x"  # noqa: S608 our own names
        " WHERE gpu_id = ANY(%s) GROUP BY 1",
        [*times, ids],
    )
    return {row[0]: tuple(None if value is None else int(value) for value in row[1:]) for row in rows}


def _holders_now(ids: list[int]) -> dict[int, list[_Holder]]:
    """Who held each unit in its newest bucket, of those that are at most NOW old."""
    rows = _all(
        "WITH newest AS (SELECT max(bucket) AS at FROM telemetry_fact), recent AS ("
        " SELECT f.*, max(f.bucket) OVER (PARTITION BY f.unit_id) AS last FROM telemetry_fact f, newest"
        " WHERE f.bucket > newest.at - %s AND f.gpu_id = ANY(%s))"
        " SELECT r.gpu_id, u.gi_id, w.namespace, w.name, t.slug FROM recent r JOIN telemetry_unit u ON u.id = r.unit_id"
        " JOIN fleet_workload w ON w.id = r.workload_id LEFT JOIN fleet_team t ON t.id = r.team_id"
        " WHERE r.bucket = r.last AND r.allocated_us > 0 ORDER BY r.allocated_us DESC, w.name",
        [NOW, ids],
    )
    found: dict[int, list[_Holder]] = defaultdict(list)
    for gpu_id, gi_id, namespace, name, team in rows:
        found[gpu_id].append(_Holder(gi_id, _named(namespace, name), team))
    return found


def _holds_of(row: tuple[Any, ...], width: timedelta) -> list[Hold]:
    """One stored row as holds: a row of nobody's time may be free in part and unknown in part."""
    at, gi_id, workload_id, namespace, name, team, held, free, unknown, busy, measured = row
    end = at + width
    if workload_id:
        kind = "allocated" if team else "unowned"
        return [Hold(at, end, gi_id, kind, _named(namespace, name), team, held, busy, measured)]
    holds = []
    if free:
        holds.append(Hold(at, end, gi_id, "unallocated", "", None, free, busy, measured))
    if unknown:
        holds.append(Hold(at, end, gi_id, "unknown", "", None, unknown, 0, 0))
    return holds


def _joined(before: Hold, after: Hold) -> Hold:
    return Hold(
        before.start,
        after.end,
        before.gi_id,
        before.kind,
        before.holder,
        before.team,
        before.held_us + after.held_us,
        before.busy_us + after.busy_us,
        before.measured_us + after.measured_us,
    )


def _named(namespace: str | None, name: str | None) -> str:
    return f"{namespace}/{name}" if namespace else name or ""


def _all(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
