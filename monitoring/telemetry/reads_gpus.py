"""One GPU after another: what each did, who holds it now, its slices and its timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import BUCKET, HOUR, Window
from monitoring.telemetry.models import FREE
from monitoring.telemetry.reads import COARSEST, Step, oldest_fact_at, step_sql
from monitoring.telemetry.segments import held_sums, segments, union

MOST_HOLDS = 2000
SUMMED = "allocated_us, busy_us, measured_us, unallocated_us, unknown_us"


@dataclass(frozen=True, slots=True)
class SliceUse:
    """A MIG instance that was seen: `slices` of `of` compute slices."""

    gi_id: int
    profile: str
    slices: int
    of: int
    holder: str
    team: str | None
    last_sample_at: datetime


@dataclass(frozen=True, slots=True)
class GpuUse:
    """A GPU over a window. `holder` and `team` are those of the newest facts; empty where nobody holds it."""

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
    """A stretch of one unit with one holder. `kind`: allocated, unowned, unallocated or unknown."""

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
    """A step of one GPU; None where nothing was measured."""

    at: datetime
    utilization: float | None
    memory_used_mib: float | None
    power_w: float | None
    unknown_us: int
    allocated_us: int


@dataclass(frozen=True, slots=True)
class _Now:
    """Who holds a unit by the newest facts."""

    holder: str
    team: str | None


def gpus(
    window: Window, *, teams: TeamScope, node_cluster: str | None = None, node: str | None = None
) -> tuple[GpuUse, ...]:
    """Every GPU (of one cluster or node), by place; fleet scope only; three queries."""
    return _gpus(window, node_cluster, node, None) if teams.fleet else ()


def gpu(uuid: str, window: Window, *, teams: TeamScope) -> GpuUse | None:
    """One GPU; None where it does not exist for this caller."""
    found = _gpus(window, None, None, uuid) if teams.fleet else ()
    return found[0] if found else None


def gpu_holds(uuid: str, window: Window, *, teams: TeamScope) -> tuple[Hold, ...]:
    """Who held the GPU and its slices when, oldest first; adjoining stretches of the same holder are one."""
    if not teams.fleet:
        return ()
    oldest = oldest_fact_at()
    step = BUCKET if oldest is not None and window.start >= oldest else HOUR
    sql, parameters = union(segments(window, step), f"bucket, unit_id, workload_id, gpu_id, team_id, {SUMMED}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}) SELECT f.bucket, u.gi_id, f.workload_id, coalesce(w.namespace || '/' ||"  # noqa: S608
            " w.name,"
            " ''),"
            " t.slug, f.allocated_us, f.busy_us, f.measured_us, f.unallocated_us, f.unknown_us FROM f"
            " JOIN fleet_gpu g ON g.id = f.gpu_id AND g.uuid = %s JOIN telemetry_unit u ON u.id = f.unit_id"
            " LEFT JOIN fleet_workload w ON w.id = f.workload_id LEFT JOIN fleet_team t ON t.id = f.team_id"
            " ORDER BY u.gi_id NULLS FIRST, f.bucket, f.workload_id",
            [*parameters, uuid],
        )
        holds: list[Hold] = []
        open_holds: dict[tuple[int | None, str, str], int] = {}
        for row in cursor.fetchall():
            for hold in _stretches(row, step is BUCKET):
                key = (hold.gi_id, hold.kind, hold.holder)
                place = open_holds.get(key)
                if place is not None and holds[place].end == hold.start and holds[place].team == hold.team:
                    holds[place] = _joined(holds[place], hold)
                else:
                    open_holds[key] = len(holds)
                    holds.append(hold)
    return tuple(sorted(holds, key=lambda hold: (hold.start, hold.gi_id is not None, hold.gi_id or 0))[-MOST_HOLDS:])


def gpu_series(uuid: str, window: Window, *, step: Step, teams: TeamScope) -> tuple[GpuPoint, ...]:
    """One GPU step by step."""
    if not teams.fleet:
        return ()
    columns = (
        "bucket, gpu_id, allocated_us, unknown_us, observed_us, busy_us, measured_us, fb_used_mib_us, fb_measured_us,"
        " energy_uj"
    )
    sql, parameters = union(segments(window, COARSEST[step]), columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}) SELECT {step_sql(step)}, sum(f.busy_us)::float8 / nullif(sum(f.measured_us), 0)"  # noqa: S608
            " *"
            " 100,"
            " sum(f.fb_used_mib_us)::float8 / nullif(sum(f.fb_measured_us), 0),"
            " sum(f.energy_uj)::float8 / nullif(sum(f.observed_us), 0), sum(f.unknown_us)::bigint,"
            " sum(f.allocated_us)::bigint FROM f JOIN fleet_gpu g ON g.id = f.gpu_id WHERE g.uuid = %s"
            " GROUP BY 1 ORDER BY 1",
            [*parameters, uuid],
        )
        return tuple(GpuPoint(*row) for row in cursor.fetchall())


def _gpus(window: Window, cluster: str | None, node: str | None, uuid: str | None) -> tuple[GpuUse, ...]:
    sql, parameters = union(segments(window, COARSEST[Step.TOTAL]), f"gpu_id, workload_id, energy_uj, {SUMMED}")
    sums = ", ".join(f"coalesce(u.{name}, 0)" for name in SUMMED.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}), used AS (SELECT f.gpu_id, sum(f.energy_uj)::bigint AS energy,"  # noqa: S608
            f" {held_sums(SUMMED)} FROM f"
            " GROUP BY 1)"
            " SELECT g.id, g.slices, g.uuid, g.model, coalesce(c.name, ''), coalesce(n.name, ''), g.device_index,"
            " g.memory_mib, coalesce(s.name, ''), g.first_sample_at, g.last_sample_at, g.retired_at, u.energy,"
            f" {sums} FROM fleet_gpu g LEFT JOIN fleet_node n ON n.id = g.node_id"
            " LEFT JOIN fleet_cluster c ON c.id = n.cluster_id LEFT JOIN fleet_source s ON s.id = g.source_id"
            " LEFT JOIN used u ON u.gpu_id = g.id WHERE (%s::text IS NULL OR c.name = %s)"
            " AND (%s::text IS NULL OR n.name = %s) AND (%s::text IS NULL OR g.uuid = %s)"
            " ORDER BY 5, 6, g.device_index, g.uuid",
            [*parameters, cluster, cluster, node, node, uuid, uuid],
        )
        rows = cursor.fetchall()
    now = _now([row[0] for row in rows])
    slices = _slices({row[0]: row[1] for row in rows}, now)
    return tuple(_gpu(row, now, slices) for row in rows)


def _gpu(
    row: tuple[Any, ...], now: dict[tuple[int, int | None], _Now], slices: dict[int, tuple[SliceUse, ...]]
) -> GpuUse:
    pk, _, uuid, model, cluster, node, index, memory, source, first, last, retired, energy, *sums = row
    allocated, busy, measured, unallocated, unknown = sums
    whole = now.get((pk, None), _Now("", None))
    return GpuUse(
        uuid=uuid,
        model=model,
        cluster=cluster,
        node=node,
        index=index,
        memory_mib=memory,
        source=source,
        first_sample_at=first,
        last_sample_at=last,
        retired_at=retired,
        holder=whole.holder,
        team=whole.team,
        slices=slices.get(pk, ()),
        gpu_us=allocated + unallocated + unknown,
        allocated_us=allocated,
        busy_us=busy,
        measured_us=measured,
        unallocated_us=unallocated,
        unknown_us=unknown,
        energy_uj=energy,
    )


def _now(gpu_ids: list[int]) -> dict[tuple[int, int | None], _Now]:
    """Holders of each unit in the newest bucket of its GPU."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.gpu_id, u.gi_id, string_agg(DISTINCT w.namespace || '/' || w.name, ', '), max(t.slug)"
            " FROM unnest(%s::bigint[]) AS g(id) CROSS JOIN LATERAL (SELECT max(bucket) AS at FROM telemetry_fact"
            " WHERE gpu_id = g.id AND bucket > now() - interval '1 day') newest"
            " JOIN telemetry_fact f ON f.gpu_id = g.id AND f.bucket = newest.at AND f.workload_id <> 0"
            " JOIN telemetry_unit u ON u.id = f.unit_id JOIN fleet_workload w ON w.id = f.workload_id"
            " LEFT JOIN fleet_team t ON t.id = f.team_id GROUP BY 1, 2",
            [gpu_ids],
        )
        return {(gpu_id, gi_id): _Now(holder, team) for gpu_id, gi_id, holder, team in cursor.fetchall()}


