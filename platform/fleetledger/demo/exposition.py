"""dcgm-exporter's text for one node, or for several as if one exporter spoke for them."""

from collections.abc import Iterable

from fleetledger.demo.inventory import Node
from fleetledger.demo.metrics import METRICS
from fleetledger.demo.series import pod_labels, scraped, unit_labels
from fleetledger.demo.work import GRID_S
from fleetledger.demo.world import World


def text(world: World, nodes: Iterable[Node], at: float) -> str | None:
    """Prometheus' text format of the last scrape instant before `at`; None where all exporters are silent."""
    grid = int(at // GRID_S * GRID_S)
    rows: dict[str, list[str]] = {}
    for node in nodes:
        for metric, unit, workload, value in scraped(world, node, grid):
            labels = unit_labels(node, unit) | pod_labels(workload, prefix="")
            inner = ",".join(f'{name}="{given}"' for name, given in labels.items())
            rows.setdefault(metric.name, []).append(f"{metric.name}{{{inner}}} {value}")
    if not rows:
        return None
    lines: list[str] = []
    for name, found in rows.items():
        lines += [f"# HELP {name} {METRICS[name].help}", f"# TYPE {name} {METRICS[name].kind}", *found]
    return "\n".join(lines) + "\n"
