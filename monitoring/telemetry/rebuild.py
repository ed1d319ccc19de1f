"""Gives stored time to the teams that own it by the rules of now: facts, hours and days alike."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import structlog
from django.db import connection, transaction
from kombu.exceptions import OperationalError as BrokerError

from fleetledger.fleet.ownership import Resolver
from fleetledger.fleet.pools import PoolResolver
from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry import reads, rollup, storage

INLINE_ROWS = 20_000
TABLES = ("telemetry_fact", "telemetry_gpuhour")
log = structlog.get_logger(__name__)


def request(from_day: date | None, *, enqueue: Callable[[str | None], object]) -> None:
    """Rebuild at once where little is stored, so that a small installation sees it now; else hand it to a worker.

    Without a broker nobody would take it: then it is done here, however long that takes, and nothing is lost.
    """
    if not _is_small(from_day):
        try:
            enqueue(from_day.isoformat() if from_day else None)
        except BrokerError:
            log.warning("no broker takes the rebuild of owners; doing it here")
        else:
            return
    rebuild_owners(from_day)


def rebuild_owners(from_day: date | None) -> str:
    """Resolve every (day, workload, node, GPU) again and move what changed, each day in one transaction."""
    start = _start(from_day)
    if start is None:
        return "There are no facts yet."
    end = reads.complete_until() or start
    moved = 0
    for day in Window(start, max(start, end) + DAY).steps(DAY):
        moved += _rebuild_day(day)
    return f"{moved} rows have another owner since {start:%Y-%m-%d}."


def _rebuild_day(day: Window) -> int:
    with transaction.atomic():
        changes = _changes(day)
        if not changes:
            return 0
        moved = sum(_move(table, day, changes) for table in (*TABLES, "telemetry_gpuday"))
        rollup.roll_up_team_hours(hour.start for hour in day.steps(HOUR))
        rollup.roll_up_team_days([day.start])
        storage.bump_version()
    return moved


def _changes(day: Window) -> list[tuple[int, int | None, int, int | None]]:
    """(workload, node, gpu, team) of the day whose stored team is no longer the rules' one."""
    resolver, pools = Resolver.load(), PoolResolver.load()
    found = []
    for workload_id, node_id, gpu_id, team_id, namespace, workload, cluster, node, model in _stored(day):
        pool = pools.pool_for(cluster, node, model)
        owner = resolver.team_for(
            day.start,
            cluster=cluster,
            namespace=namespace,
            workload=workload,
            node=node,
            gpu_model=model,
            pool=pool.name if pool else "",
        )
        if owner != team_id:
            found.append((workload_id, node_id, gpu_id, owner))
    return found


def _stored(day: Window) -> list[tuple[int, int | None, int, int | None, str, str, str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT f.workload_id, f.node_id, f.gpu_id, f.team_id, w.namespace, w.name, c.name,"
            " coalesce(n.name, ''), g.model FROM telemetry_gpuhour f JOIN fleet_workload w ON w.id = f.workload_id"
            " JOIN fleet_cluster c ON c.id = w.cluster_id JOIN fleet_gpu g ON g.id = f.gpu_id"
            " LEFT JOIN fleet_node n ON n.id = f.node_id WHERE f.bucket >= %s AND f.bucket < %s",
            [day.start, day.end],
        )
        return [tuple(row) for row in cursor.fetchall()]


def _move(table: str, day: Window, changes: list[tuple[int, int | None, int, int | None]]) -> int:
    workloads, nodes, gpus, teams = (list(column) for column in zip(*changes, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} f SET team_id = c.team_id"  # noqa: S608 our own names
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " AS c(workload_id, node_id, gpu_id, team_id)"
            " WHERE f.bucket >= %s AND f.bucket < %s AND f.workload_id = c.workload_id AND f.gpu_id = c.gpu_id"
            " AND f.node_id IS NOT DISTINCT FROM c.node_id",
            [workloads, nodes, gpus, teams, day.start, day.end],
        )
        return int(cursor.rowcount)


def _is_small(from_day: date | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM telemetry_gpuhour WHERE bucket >= %s LIMIT %s) x",
            [_midnight(from_day) if from_day else datetime(1970, 1, 1, tzinfo=UTC), INLINE_ROWS],
        )
        return int(cursor.fetchone()[0]) < INLINE_ROWS


def _start(from_day: date | None) -> datetime | None:
    oldest = reads.oldest_hour_at()
    if oldest is None:
        return None
    return floor(max(oldest, _midnight(from_day)) if from_day else oldest, DAY)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
