"""Bills come in row by row: raw and exact, the same bytes once, and nothing that is unreadable is lost."""

import gzip
import hashlib
import io
from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from costs import identical, ingest, reads_imports, reads_lines, snapshots, tasks
from costs.errors import UnknownSourceError, UnreadableFileError, UnsupportedFormatError
from costs.models import BillRow, Delivery, DeliveryPart, IdenticalRows, QuarantinedRow
from costs.sources import blocks
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Source
from tests import world
from tests.costs import bills

pytestmark = pytest.mark.django_db
FLEET = TeamScope.everything()
_ONE_MORE = """
INSERT INTO costs_billrow
    (id, part_id, line, fingerprint, resource_id, charge_id, charge_start_at, charge_end_at, billed)
SELECT id + 1, part_id, line + 1, 0, resource_id, charge_id, charge_start_at, charge_end_at, billed FROM costs_billrow
"""


@pytest.fixture(autouse=True)
def _source() -> None:
    bills.source()
    bills.tag_rule(world.team("a"), team="a")


def _quarantine() -> list[tuple[int, str]]:
    return list(QuarantinedRow.objects.values_list("line", "reason"))


def test_identical_rows_all_count_and_the_same_file_again_changes_nothing() -> None:
    content = bills.text(*[bills.row("0.01", Tags='{"team":"a"}')] * 2)
    first, again = bills.deliver(content), bills.deliver(content, name="copy.csv")
    row = BillRow.objects.order_by("id")[1]
    detail = reads_lines.bill_row(row.pk, teams=FLEET)
    assert (first.row_count, first.is_known, again.is_known, Delivery.objects.count()) == (2, False, True, 1)
    assert bills.allocated() == {"a": "0.02"}
    assert detail is not None
    assert (detail.copies, detail.line) == (2, 3)


def test_identical_rows_of_a_huge_file_are_counted_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identical, "KEPT", 2)
    bills.deliver(bills.text(*[bills.row("0.01")] * 3, bills.row("0.02")))
    assert list(IdenticalRows.objects.values_list("copies", flat=True)) == [3]


def test_a_file_as_long_as_another_but_with_other_bytes_is_a_delivery_of_its_own() -> None:
    bills.deliver(bills.text(bills.row("0.01")))
    other = bills.deliver(bills.text(bills.row("0.02")))
    assert (other.is_known, Delivery.objects.count()) == (False, 2)
    assert len(set(Delivery.objects.values_list("size_bytes", flat=True))) == 1


def test_the_same_file_delivered_by_two_at_once_is_stored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bills.text(bills.row("0.01"))
    first = ingest.receive("cloud", "bill.csv", io.BytesIO(content))
    monkeypatch.setattr(ingest, "_same_bytes", lambda *_: None)
    second = ingest.receive("cloud", "copy.csv", io.BytesIO(content))
    assert (second.is_known, second.delivery_id, Delivery.objects.count()) == (True, first.delivery_id, 1)
    assert Delivery.objects.get().sha256 == hashlib.sha256(content).hexdigest()


def test_gzip_and_a_byte_order_mark_and_spaced_headers_are_read() -> None:
    content = b"\xef\xbb\xbf" + bills.text(bills.row("1.5")).replace(b"BilledCost,", b"BilledCost ,", 1)
    packed = gzip.compress(content)
    done = bills.deliver(packed, name="bill.csv.gz")
    detail = reads_imports.bill_import(done.delivery_id, teams=FLEET)
    assert detail is not None
    assert (done.row_count, detail.columns[0]) == (1, "BilledCost")
    assert Delivery.objects.get().sha256 == hashlib.sha256(packed).hexdigest()
    assert "header-spaces" in {finding.check_id for finding in detail.findings}


