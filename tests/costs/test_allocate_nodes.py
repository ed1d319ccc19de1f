"""A node's cost falls to those who held its GPUs; what nobody held is idle, what nobody saw is unallocated."""

import pytest

from costs.allocate import allocate
from costs.models import AllocationLine
from fleetledger.fleet.models import IdlePolicy, Node, Pool, Team
from tests import world
from tests.costs import bills
from tests.costs.nodes import HOUR_US, Telemetry, later, telemetry

__all__ = ["telemetry"]
pytestmark = pytest.mark.django_db
ARN = "arn:aws:ec2:us-west-2:1:instance/i-0ABC"
SEVENTHS = [HOUR_US * part // 7 for part in (3, 2, 1)]


@pytest.fixture
def node() -> Node:
    bills.source()
    return world.node("node-a", provider_id="aws:///us-west-2a/i-0abc", gpus=8)


@pytest.fixture
def teams() -> tuple[Team, Team, Team]:
    return world.team("a"), world.team("b"), world.team("c")


def _eighty(telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]) -> None:
    """GPU 0: A 3g, B 2g, C 1g, one slice free; GPUs 1-3 A; GPU 4 B for half an hour; GPUs 5-7 free."""
    a, b, _ = teams
    telemetry.gpu(node, 0, list(zip(teams, SEVENTHS, strict=True)))
    for gpu in (1, 2, 3):
        telemetry.gpu(node, gpu, [(a, HOUR_US)])
    telemetry.gpu(node, 4, [(b, HOUR_US // 2)])
    for gpu in (5, 6, 7):
        telemetry.gpu(node, gpu, [])
    bills.bill(bills.row("80.00", ResourceId=ARN))


def test_an_hour_of_eighty_is_split_by_slices_and_minutes(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    _eighty(telemetry, node, teams)
    assert bills.allocated() == {"a": "34.28", "b": "7.86", "c": "1.43", "(idle)": "36.43"}


def test_idle_of_a_sharing_pool_falls_to_its_holders_in_proportion(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    Pool.objects.create(position=0, name="h100", match={"gpu_model": ".*H100.*"}, idle=IdlePolicy.SHARE)
    _eighty(telemetry, node, teams)
    assert bills.allocated() == {"a": "62.95", "b": "14.43", "c": "2.62"}


def test_idle_of_a_reserved_pool_falls_to_its_owner(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    Pool.objects.create(position=0, name="h100", match={}, idle=IdlePolicy.OWNER, owner=teams[2])
    _eighty(telemetry, node, teams)
    assert bills.allocated() == {"a": "34.28", "b": "7.86", "c": "37.86"}


def test_three_gpus_of_ten_in_thirds_cost_ten_each(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    for number in range(3):
        machine = world.node(f"n{number}", cluster=node.cluster, provider_id=f"i-{number}", gpus=1)
        telemetry.gpu(machine, number, [(team, HOUR_US // 3) for team in teams])
    bills.bill(*(bills.row("10.00", ResourceId=f"i-{number}") for number in range(3)))
    assert bills.allocated() == {"a": "10.00", "b": "10.00", "c": "10.00"}


def test_a_node_without_pods_is_idle_not_absent(telemetry: Telemetry, node: Node) -> None:
    for gpu in range(8):
        telemetry.gpu(node, gpu, [])
    bills.bill(bills.row("24.00", ResourceId=ARN))
    assert bills.allocated() == {"(idle)": "24.00"}


def test_declared_gpus_that_never_reported_are_without_telemetry(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    for gpu in range(6):
        telemetry.gpu(node, gpu, [(teams[0], HOUR_US)])
    telemetry.unknown(node, 6)
    bills.bill(bills.row("8.00", ResourceId=ARN))
    assert bills.allocated() == {"a": "6.00", "(unallocated:no-telemetry)": "2.00"}


def test_a_node_that_nobody_observed_is_without_telemetry(telemetry: Telemetry, node: Node) -> None:
    bills.bill(bills.row("8.00", ResourceId=ARN))
    assert bills.allocated() == {"(unallocated:no-telemetry)": "8.00"}


def test_a_workload_that_no_rule_owns_is_unallocated(telemetry: Telemetry, node: Node) -> None:
    for gpu in range(8):
        telemetry.gpu(node, gpu, [(None, HOUR_US)])
    bills.bill(bills.row("8.00", ResourceId=ARN))
    assert bills.allocated() == {"(unallocated:no-owner)": "8.00"}


def test_the_node_wins_over_the_tags(telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]) -> None:
    bills.tag_rule(teams[1], team="b")
    for gpu in range(8):
        telemetry.gpu(node, gpu, [(teams[0], HOUR_US)])
    bills.bill(bills.row("8.00", ResourceId=ARN, Tags='{"team":"b"}'), bills.row("1.00", Tags='{"team":"b"}'))
    assert bills.allocated() == {"a": "8.00", "b": "1.00"}


def test_an_instance_that_no_node_matches_is_named_so(telemetry: Telemetry, node: Node) -> None:
    bills.bill(bills.row("5.00", ResourceId="i-unknown"))
    assert bills.allocated() == {"(unallocated:no-node)": "5.00"}


def test_a_part_of_an_hour_counts_in_proportion(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    for gpu in range(8):
        telemetry.gpu(node, gpu, [(teams[0], HOUR_US)])
        telemetry.gpu(node, gpu, [(teams[1], HOUR_US)], at=later(1))
    bills.bill(
        bills.row(
            "60.00",
            ResourceId=ARN,
            ChargePeriodStart="2026-10-05T10:30:00Z",
            ChargePeriodEnd="2026-10-05T12:00:00Z",
        )
    )
    assert bills.allocated() == {"a": "20.00", "b": "40.00"}


def test_running_again_is_left_alone_until_an_input_moves(
    telemetry: Telemetry, node: Node, teams: tuple[Team, Team, Team]
) -> None:
    _eighty(telemetry, node, teams)
    (first,) = allocate(bills.OCTOBER)
    (second,) = allocate(bills.OCTOBER)
    Pool.objects.create(position=0, name="all", match={}, idle=IdlePolicy.OWNER, owner=teams[0])
    (third,) = allocate(bills.OCTOBER)
    Pool.objects.all().delete()
    (fourth,) = allocate(bills.OCTOBER)
    assert [outcome.is_unchanged for outcome in (first, second, third, fourth)] == [False, True, False, False]
    assert first.result_hash == second.result_hash == fourth.result_hash != third.result_hash
    assert first.inputs_hash == fourth.inputs_hash != third.inputs_hash
    assert AllocationLine.objects.count() == fourth.line_count
