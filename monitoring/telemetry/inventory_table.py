"""The columns of clusters, nodes and GPUs as tables and as CSV, with the lanes of who held a GPU when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from fleetledger.web.downloads import Cell
from fleetledger.web.tables import Column
from monitoring.telemetry import reads_pages
from monitoring.telemetry.reads_pages import ClusterUse, GpuUse, Hold, NodeUse

US_PER_HOUR = 3_600_000_000
LANE_COLORS = 8


class Measured(Protocol):
    """Whatever has held time of which some was measured."""

    @property
    def busy_us(self) -> int: ...
    @property
    def measured_us(self) -> int: ...


class Timed(Measured, Protocol):
    """Whatever has GPU time, by what became of it."""

    @property
    def gpu_us(self) -> int: ...
    @property
    def allocated_us(self) -> int: ...
    @property
    def unallocated_us(self) -> int: ...
    @property
    def unknown_us(self) -> int: ...


Rows = Sequence[Timed]


@dataclass(frozen=True, slots=True)
class Listing:
    """One tab of the fleet page."""

    name: str
    label: str
    rows: Callable[[Window, TeamScope, str], Sequence[Any]]
    columns: tuple[Column[Any], ...]
    text: Callable[[Any], str]
    csv_header: tuple[str, ...]
    csv_cells: Callable[[Any], tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lane, in percent of the range."""

    left: str
    width: str
    css: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A unit of a GPU (the whole of it, or one MIG slice) over time."""

    label: str
    bars: tuple[Bar, ...]


def used_percent(row: Measured) -> float | None:
    """Busy as a share of what was measured."""
    return row.busy_us / row.measured_us * 100 if row.measured_us else None


def held_percent(row: Timed) -> float | None:
    """Held as a share of the GPUs' existence."""
    return row.allocated_us / row.gpu_us * 100 if row.gpu_us else None


def unknown_percent(row: Timed) -> float | None:
    return row.unknown_us / row.gpu_us * 100 if row.gpu_us else None


_TIME_COLUMNS: tuple[Column[Any], ...] = (
    Column("held", "Held", held_percent, first_descending=True),
    Column("utilisation", "Utilisation", used_percent, first_descending=True),
    Column("unknown", "Unknown", unknown_percent, "right", first_descending=True),
)
_TIME_HEADER = ("gpu_hours", "allocated_hours", "unallocated_hours", "unknown_hours", "mean_utilization")


def lanes(holds: Sequence[Hold], window: Window) -> list[Lane]:
    """Holders over time, a lane per slice; each holder keeps its colour."""
    colors: dict[str, str] = {}
    units: dict[int | None, list[Bar]] = {}
    for hold in sorted(holds, key=lambda item: item.start):
        shown = Window(hold.start, hold.end).cut(window)
        if shown is None:
            continue
        left = (shown.start - window.start) / window.duration * 100
        width = shown.duration / window.duration * 100
        bar = Bar(f"{left:.3f}", f"{max(width, 0.08):.3f}", _lane_css(hold, colors), _lane_title(hold))
        units.setdefault(hold.gi_id, []).append(bar)
    order = sorted(units, key=lambda gi_id: (gi_id is not None, gi_id or 0))
    return [Lane("GPU" if gi_id is None else f"Slice {gi_id}", tuple(units[gi_id])) for gi_id in order]


def _lane_css(hold: Hold, colors: dict[str, str]) -> str:
    if hold.kind == "unknown":
        return "lane-unknown"
    if hold.kind == "unallocated":
        return "lane-free"
    return colors.setdefault(hold.holder, f"k{len(colors) % LANE_COLORS + 1}")


def _lane_title(hold: Hold) -> str:
    who = hold.holder if hold.kind in {"allocated", "unowned"} else hold.kind
    team = f" ({hold.team})" if hold.team else " (unowned)" if hold.kind == "unowned" else ""
    return f"{who}{team}, {hold.start:%d %b %H:%M} to {hold.end:%d %b %H:%M} UTC"


def _hours(microseconds: int) -> float:
    return round(microseconds / US_PER_HOUR, 6)


def _time_cells(row: Timed) -> tuple[Cell, ...]:
    used = used_percent(row)
    return (
        _hours(row.gpu_us),
        _hours(row.allocated_us),
        _hours(row.unallocated_us),
        _hours(row.unknown_us),
        None if used is None else round(used, 6),
    )


def _cluster_cells(row: ClusterUse) -> tuple[Cell, ...]:
    return (row.name, row.provider, row.region, row.nodes, row.gpus, *_time_cells(row))


def _node_cells(row: NodeUse) -> tuple[Cell, ...]:
    return (row.cluster, row.name, row.provider_id, row.gpu_model, row.gpus, row.last_sample_at, *_time_cells(row))


def _gpu_cells(row: GpuUse) -> tuple[Cell, ...]:
    place = (row.uuid, row.model, row.cluster, row.node, row.index, row.holder, row.team, row.last_sample_at)
    return (*place, *_time_cells(row))


LISTINGS = {
    "clusters": Listing(
        "clusters",
        "Clusters",
        lambda window, teams, _: reads_pages.clusters(window, teams=teams),
        (
            Column("name", "Cluster", lambda row: row.name.casefold()),
            Column("place", "Where", lambda row: f"{row.provider} {row.region}".strip() or None),
            Column("nodes", "Nodes", lambda row: row.nodes, "right", first_descending=True),
            Column("gpus", "GPUs", lambda row: row.gpus, "right", first_descending=True),
            *_TIME_COLUMNS,
        ),
        lambda row: f"{row.name} {row.provider} {row.region}".casefold(),
        ("cluster", "provider", "region", "nodes", "gpus", *_TIME_HEADER),
        _cluster_cells,
    ),
    "nodes": Listing(
        "nodes",
        "Nodes",
        lambda window, teams, cluster: reads_pages.nodes(window, teams=teams, cluster=cluster or None),
        (
            Column("name", "Node", lambda row: row.name.casefold()),
            Column("cluster", "Cluster", lambda row: row.cluster),
            Column("gpus", "GPUs", lambda row: row.gpus, first_descending=True),
            *_TIME_COLUMNS,
            Column("sample", "Last sample", lambda row: row.last_sample_at, "right", first_descending=True),
        ),
        lambda row: f"{row.name} {row.cluster} {row.gpu_model} {row.provider_id}".casefold(),
        ("cluster", "node", "provider_id", "gpu_model", "gpus", "last_sample_at", *_TIME_HEADER),
        _node_cells,
    ),
    "gpus": Listing(
        "gpus",
        "GPUs",
        lambda window, teams, cluster: reads_pages.gpus(window, teams=teams, node_cluster=cluster or None),
        (
            Column("name", "GPU", lambda row: (row.cluster, row.node, row.index, row.uuid)),
            Column("model", "Model", lambda row: row.model.casefold()),
            Column("holder", "Held by", lambda row: row.holder.casefold() or None),
            *_TIME_COLUMNS,
            Column("sample", "Last sample", lambda row: row.last_sample_at, "right", first_descending=True),
        ),
        lambda row: f"{row.uuid} {row.model} {row.cluster} {row.node} {row.holder} {row.team or ''}".casefold(),
        ("uuid", "model", "cluster", "node", "index", "holder", "team", "last_sample_at", *_TIME_HEADER),
        _gpu_cells,
    ),
}
