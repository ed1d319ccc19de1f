"""What alerting asks of the ledger: the price of a GPU-hour, and money that no team bears."""

from datetime import timedelta
from decimal import Decimal

import pytest

from costs.hour_prices import hour_prices
from fleetledger.fleet import ports
from fleetledger.fleet.models import Node, Team
from fleetledger.fleet.ports import HourPrice
from monitoring.alerts.rules import evaluate, facts
from tests import world
from tests.alerts import rules_world
from tests.alerts import world as alerts
from tests.costs import bills
from tests.costs.nodes import HOUR_US, TEN, Telemetry, later, telemetry

__all__ = ["telemetry"]
pytestmark = pytest.mark.django_db
H100 = "NVIDIA H100"
NOVEMBER = TEN + timedelta(days=30)
HOUR_ROW = {"ResourceId": "i-0abc"}


@pytest.fixture
def node() -> Node:
    bills.source()
    return world.node("node-a", provider_id="i-0abc", gpus=2)


@pytest.fixture
def team() -> Team:
    return world.team("vision")


def price() -> HourPrice | None:
    return hour_prices([H100], NOVEMBER).get(H100)


def test_a_gpu_hour_costs_the_months_money_by_the_time_it_was_divided_among(
    telemetry: Telemetry, node: Node, team: Team
) -> None:
    telemetry.gpu(node, 0, [(team, HOUR_US)])
    telemetry.gpu(node, 1, [])
    bills.bill(bills.row("5.00", **HOUR_ROW))
    bills.allocated()
    assert price() == HourPrice(Decimal("2.500000000"), "USD")


def test_time_that_several_rows_stand_for_counts_once(telemetry: Telemetry, node: Node, team: Team) -> None:
    for hour in range(2):
        for gpu in range(2):
            telemetry.gpu(node, gpu, [(team, HOUR_US)], at=later(hour))
    second = {"ChargePeriodStart": "2026-10-05T11:00:00Z", "ChargePeriodEnd": "2026-10-05T12:00:00Z"}
    both = {"ChargePeriodStart": "2026-10-05T10:00:00Z", "ChargePeriodEnd": "2026-10-05T12:00:00Z"}
    bills.bill(
        bills.row("4.00", **HOUR_ROW),
        bills.row("4.00", **HOUR_ROW, **second),
        bills.row("1.00", **HOUR_ROW, ChargeDescription="Disk"),
        bills.row("1.00", **HOUR_ROW, **second, ChargeDescription="Disk"),
        bills.row("2.00", **HOUR_ROW, **both, ChargeDescription="Network"),
    )
    bills.allocated()
    assert price() == HourPrice(Decimal("3.000000000"), "USD")


def test_a_model_without_a_cost_has_no_price(telemetry: Telemetry, node: Node, team: Team) -> None:
    assert price() is None
    bills.bill(bills.row("5.00", ResourceId="i-other"))
    bills.allocated()
    assert price() is None


def test_the_fleet_knows_prices_by_its_port(telemetry: Telemetry, node: Node, team: Team) -> None:
    for gpu in range(2):
        telemetry.gpu(node, gpu, [(team, HOUR_US)])
    bills.bill(bills.row("6.00", **HOUR_ROW))
    bills.allocated()
    assert ports.gpu_hour_prices([H100, "NVIDIA L4"], NOVEMBER) == {H100: HourPrice(Decimal("3.000000000"), "USD")}
    assert ports.gpu_hour_prices([H100], TEN - timedelta(days=30)) == {}


def test_money_that_no_team_bears_is_told_by_its_reason() -> None:
    bills.source()
    bills.bill(bills.row("300.00", ResourceId="i-nobodys", ResourceType="Instance"), bills.row("60.00"))
    assert bills.allocated() == {"(unallocated:no-node)": "300.00", "(unallocated:tag-missing)": "60.00"}
    (found,) = facts.look("unallocated_money", {}, NOVEMBER, None)
    assert (found.labels, found.value, found.team_id) == (
        {"reason": "no-node", "currency": "USD", "period": "2026-10"},
        300.0,
        None,
    )
    assert found.annotations == {
        "summary": "300.00 USD of 2026-10 is borne by no team: no node has this provider id",
        "description": (
            "That is 83.3% of the month's bill. Its rows are on the costs page under (unallocated:no-node)."
        ),
        "impact_per_day": "300.00",
        "impact_currency": "USD",
    }
    assert len(facts.look("unallocated_money", {"above": "50.00"}, NOVEMBER, None)) == 2
    assert facts.look("unallocated_money", {"above": "50.00", "share": 0.9}, NOVEMBER, None) == []


def test_it_resolves_once_somebody_bears_it(team: Team) -> None:
    bills.source()
    bills.bill(bills.row("300.00", Tags='{"owner": "vision"}'))
    bills.allocated()
    rules_world.without_defaults()
    rules_world.about("unallocated_money", name="Unallocated")
    alerts.set_clock(NOVEMBER)
    evaluate.evaluate_due()
    assert [labels["reason"] for labels in rules_world.firing("Unallocated")] == ["tag-missing"]
    bills.tag_rule(team, owner="vision")
    bills.allocated()
    alerts.advance(60)
    evaluate.evaluate_due()
    assert rules_world.firing("Unallocated") == []
