"""Hours that are written as history are what the pull of the same samples gives."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from fleetledger.demo import history
from fleetledger.demo.inventory import Node
from fleetledger.demo.server import DemoServer
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S
from fleetledger.demo.world import World
from fleetledger.lib.buckets import Window, from_us
from monitoring.telemetry.assemble import GpuTerms, assemble
from monitoring.telemetry.integrate import Fact
from monitoring.telemetry.sources.prometheus import PrometheusSource
from monitoring.telemetry.sources.readings import Batch

NOW = 1_795_395_600
US = 1_000_000
TIMES = ("allocated_us", "unallocated_us", "unknown_us", "busy_us", "measured_us", "sm_us", "tensor_us", "dram_us",
         "fb_used_mib_us", "fb_measured_us", "energy_uj")  # fmt: skip
Key = tuple[str, int | None, str]
BUCKETS_PER_HOUR = 12


def node_named(world: World, name: str) -> Node:
    return next(node for node in world.nodes() if node.name == name)


def pulled(server: DemoServer, node: Node, start: int) -> dict[Key, list[int]]:
    """The hour's sums by unit and holder, through the Prometheus source and the integration of facts."""
    source = PrometheusSource(
        f"{server.url}/{node.cluster}", scrape_interval_s=GRID_S, matchers={"Hostname": node.name},
        class_label="workload_class", owner_label="workload_owner",
    )  # fmt: skip
    batch = source.pull(start * US, (start + HOUR_S) * US, before_us=900 * US, after_us=4500 * US)
    assert batch.missing == []
    found: dict[Key, list[int]] = defaultdict(lambda: [0] * len(TIMES))
    for fact in _facts(batch, node, start):
        key = (fact.unit.uuid, fact.unit.gi_id, fact.holder.workload if fact.holder else "")
        found[key] = [had + (getattr(fact, name) or 0) for had, name in zip(found[key], TIMES, strict=True)]
    return dict(found)


def _facts(batch: Batch, node: Node, start: int) -> Iterator[Fact]:
    terms = [
        GpuTerms(
            uuid=node.uuid(gpu),
            model=node.board.model,
            total_slices=7,
            first_us=(start - DAY_S) * US,
            until_us=None,
            slices={unit.gi_id: unit.slices for unit in units if unit.gi_id is not None},
        )
        for gpu, units in enumerate(node.gpus)
    ]
    window = Window(from_us(start * US), from_us((start + HOUR_S) * US))
    for bucket, _ in assemble(window, terms, batch.series, scrape_us=GRID_S * US):
        yield from bucket.reading.facts


def written(world: World, node: Node, start: int) -> dict[Key, list[int]]:
    return {
        (node.uuid(sums.gpu), sums.gi_id, sums.workload.pod if sums.workload else ""): [
            getattr(sums, name) for name in TIMES
        ]
        for sums in history.hours(world, node, start, start + HOUR_S)
    }


def hours_of(world: World, node: Node) -> dict[str, int]:
    """One hour without trouble, with a hand-over, with lost scrapes, with an exporter gone, with the power off."""
    found: dict[str, int] = {}
    for start in range(NOW - 25 * DAY_S, NOW - DAY_S, HOUR_S):
        silences = world.silences(node, start - HOUR_S, start + 2 * HOUR_S)
        inside = [s for s in silences if start < s.start < start + HOUR_S - 120]
        leases = sum(1 for lane in range(len(node.lanes)) for _ in world.held(node, lane, start, start + HOUR_S))
        if not silences:
            found.setdefault("hand-over" if leases > len(node.lanes) else "steady", start)
        elif len(inside) == len(silences) == 1 and inside[0].end < start + 2 * HOUR_S:
            silence = inside[0]
            lost = silence.end - silence.start <= 3 * GRID_S
            found.setdefault("off" if silence.powerless else "lost" if lost else "gone", start)
    return found


@pytest.mark.parametrize("name", ["h100-use1-03", "l40s-use1-02", "bm-h100-01"])
def test_an_hour_of_whole_gpus_is_exactly_what_a_pull_gives(demo_server: DemoServer, name: str) -> None:
    node = node_named(demo_server.world, name)
    hours = hours_of(demo_server.world, node)
    assert {"steady", "hand-over", "lost"} <= set(hours)
    for what, start in hours.items():
        assert written(demo_server.world, node, start) == pulled(demo_server, node, start), (what, start)


def test_an_hour_of_slices_is_what_a_pull_gives_but_for_rounding_in_each_bucket(demo_server: DemoServer) -> None:
    node = node_named(demo_server.world, "a100-usw2-08")
    for what, start in hours_of(demo_server.world, node).items():
        ours, theirs = written(demo_server.world, node, start), pulled(demo_server, node, start)
        assert ours.keys() == theirs.keys(), (what, start)
        for key, values in ours.items():
            for name, value, other in zip(TIMES, values, theirs[key], strict=True):
                slack = 2 * BUCKETS_PER_HOUR if name != "energy_uj" else 200 * BUCKETS_PER_HOUR
                assert abs(value - other) <= slack, (what, start, key, name)
        assert sum(map(sum, (v[:3] for v in ours.values()))) == sum(map(sum, (v[:3] for v in theirs.values())))


def test_an_hour_without_profiling_fields_leaves_garbage_out(demo_server: DemoServer) -> None:
    world = demo_server.world
    node = next(n for n in world.nodes() if not n.profiled and any(world.block(n, NOW).weather.garbage))
    at = next(t for times in world.block(node, NOW - DAY_S).weather.garbage for t in times)
    start = at // HOUR_S * HOUR_S
    assert written(world, node, start) == pulled(demo_server, node, start)
    assert sum(sums.rejected_samples for sums in history.hours(world, node, start, start + HOUR_S)) >= 1


def test_every_hour_of_a_day_adds_up_to_the_existence_of_all_gpus(world: World) -> None:
    for node in world.nodes():
        for start in range(NOW - DAY_S, NOW, HOUR_S):
            sums = history.hours(world, node, start, start + HOUR_S)
            total = sum(one.allocated_us + one.unallocated_us + one.unknown_us for one in sums)
            assert total == len(node.gpus) * HOUR_S * US
            energy = sum(history.energy_uj(world, node, gpu, start, start + HOUR_S) for gpu in range(len(node.gpus)))
            assert sum(one.energy_uj for one in sums) == energy