def _slices(totals: dict[int, int], now: dict[tuple[int, int | None], _Now]) -> dict[int, tuple[SliceUse, ...]]:
    found: dict[int, tuple[SliceUse, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT gpu_id, gi_id, profile, slices, last_sample_at FROM fleet_migslice WHERE gpu_id = ANY(%s)"
            " ORDER BY gpu_id, gi_id, last_sample_at",
            [list(totals)],
        )
        for gpu_id, gi_id, profile, slices, last in cursor.fetchall():
            held = now.get((gpu_id, gi_id), _Now("", None))
            use = SliceUse(gi_id, profile, slices, totals[gpu_id], held.holder, held.team, last)
            found[gpu_id] = (*found.get(gpu_id, ()), use)
    return found


def _stretches(row: tuple[Any, ...], is_fine: bool) -> list[Hold]:  # noqa: FBT001 a private word
    at, gi_id, workload_id, holder, team, allocated, busy, measured, unallocated, unknown = row
    end = at + (BUCKET if is_fine else HOUR)
    slice_id = None if gi_id in (None, FREE) else gi_id
    if workload_id:
        kind = "allocated" if team else "unowned"
        return [Hold(at, end, slice_id, kind, holder, team, allocated, busy, measured)]
    free = [("unallocated", unallocated), ("unknown", unknown)]
    return [Hold(at, end, slice_id, kind, "", None, held, 0, 0) for kind, held in free if held]


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
