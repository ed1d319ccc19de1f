"""A real bill of three providers gives the statements of the gold figures, to the cent and to the last decimal."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from costs import reads
from costs.allocate import allocate
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Month
from tests import world
from tests.costs import bills

pytestmark = [pytest.mark.conformance, pytest.mark.django_db]
SEPTEMBER = Month(2024, 9)
UNITS = ("PeoriaData", "TempeAI", "PragueEngineering")


@pytest.fixture
def sample(shared_data: Path) -> bytes:
    for position, unit in enumerate(UNITS):
        bills.tag_rule(world.team(unit.lower(), name=unit), position, business_unit=unit)
    bills.source(basis="billed")
    return (shared_data / "billing" / "focus_sample.csv").read_bytes()


def test_september_of_all_providers_has_the_gold_statements(sample: bytes) -> None:
    done = bills.deliver(sample)
    (outcome,) = allocate(SEPTEMBER)
    found = bills.statements(SEPTEMBER)
    assert (done.row_count, done.quarantined_count) == (1000, 0)
    assert outcome.exact == Decimal("20.28022672899")
    assert outcome.amount == Decimal("20.28")
    assert {unit: found[unit.lower()] for unit in UNITS} == {
        "PeoriaData": "15.96",
        "TempeAI": "0.23",
        "PragueEngineering": "0.44",
    }
    assert sum(Decimal(amount) for amount in found.values()) == Decimal("20.28")


def test_the_one_row_of_october_is_billed_in_october(sample: bytes) -> None:
    bills.deliver(sample)
    (outcome,) = allocate(Month(2024, 10))
    assert (outcome.row_count, outcome.amount) == (1, Decimal("0.24"))


def test_one_provider_alone_rounds_its_own_set_once(sample: bytes) -> None:
    rows = list(csv.DictReader(io.StringIO(sample.decode())))
    aws = [row for row in rows if row["ProviderName"] == "AWS"]
    bills.deliver(bills.text(*aws, columns=list(aws[0])))
    (outcome,) = allocate(SEPTEMBER)
    assert (outcome.row_count, outcome.exact, outcome.amount) == (942, Decimal("18.00663861840"), Decimal("18.01"))
    found = reads.statements(SEPTEMBER, teams=TeamScope.everything())
    assert sum(row.amount for row in found) == Decimal("18.01")
