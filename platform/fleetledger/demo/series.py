"""The world as Prometheus sees it: labelled series with their samples on the scrape grid."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from fleetledger.demo import service_metrics
from fleetledger.demo.dice import mix
from fleetledger.demo.inventory import Cluster, Node, Unit
from fleetledger.demo.metrics import METRICS, Metric, Moment
from fleetledger.demo.outages import ZONE_LOST
from fleetledger.demo.signals import Labels, Signal
from fleetledger.demo.work import GRID_S, Workload
from fleetledger.demo.world import World

DRIVER = "550.127.08"
PORT = 9400
KSM = "10.40.255.7:8080"
READY = "kube_node_status_condition"
Accepts = Callable[[Mapping[str, str]], bool]


@dataclass(slots=True)
class Series:
    """One label set (sorted by name, `__name__` first) with its (epoch seconds, value) samples in order."""

    labels: Labels
    samples: list[tuple[float, str]] = field(default_factory=list)


OF_NODES = (*METRICS, "kube_node_info", READY, "up")
NAMES = tuple(sorted({*OF_NODES, *service_metrics.names()}))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which series of which clusters, over [start, end] with both ends included."""

    scope: Sequence[Cluster]
    names: Collection[str]
    accepts: Accepts
    start: int
    end: int

    def nodes(self) -> Iterator[tuple[str, Node]]:
        for name in self.names:
            for cluster in self.scope if name in OF_NODES else ():
                for node in cluster.nodes:
                    yield name, node

    def signals(self) -> Iterator[Signal]:
        """Of services, and accepted."""
        clusters = {cluster.name for cluster in self.scope}
        for one in service_metrics.signals():
            if one.name in self.names and one.cluster in clusters and self.accepts(dict(one.labels)):
                yield one


def read(world: World, asked: Asked) -> list[Series]:
    """Every accepted series with its samples, sorted by labels."""
    found: dict[Labels, Series] = {}
    grid = range(-(-asked.start // GRID_S) * GRID_S, asked.end // GRID_S * GRID_S + 1, GRID_S)
    for name, node in asked.nodes():
        if metric := METRICS.get(name):
            for labels, samples in _stretches(world, metric, node, asked, grid):
                one = found.setdefault(labels, Series(labels))
                one.samples += samples
        elif grid and asked.accepts(dict(labels := node_labels(name, node))):
            found[labels] = Series(labels, [(at, node_value(world, name, node, at)) for at in grid])
    for signal in asked.signals():
        found[signal.labels] = Series(signal.labels, signal.samples(grid))
    return [found[labels] for labels in sorted(found) if found[labels].samples]


def node_value(world: World, name: str, node: Node, at: int) -> str:
    """What Prometheus says of the exporter, and Kubernetes of the node."""
    if name == "up":
        return "0" if world.is_silent(node, at) else "1"
    if name == READY:
        return "0" if world.is_off(node, at) or (node.zone in ZONE_LOST.zones and ZONE_LOST.is_on(at)) else "1"
    return "1"


def label_sets(world: World, asked: Asked) -> Iterator[Labels]:
    """The accepted label sets that some sample of the window may have, without the samples."""
    for name, node in asked.nodes():
        metric = METRICS.get(name)
        sets = {node_labels(name, node)} if metric is None else _unit_label_sets(world, metric, node, asked)
        yield from (labels for labels in sets if asked.accepts(dict(labels)))
    yield from (signal.labels for signal in asked.signals())


def scraped(world: World, node: Node, at: int) -> Iterator[tuple[Metric, Unit, Workload | None, str]]:
    """What the node's exporter answers at `at`, metric by metric; nothing while it is silent."""
    if world.is_silent(node, at):
        return
    block = world.block(node, at)
    for metric in METRICS.values():
        for unit in node.units:
            if metric.is_given_by(node, unit):
                lease = block.lease(node.lane_of[unit], at)
                yield metric, unit, lease.workload, metric.value(Moment(world, node, unit, lease, at))


def unit_labels(node: Node, unit: Unit) -> dict[str, str]:
    """The labels of the device itself, as the exporter writes them."""
    labels = {
        "gpu": str(unit.gpu),
        "UUID": node.uuid(unit.gpu),
        "device": f"nvidia{unit.gpu}",
        "modelName": node.board.model,
        "Hostname": node.name,
        "DCGM_FI_DRIVER_VERSION": DRIVER,
    }
    if unit.gi_id is not None:
        labels |= {"GPU_I_PROFILE": unit.profile, "GPU_I_ID": str(unit.gi_id)}
    return labels


def pod_labels(workload: Workload | None, prefix: str = "exported_") -> dict[str, str]:
    """Who holds the device. The class and the owner are labels of the pod; a pod may lack them."""
    if workload is None:
        return {}
    labels = {
        f"{prefix}namespace": workload.namespace,
        f"{prefix}pod": workload.pod,
        f"{prefix}container": workload.container,
        "workload_class": workload.kind,
        "workload_owner": workload.owner,
    }
    return {name: value for name, value in labels.items() if value}


def target_labels(node: Node) -> dict[str, str]:
    """What Prometheus adds about the scraped pod."""
    return {
        "job": "dcgm-exporter",
        "instance": f"{node.address}:{PORT}",
        "cluster": node.cluster,
        "namespace": "gpu-operator",
        "pod": f"nvidia-dcgm-exporter-{mix(13, node.index) % 0xFFFFF:05x}",
        "container": "nvidia-dcgm-exporter",
    }


@lru_cache(maxsize=50_000)
def _labels(name: str, node: Node, unit: Unit, workload: Workload | None) -> Labels:
    labels = unit_labels(node, unit) | pod_labels(workload) | target_labels(node)
    return (("__name__", name), *sorted(labels.items()))


def _unit_label_sets(world: World, metric: Metric, node: Node, asked: Asked) -> set[Labels]:
    return {
        _labels(metric.name, node, unit, lease.workload)
        for unit in node.units
        if metric.is_given_by(node, unit)
        for lease, _, _ in world.held(node, node.lane_of[unit], asked.start, asked.end + 1)
    }


def _stretches(
    world: World, metric: Metric, node: Node, asked: Asked, grid: range
) -> Iterator[tuple[Labels, list[tuple[float, str]]]]:
    """What each accepted holder of each unit has of samples, in order of time within a unit."""
    for unit in node.units if grid else ():
        if not metric.is_given_by(node, unit):
            continue
        for lease, first, last in world.held(node, node.lane_of[unit], grid[0], grid[-1] + GRID_S):
            labels = _labels(metric.name, node, unit, lease.workload)
            if asked.accepts(dict(labels)):
                times = world.scrapes(node, first, last)
                if not times:
                    continue
                yield labels, [(at, metric.value(Moment(world, node, unit, lease, at))) for at in times]


def node_labels(name: str, node: Node) -> Labels:
    if name == "up":
        return (("__name__", name), *sorted(target_labels(node).items()))
    if name == READY:
        labels = {"condition": "Ready", "status": "true", "node": node.name, "cluster": node.cluster}
        labels |= {"job": "kube-state-metrics", "instance": KSM}
        return (("__name__", name), *sorted(labels.items()))
    labels = {
        "job": "kube-state-metrics",
        "instance": KSM,
        "cluster": node.cluster,
        "node": node.name,
        "internal_ip": node.address,
        "provider_id": node.provider_id,
        "kernel_version": "6.8.0-1021",
        "kubelet_version": "v1.31.4",
        "os_image": "Ubuntu 22.04.5 LTS",
        "container_runtime_version": "containerd://1.7.24",
    }
    return (("__name__", name), *sorted(labels.items()))
