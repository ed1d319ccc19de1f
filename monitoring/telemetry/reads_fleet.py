"""The fleet as a whole and its machines: time by step, coverage, clusters and nodes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from monitoring.telemetry.reads import COARSEST, Step, step_sql
from monitoring.telemetry.segments import held_sums, segments, union

SUMMED = "allocated_us, busy_us, measured_us, unallocated_us, unknown_us"


@dataclass(frozen=True, slots=True)
class FleetPoint:
    """A step of the whole fleet, in GPU-microseconds."""

    at: datetime
    busy_us: int
    allocated_us: int
    measured_us: int
    unallocated_us: int
    unknown_us: int
    gpu_us: int


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Which share of the GPUs' time is known, 0 to 1; tells nobody's use."""

    at: datetime
    known: float | None


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """A cluster over a window."""

    name: str
    provider: str
    region: str
    nodes: int
    gpus: int
    gpu_us: int
    allocated_us: int
    busy_us: int
    measured_us: int
    unallocated_us: int
    unknown_us: int


@dataclass(frozen=True, slots=True)
class NodeUse:
    """A node over a window; `expected_gpus` is what the configuration says it has."""

    cluster: str
    name: str
    provider_id: str
    gpu_model: str
    gpus: int
    expected_gpus: int | None
    last_sample_at: datetime | None
    gpu_us: int
    allocated_us: int
    busy_us: int
    measured_us: int
    unallocated_us: int
    unknown_us: int


def fleet_series(window: Window, *, step: Step, teams: TeamScope) -> tuple[FleetPoint, ...]:
    """The fleet step by step; nothing for who does not see all of it."""
    return _series(window, step) if teams.fleet else ()


def coverage(window: Window, *, step: Step, teams: TeamScope) -> tuple[CoveragePoint, ...]:
    """How much of the GPUs' time is known, step by step; anybody may ask."""
    del teams  # a share tells nobody's use
    return tuple(
        CoveragePoint(point.at, 1 - point.unknown_us / point.gpu_us if point.gpu_us else None)
        for point in _series(window, step)
    )


def clusters(window: Window, *, teams: TeamScope) -> tuple[ClusterUse, ...]:
    """Every cluster, by name; fleet scope only."""
    if not teams.fleet:
        return ()
    sql, parameters = union(segments(window, COARSEST[Step.TOTAL]), f"node_id, gpu_id, workload_id, {SUMMED}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}), used AS (SELECT n.cluster_id, {held_sums(SUMMED)} FROM f JOIN fleet_node n ON"  # noqa: S608
            " n.id ="
            " f.node_id"
            " GROUP BY 1), here AS (SELECT n.cluster_id, count(DISTINCT n.id) AS nodes, count(g.id) AS gpus FROM"
            " fleet_node n"
            " LEFT JOIN fleet_gpu g ON g.node_id = n.id AND g.retired_at IS NULL WHERE n.retired_at IS NULL GROUP BY 1)"
            " SELECT c.name, c.provider, c.region, coalesce(h.nodes, 0), coalesce(h.gpus, 0),"
            " coalesce(u.allocated_us, 0),"
            " coalesce(u.busy_us, 0), coalesce(u.measured_us, 0), coalesce(u.unallocated_us, 0),"
            " coalesce(u.unknown_us, 0)"
            " FROM fleet_cluster c LEFT JOIN used u ON u.cluster_id = c.id LEFT JOIN here h ON h.cluster_id = c.id"
            " ORDER BY c.name",
            parameters,
        )
        return tuple(ClusterUse(*(*row[:5], _existence(row[5:]), *row[5:])) for row in cursor.fetchall())


def nodes(window: Window, *, teams: TeamScope, cluster: str | None = None) -> tuple[NodeUse, ...]:
    """Every node (of one cluster), by cluster and name; fleet scope only."""
    return _nodes(window, cluster, None) if teams.fleet else ()


def node(cluster: str, name: str, window: Window, *, teams: TeamScope) -> NodeUse | None:
    """One node; None where it does not exist for this caller."""
    found = _nodes(window, cluster, name) if teams.fleet else ()
    return found[0] if found else None


def _nodes(window: Window, cluster: str | None, name: str | None) -> tuple[NodeUse, ...]:
    sql, parameters = union(segments(window, COARSEST[Step.TOTAL]), f"node_id, gpu_id, workload_id, {SUMMED}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}), used AS (SELECT f.node_id, {held_sums(SUMMED)} FROM f GROUP BY 1)"  # noqa: S608
            " SELECT c.name, n.name, n.provider_id, coalesce(string_agg(DISTINCT g.model, ', '), ''),"
            " count(g.id), n.gpus,"
            " n.last_sample_at, coalesce(max(u.allocated_us), 0), coalesce(max(u.busy_us), 0),"
            " coalesce(max(u.measured_us), 0), coalesce(max(u.unallocated_us), 0), coalesce(max(u.unknown_us), 0)"
            " FROM fleet_node n JOIN fleet_cluster c ON c.id = n.cluster_id LEFT JOIN used u ON u.node_id = n.id"
            " LEFT JOIN fleet_gpu g ON g.node_id = n.id AND g.retired_at IS NULL WHERE n.retired_at IS NULL"
            " AND (%s::text IS NULL OR c.name = %s) AND (%s::text IS NULL OR n.name = %s)"
            " GROUP BY c.name, n.id ORDER BY c.name, n.name",
            [*parameters, cluster, cluster, name, name],
        )
        return tuple(NodeUse(*(*row[:7], _existence(row[7:]), *row[7:])) for row in cursor.fetchall())


def _series(window: Window, step: Step) -> tuple[FleetPoint, ...]:
    sql, parameters = union(segments(window, COARSEST[step]), f"bucket, workload_id, {SUMMED}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}) SELECT {step_sql(step)}, {held_sums(SUMMED)} FROM f GROUP BY 1 ORDER BY"  # noqa: S608
            " 1",
            parameters,
        )
        return tuple(_point(*row) for row in cursor.fetchall())


def _point(at: datetime, *sums: int) -> FleetPoint:
    allocated, busy, measured, unallocated, unknown = sums
    return FleetPoint(at, busy, allocated, measured, unallocated, unknown, allocated + unallocated + unknown)


def _existence(sums: tuple[Any, ...]) -> int:
    allocated, _, _, unallocated, unknown = sums
    return int(allocated + unallocated + unknown)
