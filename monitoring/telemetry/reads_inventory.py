"""What exists and how it is used now: clusters, nodes, GPUs."""

from collections.abc import Collection

from django.db import connection


def held_gpu_ids(team_ids: Collection[int]) -> frozenset[int]:
    """The GPUs on which workloads of these teams held time in the last 30 days."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT gpu_id FROM telemetry_gpuday"
            " WHERE team_id = ANY(%s) AND bucket >= now() - interval '30 days'",
            [sorted(team_ids)],
        )
        return frozenset(int(pk) for (pk,) in cursor.fetchall())
