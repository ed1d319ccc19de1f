"""Everything the pages read of telemetry, under one name."""

from monitoring.telemetry.reads import (
    GroupBy,
    Step,
    Usage,
    UsageRow,
    data_age,
    usage,
)
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
    team_summaries,
    team_summary,
    workloads,
)

__all__ = [
    "BusyHour", "ClusterUse", "CoveragePoint", "FleetPoint", "GpuPoint", "GpuUse", "GroupBy", "Hold", "IdentityCheck",
    "NodeUse", "SliceUse", "SourceStatus", "Step", "TeamSummary", "Usage", "UsageRow", "WorkloadUse", "busy_hours",
    "clusters", "coverage", "data_age", "fleet_series", "gpu", "gpu_holds", "gpu_series", "gpus", "identity", "node",
    "nodes", "sources_status", "team_summaries", "team_summary", "usage", "workloads",
]  # fmt: skip
