"""The rows of a window by team, cluster, GPU model and class: few where the teams' tables have them ready."""

from collections.abc import Sequence
from datetime import datetime

from monitoring.telemetry.segments import DAYS, HOURS, Segment

TEAM_TABLES = {DAYS: "telemetry_teamday", HOURS: "telemetry_teamhour"}
NOBODY = -1  # team_id in the teams' tables of time that nobody held; 0 is held by somebody whom no rule owns


def team_rows(parts: Sequence[Segment], measures: Sequence[str]) -> tuple[str, list[datetime]]:
    """SQL of the rows (bucket, team_id, cluster_id, gpu_model, kind, estimated, measures) with its parameters."""
    if not parts:
        return f"{_columns(measures)} FROM telemetry_teamday WHERE false", []
    pieces = [_ready(part, measures) if part.table in TEAM_TABLES else _made(part, measures) for part in parts]
    times = [at for part in parts for at in (part.window.start, part.window.end)]
    return " UNION ALL ".join(pieces), times


def _ready(part: Segment, measures: Sequence[str]) -> str:
    return f"{_columns(measures)} FROM {TEAM_TABLES[part.table]} WHERE bucket >= %s AND bucket < %s"


def _columns(measures: Sequence[str]) -> str:
    return f"SELECT bucket, team_id, cluster_id, gpu_model, kind, estimated, {', '.join(measures)}"


def _made(part: Segment, measures: Sequence[str]) -> str:
    """Facts at the window's edges, with the same columns."""
    sums = ", ".join(f"f.{name}" for name in measures)
    return (
        f"SELECT f.bucket, CASE WHEN f.workload_id = 0 THEN {NOBODY} ELSE coalesce(f.team_id, 0) END AS team_id,"  # noqa: S608
        f" coalesce(n.cluster_id, s.cluster_id, 0) AS cluster_id, g.model AS gpu_model, coalesce(w.kind, '') AS kind,"
        f" f.estimated, {sums}"
        f" FROM {part.table} f JOIN fleet_gpu g ON g.id = f.gpu_id LEFT JOIN fleet_source s ON s.id = g.source_id"
        " LEFT JOIN fleet_node n ON n.id = f.node_id LEFT JOIN fleet_workload w ON w.id = f.workload_id"
        " WHERE f.bucket >= %s AND f.bucket < %s"
    )
