"""What was held and not used over the last stretch of each source: for those who are told of waste."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import BUCKET, Window, floor


@dataclass(frozen=True, slots=True)
class Threshold:
    """Idle is busy below `below` of the measured time, of a unit that was held in `held` of the window's buckets and
    measured in `measured` of the held time: what is unknown is not idle.
    """

    window: timedelta
    below: float
    held: float
    measured: float


@dataclass(frozen=True, slots=True)
class IdleHold:
    """A workload's idle GPUs of one model, in GPU-microseconds over `window`; slices count by their share."""

    team_id: int | None
    team: str
    cluster: str
    namespace: str
    workload: str
    owner: str
    gpu_model: str
    window: Window
    gpus: int
    allocated_us: int
    measured_us: int
    busy_us: int

    @property
    def idle_us(self) -> int:
        return self.measured_us - self.busy_us


def idle_holds(at: datetime, threshold: Threshold) -> tuple[IdleHold, ...]:
    """Whoever held GPUs without using them until `at`, or until a source's watermark where that is earlier."""
    windows = _windows(at, threshold.window)
    if not windows:
        return ()
    wanted = max(1, round(threshold.held * (threshold.window // BUCKET)))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH span AS (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS s(id, a, z)),"
            " unit AS (SELECT f.workload_id, f.team_id, f.gpu_id, s.a, s.z, sum(f.allocated_us) AS allocated,"
            " sum(f.measured_us) AS measured, sum(f.busy_us) AS busy FROM span s JOIN telemetry_fact f"
            " ON f.source_id = s.id AND f.bucket >= s.a AND f.bucket < s.z"
            " WHERE f.bucket >= %s AND f.bucket < %s AND f.workload_id <> 0 AND f.allocated_us > 0"
            " GROUP BY f.unit_id, 1, 2, 3, 4, 5 HAVING count(*) >= %s AND sum(f.measured_us) > 0"
            " AND sum(f.measured_us) >= %s * sum(f.allocated_us) AND sum(f.busy_us) < %s * sum(f.measured_us))"
            " SELECT u.team_id, coalesce(t.slug, ''), c.name, w.namespace, w.name, w.owner, g.model, u.a, u.z,"
            " count(DISTINCT u.gpu_id), sum(u.allocated)::bigint, sum(u.measured)::bigint, sum(u.busy)::bigint"
            " FROM unit u JOIN fleet_workload w ON w.id = u.workload_id JOIN fleet_cluster c ON c.id = w.cluster_id"
            " JOIN fleet_gpu g ON g.id = u.gpu_id LEFT JOIN fleet_team t ON t.id = u.team_id"
            " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 2, 3, 4, 5, 7, 8",
            [
                [pk for pk, _ in windows],
                [window.start for _, window in windows],
                [window.end for _, window in windows],
                min(window.start for _, window in windows),
                max(window.end for _, window in windows),
                wanted,
                threshold.measured,
                threshold.below,
            ],
        )
        return tuple(_hold(*row) for row in cursor.fetchall())


def _hold(*row: Any) -> IdleHold:
    team_id, team, cluster, namespace, workload, owner, model, start, end, gpus, allocated, measured, busy = row
    window = Window(start, end)
    return IdleHold(team_id, team, cluster, namespace, workload, owner, model, window, gpus, allocated, measured, busy)


def _windows(at: datetime, width: timedelta) -> Sequence[tuple[int, Window]]:
    """Each source's last `width` of facts until `at`."""
    sources = Source.objects.filter(enabled=True, watermark_at__isnull=False).exclude(kind=SourceKind.BILL)
    ends = [(source.pk, min(floor(at, BUCKET), source.watermark_at)) for source in sources if source.watermark_at]
    return [(pk, Window(end - width, end)) for pk, end in ends]
