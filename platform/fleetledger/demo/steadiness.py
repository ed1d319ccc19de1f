"""Which series a probe's selector has, each cut where what it says of its process can change."""

from collections.abc import Iterator
from itertools import pairwise

from fleetledger.demo import series, service_metrics
from fleetledger.demo.inventory import Cluster, Node
from fleetledger.demo.outages import ZONE_LOST
from fleetledger.demo.selector import Selector
from fleetledger.demo.series import READY
from fleetledger.demo.signals import Labels, Segment
from fleetledger.demo.world import World

Line = tuple[Labels, list[Segment]]


def lines(world: World, cluster: Cluster, selector: Selector, start: int, end: int) -> Iterator[Line]:
    """Of nodes and of services, over [start, end)."""
    for name in ("up", READY):
        for node in cluster.nodes:
            labels = series.node_labels(name, node)
            if selector.accepts(dict(labels)):
                yield labels, list(_of_node(world, name, node, start, end))
    for signal in service_metrics.signals():
        if signal.cluster == cluster.name and selector.accepts(dict(signal.labels)):
            yield signal.labels, list(signal.segments(start, end))


def _of_node(world: World, name: str, node: Node, start: int, end: int) -> Iterator[Segment]:
    silences = [(one.start, one.end) for one in world.silences(node, start, end)]
    lost = [(one.start, one.end) for one in ZONE_LOST.within(start, end)]
    edges = sorted({start, end} | {at for pair in (*silences, *lost) for at in pair if start < at < end})
    for first, last in pairwise(edges):
        yield Segment(first, last, lambda at: series.node_value(world, name, node, at))
