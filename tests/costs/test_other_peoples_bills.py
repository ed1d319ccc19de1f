"""Every bill of other people is imported with nothing lost, or refused in a sentence."""

import csv
from pathlib import Path

import pytest

from costs.models import DeliveryState, QuarantinedRow
from tests.costs import bills

pytestmark = [pytest.mark.conformance, pytest.mark.django_db]
FOLDERS = ("focus_invalid", "focus_spec_commitments", "native", "azure_headers")


def _deliver(file: Path) -> tuple[str, int, int, str]:
    bills.source(currency="USD")
    done = bills.deliver(file.read_bytes(), name=file.name)
    return done.state, done.row_count, done.quarantined_count, done.error


def test_every_file_is_imported_whole_or_refused_in_a_sentence(shared_data: Path) -> None:
    files = sorted(file for folder in FOLDERS for file in (shared_data / "billing" / folder).glob("*.csv"))
    assert len(files) > 20
    for file in files:
        state, rows, aside, error = _deliver(file)
        if state == DeliveryState.REFUSED:
            assert error.startswith(f"{file.name}: "), error
            assert error.endswith("."), error
        else:
            with file.open(newline="", encoding="utf-8-sig") as lines:
                assert rows + aside == len([row for row in list(csv.reader(lines))[1:] if row]), file.name


def test_the_commitment_examples_are_imported_but_for_the_impossible_hour(shared_data: Path) -> None:
    folder = shared_data / "billing" / "focus_spec_commitments"
    outcomes = [_deliver(file) for file in sorted(folder.glob("*.csv"))]
    assert {state for state, *_ in outcomes} == {"imported"}
    reasons = list(QuarantinedRow.objects.values_list("reason", flat=True))
    assert reasons
    assert all("T30:00:00Z' is no instant in time" in reason for reason in reasons)


def test_native_exports_are_told_to_come_as_focus(shared_data: Path) -> None:
    folder = shared_data / "billing" / "native"
    _, _, _, azure = _deliver(folder / "azure_azure_version_2.csv")
    _, _, _, aws = _deliver(folder / "aws_2023-06-01.csv")
    assert "create a Cost Management export of type FOCUS" in azure
    assert "AWS Cost and Usage Report" in aws


def test_the_synthetic_bill_of_version_1_2_is_imported_whole(shared_data: Path) -> None:
    state, rows, aside, _ = _deliver(shared_data / "billing" / "focus_1_2_synthetic_aws.csv")
    assert (state, rows, aside) == ("imported", 1500, 0)