def test_odd_numbers_and_dates_are_read_exactly() -> None:
    bills.bill(
        bills.row("35.2E-7", ChargePeriodStart="2026-10-01 00:00:00", ChargePeriodEnd="10/2/26"),
        bills.row("1.12345678901234567890123456", ListCost="null", ContractedCost=""),
        bills.row("0.1", ListCost="n/a", ChargePeriodStart="2026-10-01T02:00:00+02:00"),
    )
    rows = list(BillRow.objects.order_by("id").values_list("billed", "list_cost", "charge_start_at"))
    assert [str(row[0]) for row in rows] == ["0.00000352", "1.12345678901234567890123456", "0.1"]
    assert [row[1] for row in rows] == [Decimal("0.00000352"), None, None]
    assert rows[0][2] == rows[2][2] == bills.OCTOBER.start


def test_rows_that_cannot_be_read_are_quarantined_with_their_lines() -> None:
    lines = bills.text(bills.row("1"), bills.row("2"), bills.row("3"), bills.row("4")).decode().splitlines()
    content = "\n".join(
        [
            lines[0],
            lines[1],
            lines[2].replace("2026-10-05T11", "2026-10-05T30"),
            'a,"broken',
            lines[3].replace("3,", "x,", 1),
            "",
            "one,two",
            lines[4].replace("USD", "XYZ"),
            lines[4],
        ]
    )
    done = bills.deliver(content.encode())
    assert (done.row_count, done.quarantined_count) == (2, 5)
    assert _quarantine() == [
        (3, "ChargePeriodEnd '2026-10-05T30:00:00Z' is no instant in time"),
        (4, "a quote is opened and never closed"),
        (5, "BilledCost 'x' is no decimal number"),
        (7, "2 fields where the header has 30"),
        (8, "BillingCurrency 'XYZ' is no currency of ISO 4217"),
    ]
    assert QuarantinedRow.objects.get(line=4).raw == 'a,"broken'


def test_quoted_fields_may_hold_newlines_also_over_the_end_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 700)
    rows = [bills.row(str(number), ChargeDescription=f"two\nlines, {number}") for number in range(12)]
    done = bills.bill(*rows)
    stored = list(BillRow.objects.order_by("id").values_list("billed", "line", "charge__charge_description"))
    detail = reads_lines.bill_row(BillRow.objects.order_by("-id")[0].pk, teams=FLEET)
    assert (done.row_count, done.quarantined_count) == (12, 0)
    assert stored == [(Decimal(n), 2 + 2 * n, f"two\nlines, {n}") for n in range(12)]
    assert detail is not None
    assert dict(detail.values)["ChargeDescription"] == "two\nlines, 11"


def test_bytes_that_are_no_text_are_set_aside_line_by_line() -> None:
    lines = bills.text(bills.row("1"), bills.row("2"), bills.row("3")).splitlines(keepends=True)
    lines[1] = lines[1].replace(b"Machines", b"Mach\xffines")
    lines[2] = lines[2].replace(b"Machines", b"Mach\0ines")
    done = bills.deliver(b"".join(lines))
    assert (done.row_count, [line for line, _ in _quarantine()]) == (1, [2, 3])
    assert "Mach\\xffines" in QuarantinedRow.objects.get(line=2).raw


def test_a_changed_snapshot_replaces_the_former_and_says_what_changed() -> None:
    bills.bill(bills.row("1.00"), bills.row("2.00"), bills.row("2.00"), bills.row("3.00"))
    done = bills.bill(bills.row("2.00"), bills.row("3.00"), bills.row("5.50"))
    detail = reads_imports.bill_import(done.delivery_id, teams=FLEET)
    assert detail is not None
    (difference,) = detail.summary.differences
    assert (difference.unchanged_rows, difference.added_rows, difference.removed_rows) == (2, 1, 2)
    assert (difference.added_billed, difference.removed_billed) == (Decimal("5.50"), Decimal("3.00"))
    assert bills.allocated() == {"(unallocated:tag-missing)": "10.50"}


