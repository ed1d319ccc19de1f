"""What runs of matching workloads held: a job's pods together, each with when it was seen and on which GPUs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.patterns import compiled
from fleetledger.lib.buckets import HOUR, Window, ceil, floor
from monitoring.telemetry.segments import HOURS

KEYS = ("cluster", "namespace", "node", "workload")
_SQL = f"""
SELECT c.name, w.namespace, coalesce(n.name, ''), w.name, w.owner, g.model, min(f.bucket), max(f.bucket),
       sum(f.allocated_us)::bigint
FROM {HOURS} f
JOIN fleet_workload w ON w.id = f.workload_id
JOIN fleet_cluster c ON c.id = w.cluster_id
JOIN fleet_gpu g ON g.id = f.gpu_id
LEFT JOIN fleet_node n ON n.id = f.node_id
WHERE f.bucket >= %s AND f.bucket < %s AND f.allocated_us > 0 AND (%s OR f.team_id = ANY(%s))
GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 a constant


@dataclass(frozen=True, slots=True)
class Run:
    """`name` is the job's where pods have one, else the workload's. Times are whole hours: begun in, and ended in."""

    cluster: str
    namespace: str
    name: str
    first_at: datetime
    last_at: datetime
    held_us: Mapping[str, int]

    @property
    def total_us(self) -> int:
        return sum(self.held_us.values())


def runs(match: Mapping[str, str], window: Window, *, teams: TeamScope) -> tuple[Run, ...]:
    """Runs whose names fit `match` (anchored expressions by cluster, namespace, node, workload), the newest first.

    None where `match` is empty: it would be everything.
    """
    patterns = [(KEYS.index(key), compiled(text)) for key, text in match.items() if key in KEYS]
    if not patterns:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [floor(window.start, HOUR), ceil(window.end, HOUR), teams.fleet, sorted(teams.team_ids)])
        fitting = [row for row in cursor if all(pattern.fullmatch(row[place]) for place, pattern in patterns)]
    found: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    for row in fitting:
        found.setdefault((row[0], row[1], row[4] or row[3]), []).append(row)
    return tuple(sorted((_run(key, rows) for key, rows in found.items()), key=lambda run: run.first_at, reverse=True))


def _run(key: tuple[str, str, str], rows: list[tuple[Any, ...]]) -> Run:
    held: dict[str, int] = {}
    for row in rows:
        held[row[5]] = held.get(row[5], 0) + int(row[8])
    return Run(*key, min(row[6] for row in rows), max(row[7] for row in rows), held)
