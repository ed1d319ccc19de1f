"""The simulated fleet is the promised one, the same on every run, and its sums are those of its samples."""

from collections import Counter
from itertools import pairwise

import pytest

from fleetledger.demo.inventory import A100, H100, L40S, NOBODY, TEAMS, Node
from fleetledger.demo.metrics import METRICS
from fleetledger.demo.weather import block_of, weather
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S
from fleetledger.demo.world import World

NOW = 1_795_395_600
TOTALS = {"aws-use1": 80, "aws-usw2": 64, "borealis-osl": 56}


def node_named(world: World, name: str) -> Node:
    return next(node for node in world.nodes() if node.name == name)


def test_three_clusters_have_two_hundred_gpus_of_three_models(world: World) -> None:
    assert {cluster.name: sum(len(node.gpus) for node in cluster.nodes) for cluster in world.clusters} == TOTALS
    models = Counter(node.board for node in world.nodes() for _ in node.gpus)
    assert models == {H100: 96, A100: 64, L40S: 40}
    assert len({node.uuid(gpu) for node in world.nodes() for gpu in range(len(node.gpus))}) == 200


def test_slices_of_a_partitioned_gpu_fit_into_it(world: World) -> None:
    cut = [units for node in world.nodes() for units in node.gpus if units[0].gi_id is not None]
    assert len(cut) == 16
    assert {sum(unit.slices for unit in units) for units in cut} == {5, 6, 7}
    assert {unit.profile for units in cut for unit in units} == {"1g.10gb", "2g.20gb", "3g.40gb"}


def test_two_worlds_say_the_same_whatever_was_asked_before(world: World) -> None:
    fresh = World()
    node = node_named(fresh, "a100-usw2-07")
    same = node_named(world, "a100-usw2-07")
    world.sample(same, same.units[0], NOW - 80 * DAY_S)
    instants = range(NOW - 40 * DAY_S, NOW, 7 * HOUR_S)
    assert [fresh.sample(node, unit, at) for unit in node.units for at in instants] == [
        world.sample(same, unit, at) for unit in same.units for at in instants
    ]


def test_the_numbers_of_a_release_stay(world: World) -> None:
    node = node_named(world, "h100-use1-01")
    sample = world.sample(node, node.units[0], NOW)
    assert sample is not None
    assert sample.workload is not None
    assert (sample.workload.team, sample.activity, sample.util, sample.xid) == ("vision", 883, 89, 0)


def test_a_lane_has_one_holder_at_any_time(world: World) -> None:
    for node in world.nodes():
        for lane in range(len(node.lanes)):
            stretches = list(world.held(node, lane, NOW - 60 * DAY_S, NOW))
            assert all(before[2] == after[1] for before, after in pairwise(stretches))
            assert (stretches[0][1], stretches[-1][2]) == (NOW - 60 * DAY_S, NOW)
            assert all(first % GRID_S == 0 and last % GRID_S == 0 for _, first, last in stretches)


def test_every_team_and_nobody_hold_gpus_and_some_stand_free(world: World) -> None:
    namespaces: set[str] = set()
    for node in world.nodes():
        for lane in range(len(node.lanes)):
            for lease, _, _ in world.held(node, lane, NOW - 30 * DAY_S, NOW):
                namespaces.add(lease.workload.namespace if lease.workload else "")
    wanted = {f"{slug}-{use}" for slug in TEAMS for use in ("train", "serve", "batch")}
    assert {"", NOBODY} < namespaces
    assert {name.rsplit("-", 1)[0] for name in namespaces if "-" in name} == set(TEAMS)
    assert len(wanted & namespaces) >= 12


def test_activity_sums_are_those_of_the_samples(world: World) -> None:
    node = node_named(world, "h100-use1-03")
    rhythm, unit = world.rhythm(node), node.units[5]
    start, end = NOW - 30 * HOUR_S - 17 * GRID_S, NOW - 90
    for lease, first, last in world.held(node, node.lane_of[unit], start, end):
        samples = [rhythm.at(lease, unit, at) for at in range(first, last, GRID_S)]
        assert rhythm.total(lease, unit, first, last) == sum(samples)
        assert all(0 <= activity <= 1000 for activity in samples)


@pytest.mark.parametrize("name", ["h100-use1-01", "a100-usw2-08", "bm-l40s-02"])
def test_the_energy_counter_grows_by_the_power_and_starts_anew_with_the_node(world: World, name: str) -> None:
    node = node_named(world, name)
    conditions = weather(node, block_of(node, NOW))
    start = conditions.start + DAY_S
    for at in range(start, start + HOUR_S, GRID_S):
        step = world.counter(node, 3, at + GRID_S) - world.counter(node, 3, at)
        assert step == GRID_S * world.power(node, 3, at)
    assert world.counter(node, 3, conditions.silences[0].end) == 0
    assert world.counter(node, 3, conditions.start - GRID_S) > 0


def test_silences_of_all_kinds_happen_and_leave_samples_between_them(world: World) -> None:
    lengths: Counter[str] = Counter()
    for node in world.nodes():
        found = world.silences(node, NOW - 90 * DAY_S, NOW)
        assert all(before.end + 2 * GRID_S <= after.start for before, after in pairwise(found))
        lengths.update("off" if s.powerless else "lost" if s.end - s.start == GRID_S else "gone" for s in found)
    assert min(lengths["off"], lengths["lost"], lengths["gone"]) > 25


def test_xids_and_garbage_appear_now_and_then(world: World) -> None:
    blocks = [world.block(node, NOW - days * DAY_S).weather for node in world.nodes() for days in (0, 28, 56)]
    assert 40 < sum(len(xids) for block in blocks for xids in block.xids) < 300
    assert 60 < sum(len(times) for block in blocks for times in block.garbage) < 500


def test_bare_metal_l40s_have_no_profiling_fields(world: World) -> None:
    coarse = node_named(world, "bm-l40s-01")
    given = {name for name, metric in METRICS.items() if metric.is_given_by(coarse, coarse.units[0])}
    assert not any("PROF" in name for name in given)
    assert "DCGM_FI_DEV_GPU_UTIL" in given