def test_a_snapshot_replaces_only_the_periods_that_it_has() -> None:
    september = {"BillingPeriodStart": "2026-09-01T00:00:00Z"}
    bills.bill(bills.row("1.00"), bills.row("2.00", **september))
    bills.bill(bills.row("4.00"))
    live = DeliveryPart.objects.filter(superseded_by=None).order_by("period")
    assert [(f"{part.period:%Y-%m}", part.billed) for part in live] == [("2026-09", 2), ("2026-10", 4)]


def test_an_appended_file_adds_to_what_is_there() -> None:
    bills.bill(bills.row("1.00"))
    bills.bill(bills.row("2.00"), mode="append")
    assert bills.allocated() == {"(unallocated:tag-missing)": "3.00"}


def test_rows_and_totals_survive_a_second_run_of_the_same_import() -> None:
    done = bills.bill(bills.row("1.00"))
    again = ingest.import_delivery(done.delivery_id)
    assert (again.is_known, BillRow.objects.count()) == (True, 1)


def test_an_import_that_loses_the_database_runs_again_and_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = bills.text(bills.row("1.00"), bills.row("2.00"))
    received = ingest.receive("cloud", "bill.csv", io.BytesIO(content))
    total_up = snapshots.total_up
    attempts: list[int] = []

    def lose_it_once(delivery: Delivery) -> None:
        attempts.append(BillRow.objects.count())
        if len(attempts) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        total_up(delivery)

    monkeypatch.setattr(snapshots, "total_up", lose_it_once)
    done = tasks.import_delivery.apply(args=[received.delivery_id])
    assert done.get() == "bill.csv: 2 rows imported."
    assert (attempts, BillRow.objects.count()) == ([2, 2], 2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "bill.csv: the file is empty."),
        (
            b"a,b\n1,2\n",
            "the columns BilledCost, BillingPeriodStart, ChargePeriodStart, ChargePeriodEnd, EffectiveCost",
        ),
        (b"PK\x03\x04....", "this is a ZIP archive"),
        (b"PAR1....", "this is a Parquet file"),
        (b"\x1f\x8bbroken", "the gzip data is broken"),
    ],
)
def test_a_file_that_is_no_bill_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    try:
        text = bills.deliver(content).error
    except UnreadableFileError as error:
        text = str(error)
    assert sentence in text
    assert BillRow.objects.count() == 0


def test_a_missing_currency_column_is_taken_from_the_source() -> None:
    bills.source("euro", currency="EUR")
    columns = [column for column in bills.COLUMNS if column != "BillingCurrency"]
    done = bills.deliver(bills.text(bills.row("1.00"), columns=columns), to="euro")
    refused = bills.deliver(bills.text(bills.row("1.00"), columns=columns))
    assert (done.state, DeliveryPart.objects.get().currency) == ("imported", "EUR")
    assert refused.error == (
        "bill.csv: the column BillingCurrency is missing, so this is no FOCUS bill that can be imported. "
        "Set `currency` on the source, or export the bill as FOCUS 1.0 or later."
    )


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownSourceError, match=r"No bill source is called 'aws'\. Known: cloud\."):
        bills.deliver(b"", to="aws")


def test_a_format_that_is_not_read_yet_is_refused() -> None:
    Source.objects.create(name="cur", kind="bill", config={"format": "aws-cur"})
    with pytest.raises(UnsupportedFormatError, match="has the format 'aws-cur'"):
        bills.deliver(b"", to="cur")


def test_the_raw_text_of_a_row_is_the_delivered_text() -> None:
    content = bills.text(bills.row("1.00"), bills.row("2.00", Tags='{"team":"a"}'))
    bills.deliver(content)
    detail = reads_lines.bill_row(BillRow.objects.get(billed=2).pk, teams=FLEET)
    assert detail is not None
    assert detail.raw == content.decode().splitlines()[2]
    assert dict(detail.values)["Tags"] == '{"team":"a"}'


def test_rows_cannot_be_added_to_an_imported_delivery() -> None:
    bills.bill(bills.row("1.00"))
    with (
        pytest.raises(Exception, match="only be added to a delivery while it is imported"),
        connection.cursor() as cursor,
    ):
        cursor.execute(_ONE_MORE)
