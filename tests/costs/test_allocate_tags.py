"""Rows without a node fall to the team their tags name; each way to name none is a reason of its own."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.allocate import allocate
from costs.allocate_lines import split_exactly
from costs.errors import NothingToAllocateError
from costs.models import AllocationLine, AllocationRun, BillRow
from fleetledger.fleet.models import OwnershipRule
from fleetledger.lib import money
from fleetledger.lib.buckets import Month
from tests import world
from tests.costs import bills

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _team_a() -> None:
    bills.source()
    bills.tag_rule(world.team("a"), team="a")


def test_each_way_to_name_no_team_is_a_reason_of_its_own() -> None:
    bills.bill(
        bills.row("1.00", Tags='{"team":"a"}'),
        bills.row("2.00", Tags='{"team":null}'),
        bills.row("3.00", Tags='{" team":"a"}'),
        bills.row("4.00", Tags='{"team":'),
        bills.row("5.00", Tags='{"team":"zz"}'),
        bills.row("6.00", Tags="NULL"),
        bills.row("7.00", Tags='["team"]'),
        bills.row("-2.6137", ChargeCategory="Credit"),
    )
    assert bills.allocated() == {
        "a": "1.00",
        "(unallocated:tag-null)": "2.00",
        "(unallocated:tag-spaced)": "3.00",
        "(unallocated:tags-unreadable)": "11.00",
        "(unallocated:tag-unknown)": "5.00",
        "(unallocated:tag-missing)": "3.39",
    }


@pytest.mark.parametrize("category", ["Usage", "Purchase", "Tax", "Credit", "Adjustment"])
def test_the_category_never_decides_who_pays(category: str) -> None:
    bills.bill(bills.row("7.00", ChargeCategory=category, Tags='{"team":"a"}'))
    assert bills.allocated() == {"a": "7.00"}


def test_currencies_are_never_added() -> None:
    bills.bill(
        bills.row("1.005", Tags='{"team":"a"}', BillingCurrency="KWD"),
        bills.row("2.50", Tags='{"team":"a"}', BillingCurrency="EUR"),
        bills.row("7", Tags='{"team":"a"}', BillingCurrency="JPY"),
    )
    outcomes = allocate(bills.OCTOBER)
    assert [(each.currency, str(each.amount)) for each in outcomes] == [("EUR", "2.50"), ("JPY", "7"), ("KWD", "1.005")]


def test_a_rule_counts_from_its_day_also_within_one_row() -> None:
    second = world.team("b")
    OwnershipRule.objects.create(team=second, position=1, match={"tags": {"team": "a"}}, valid_from=date(2026, 10, 4))
    bills.bill(
        bills.row(
            "10.00",
            Tags='{"team":"a"}',
            ChargePeriodStart="2026-10-01T00:00:00Z",
            ChargePeriodEnd="2026-10-11T00:00:00Z",
        )
    )
    assert bills.allocated() == {"a": "3.00", "b": "7.00"}


def test_an_effective_basis_charges_effective_cost_and_a_billed_basis_billed_cost() -> None:
    bills.source("billed", basis="billed")
    content = bills.text(bills.row("9.00", EffectiveCost="4.00", Tags='{"team":"a"}'))
    bills.deliver(content)
    bills.deliver(content, to="billed")
    outcomes = {outcome.source: str(outcome.amount) for outcome in allocate(bills.OCTOBER)}
    assert outcomes == {"billed": "9.00", "cloud": "4.00"}
    assert bills.statements() == {"a": "13.00"}


def test_a_period_without_rows_is_refused_with_the_periods_there_are() -> None:
    bills.bill(bills.row("1.00"))
    with pytest.raises(
        NothingToAllocateError, match=r"No bill has rows of 2026-09\. Periods with bill rows: 2026-10\."
    ):
        allocate(Month(2026, 9))


def test_the_database_refuses_a_run_whose_lines_do_not_sum_to_their_rows() -> None:
    bills.bill(bills.row("1.00", Tags='{"team":"a"}'))
    allocate(bills.OCTOBER)
    run = AllocationRun.objects.get()
    with pytest.raises(IntegrityError, match="do not sum"), transaction.atomic():
        _lose_the_lines(run)


def test_the_database_refuses_to_change_rows_and_lines() -> None:
    bills.bill(bills.row("1.00", Tags='{"team":"a"}'))
    allocate(bills.OCTOBER)
    for refused in (
        lambda: BillRow.objects.update(billed=2),
        lambda: BillRow.objects.all().delete(),
        lambda: AllocationLine.objects.update(amount=2),
        lambda: AllocationLine.objects.all().delete(),
    ):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            refused()


def _lose_the_lines(run: AllocationRun) -> None:
    AllocationRun.objects.filter(pk=run.pk).update(state="running")
    AllocationLine.objects.filter(run=run).delete()
    AllocationRun.objects.filter(pk=run.pk).update(state="draft")
    AllocationRun.objects.filter(pk=run.pk).update(row_count=1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@settings(max_examples=25, deadline=None)
@given(
    amounts=st.lists(
        st.decimals(min_value=-(10**6), max_value=10**6, places=11, allow_nan=False), min_size=1, max_size=8
    )
)
def test_lines_sum_to_rows_and_statements_to_the_bill(amounts: list[Decimal]) -> None:
    with transaction.atomic():
        tags = ['{"team":"a"}', "", "x"]
        bills.bill(*(bills.row(money.plain(amount), Tags=tags[at % 3]) for at, amount in enumerate(amounts)))
        (outcome,) = allocate(bills.OCTOBER)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert outcome.exact == money.total(amounts)
        stated = sum(Decimal(amount) for amount in bills.statements().values())
        assert stated == outcome.amount == money.from_minor(money.rounded_minor(outcome.exact, "USD"), "USD")
        transaction.set_rollback(True)


@given(
    amount=st.decimals(min_value=-(10**6), max_value=10**6, allow_nan=False),
    weights=st.lists(st.integers(min_value=1, max_value=10**13), min_size=1, max_size=9),
)
def test_an_amount_is_split_without_loss(amount: Decimal, weights: list[int]) -> None:
    parts = split_exactly(amount, weights)
    assert money.total(parts) == amount
    assert split_exactly(amount.copy_negate(), weights) == [part.copy_negate() for part in parts]
