"""All reads of the telemetry pages, by one name."""

from monitoring.telemetry.reads_fleet import (
    ClusterUse,
    CoveragePoint,
    FleetPoint,
    NodeUse,
    clusters,
    coverage,
    fleet_series,
    node,
    nodes,
)
from monitoring.telemetry.reads_gpus import GpuPoint, GpuUse, Hold, SliceUse, gpu, gpu_holds, gpu_series, gpus
from monitoring.telemetry.reads_sources import IdentityCheck, SourceStatus, identity, sources_status
from monitoring.telemetry.reads_teams import (
    BusyHour,
    TeamSummary,
    WorkloadUse,
    busy_hours,
    percent,
    team_summaries,
    team_summary,
    workloads,
)

__all__ = [
    "BusyHour",
    "ClusterUse",
    "CoveragePoint",
    "FleetPoint",
    "GpuPoint",
    "GpuUse",
    "Hold",
    "IdentityCheck",
    "NodeUse",
    "SliceUse",
    "SourceStatus",
    "TeamSummary",
    "WorkloadUse",
    "busy_hours",
    "clusters",
    "coverage",
    "fleet_series",
    "gpu",
    "gpu_holds",
    "gpu_series",
    "gpus",
    "identity",
    "node",
    "nodes",
    "percent",
    "sources_status",
    "team_summaries",
    "team_summary",
    "workloads",
]
