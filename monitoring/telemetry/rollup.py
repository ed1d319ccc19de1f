"""Hours from facts, days from hours, teams from both: what was touched is rebuilt, so running twice adds nothing."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection

from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry import partitions

ADDED = (
    "allocated_us", "unallocated_us", "unknown_us", "observed_us", "busy_us", "measured_us", "sm_us", "sm_measured_us",
    "tensor_us", "tensor_measured_us", "dram_us", "dram_measured_us", "fb_used_mib_us", "fb_measured_us", "energy_uj",
    "bridged_us", "rejected_samples",
)  # fmt: skip
SUMS = ", ".join(f"sum(f.{name})" for name in ADDED)
COLUMNS = ", ".join(ADDED)
NO_TEAM = 0  # held by somebody whom no rule owns
NOBODY = -1  # time that nobody held


def roll_up(hours: Iterable[datetime], gpu_ids: Collection[int]) -> None:
    """Rebuild the hours that were touched for these GPUs from facts, then everything above them."""
    touched = sorted(set(hours))
    if not touched or not gpu_ids:
        return
    for hour in touched:
        partitions.ensure(Window(hour, hour + HOUR))
        _steps("telemetry_fact", "telemetry_gpuhour", Window(hour, hour + HOUR), "hour", gpu_ids)
        _teams("telemetry_gpuhour", "telemetry_teamhour", Window(hour, hour + HOUR), "hour")
    roll_up_days({floor(hour, DAY) for hour in touched}, gpu_ids)


def roll_up_days(days: Collection[datetime], gpu_ids: Collection[int]) -> None:
    """Rebuild days of these GPUs from hours, and the teams' days."""
    for day in sorted(set(days)):
        span = Window(day, day + DAY)
        _steps("telemetry_gpuhour", "telemetry_gpuday", span, "day", gpu_ids)
    roll_up_team_days(days)


def roll_up_team_hours(hours: Iterable[datetime]) -> None:
    """Rebuild the teams' hours from GPU hours."""
    for hour in sorted(set(hours)):
        _teams("telemetry_gpuhour", "telemetry_teamhour", Window(hour, hour + HOUR), "hour")


def roll_up_team_days(days: Iterable[datetime]) -> None:
    """Rebuild the teams' days from GPU hours."""
    for day in sorted(set(days)):
        _teams("telemetry_gpuhour", "telemetry_teamday", Window(day, day + DAY), "day")


def _steps(source: str, target: str, span: Window, unit: str, gpu_ids: Collection[int]) -> None:
    wanted: list[datetime | list[int]] = [span.start, span.end, list(gpu_ids)]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {target} WHERE bucket >= %s AND bucket < %s AND gpu_id = ANY(%s)", wanted)  # noqa: S608
        cursor.execute(
            f"INSERT INTO {target} (bucket, unit_id, workload_id, gpu_id, node_id, team_id, {COLUMNS}, estimated)"  # noqa: S608
            f" SELECT date_trunc('{unit}', f.bucket, 'UTC'), f.unit_id, f.workload_id, max(f.gpu_id),"
            f" (array_agg(f.node_id ORDER BY f.bucket DESC))[1], (array_agg(f.team_id ORDER BY f.bucket DESC))[1],"
            f" {SUMS}, bool_or(f.estimated) FROM {source} f"
            " WHERE f.bucket >= %s AND f.bucket < %s AND f.gpu_id = ANY(%s) GROUP BY 1, 2, 3",
            wanted,
        )


def _teams(source: str, target: str, span: Window, unit: str) -> None:
    wanted = [span.start, span.end]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {target} WHERE bucket >= %s AND bucket < %s", wanted)  # noqa: S608
        cursor.execute(
            f"INSERT INTO {target} (team_id, bucket, cluster_id, gpu_model, kind, {COLUMNS}, estimated)"  # noqa: S608
            f" SELECT CASE WHEN f.workload_id = 0 THEN {NOBODY} ELSE coalesce(f.team_id, {NO_TEAM}) END,"
            f" date_trunc('{unit}', f.bucket, 'UTC'),"
            " coalesce(n.cluster_id, s.cluster_id, 0), g.model, coalesce(w.kind, ''),"
            f" {SUMS}, bool_or(f.estimated)"
            f" FROM {source} f JOIN fleet_gpu g ON g.id = f.gpu_id LEFT JOIN fleet_source s ON s.id = g.source_id"
            " LEFT JOIN fleet_node n ON n.id = f.node_id LEFT JOIN fleet_workload w ON w.id = f.workload_id"
            " WHERE f.bucket >= %s AND f.bucket < %s GROUP BY 1, 2, 3, 4, 5",
            wanted,
        )
