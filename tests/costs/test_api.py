"""The ledger over the API: the same statements as everywhere, decimal strings, and nothing for strangers."""

from typing import Any

import pytest
from django.test import Client

from costs import tasks
from costs.models import BillRow, Delivery
from fleetledger.fleet.models import JobState, Role, Team, User
from tests import world
from tests.costs import bills

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1"


@pytest.fixture
def team_a() -> Team:
    bills.source()
    return world.team("a")


@pytest.fixture
def finance() -> Client:
    return _signed_in(world.user("fin", role=Role.FINANCE))


@pytest.fixture
def allocated(team_a: Team) -> None:
    other = world.team("b")
    bills.tag_rule(team_a, 0, team="a")
    bills.tag_rule(other, 1, team="b")
    bills.bill(
        bills.row("100.004", Tags='{"team":"a"}'),
        bills.row("50.00", Tags='{"team":"b"}'),
        bills.row("1.00"),
    )
    bills.allocated()


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _get(client: Client, path: str) -> Any:
    answer = client.get(f"{ADDRESS}{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.usefixtures("allocated")
def test_statements_are_decimal_strings_with_their_status(finance: Client) -> None:
    rows = _get(finance, "/statements?period=2026-10")["results"]
    assert [(row["team"], row["account"], row["total"], row["exact"], row["number"]) for row in rows] == [
        (None, "(unallocated:tag-missing)", "1.00", "1.00", None),
        ("a", "a", "100.00", "100.004", None),
        ("b", "b", "50.00", "50.00", None),
    ]
    assert {row["status"] for row in rows} == {"draft"}


@pytest.mark.usefixtures("allocated")
def test_the_csv_says_the_same_as_the_json(finance: Client) -> None:
    text = finance.get(f"{ADDRESS}/statements?period=2026-10&format=csv").content.decode()
    header, *lines = text.splitlines()
    place = header.split(",").index("total")
    assert [line.split(",")[place] for line in lines] == ["1.00", "100.00", "50.00"]


@pytest.mark.usefixtures("allocated")
def test_lines_lead_from_a_statement_to_its_bill_rows(finance: Client) -> None:
    rows = _get(finance, "/statements/a/lines?period=2026-10")["results"]
    assert [(row["amount"], row["row_amount"], row["unit"], row["line"]) for row in rows] == [
        ("100.004", "100.004", "whole", 2)
    ]
    assert rows[0]["bill_row"] == BillRow.objects.get(billed="100.004").pk


@pytest.mark.usefixtures("allocated")
def test_the_proof_reaches_from_the_bill_to_every_part(finance: Client) -> None:
    (found,) = _get(finance, "/periods/2026-10/proof")["sets"]
    assert (found["difference"], found["billed"]["exact"], found["billed"]["total"]) == ("0.000", "151.004", "151.00")
    assert [(node["key"], node["total"]) for node in found["billed"]["children"]] == [
        ("team", "150.00"),
        ("unallocated", "1.00"),
    ]


@pytest.mark.usefixtures("allocated")
def test_a_period_tells_its_totals_and_when_it_is_stale(finance: Client) -> None:
    before = _get(finance, "/periods/2026-10")
    bills.bill(bills.row("9.00"), mode="append")
    after = _get(finance, "/periods/2026-10")
    assert (before["totals"][0]["total"], before["stale"], after["stale"]) == ("151.00", False, True)


@pytest.mark.usefixtures("allocated")
def test_a_member_of_another_team_sees_nothing_of_it() -> None:
    stranger = _signed_in(world.member(Team.objects.get(slug="b")))
    statements = _get(stranger, "/statements?period=2026-10")["results"]
    charges = _get(stranger, "/charges?period=2026-10")["results"]
    assert [row["account"] for row in statements] == [row["group"] for row in charges] == ["b"]
    for path in (
        "/statements/a?period=2026-10",
        "/statements/a/lines?period=2026-10",
        "/statements/(unallocated:tag-missing)/lines?period=2026-10",
        "/charges?period=2026-10&team=a",
        "/periods/2026-10/proof",
        f"/bill-imports/{Delivery.objects.get().pk}",
    ):
        assert stranger.get(f"{ADDRESS}{path}").status_code == 404, path
    assert _get(stranger, "/bill-imports")["results"] == []
    assert _get(stranger, "/periods/2026-10")["totals"] == []


@pytest.mark.usefixtures("allocated")
def test_an_answer_that_the_client_has_is_not_sent_again(finance: Client) -> None:
    first = finance.get(f"{ADDRESS}/charges?period=2026-10&group_by=day")
    again = finance.get(f"{ADDRESS}/charges?period=2026-10&group_by=day", headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_a_delivered_file_is_stored_at_once_and_imported_by_a_worker(
    finance: Client, team_a: Team, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.import_delivery, "delay", sent.append)
    content = bills.text(bills.row("3.00"), bills.row("x"))
    with django_capture_on_commit_callbacks(execute=True):
        answer = finance.post(
            f"{ADDRESS}/bill-imports?source=cloud&filename=oct.csv",
            content,
            content_type="text/csv",
            headers={"Idempotency-Key": "k1"},
        )
        again = finance.post(
            f"{ADDRESS}/bill-imports?source=cloud&filename=oct.csv",
            content,
            content_type="text/csv",
            headers={"Idempotency-Key": "k1"},
        )
    assert (answer.status_code, answer.json()["state"], answer.json()["file"]) == (202, "received", "oct.csv")
    assert (again.json()["id"], again["Idempotency-Replayed"]) == (answer.json()["id"], "true")
    assert sent == [answer.json()["id"]]
    assert tasks.import_delivery(sent[0]) == "oct.csv: 1 row imported, 1 in quarantine."
    found = _get(finance, f"/bill-imports/{sent[0]}")
    assert (found["delivery"]["state"], found["delivery"]["rows"], found["delivery"]["totals"][0]["billed"]) == (
        "imported",
        1,
        "3.00",
    )
    assert found["quarantine"][0]["reason"] == "BilledCost 'x' is no decimal number"
    job = Delivery.objects.get().job
    assert job is not None
    assert job.state == JobState.DONE


def test_an_upload_without_a_source_or_by_a_viewer_is_refused(finance: Client, team_a: Team) -> None:
    viewer = _signed_in(world.member(team_a))
    no_source = finance.post(f"{ADDRESS}/bill-imports", b"x", content_type="text/csv")
    unknown = finance.post(f"{ADDRESS}/bill-imports?source=zz", b"x", content_type="text/csv")
    assert (no_source.status_code, unknown.status_code) == (422, 422)
    assert unknown.json()["detail"] == "No bill source is called 'zz'. Known: cloud."
    assert viewer.post(f"{ADDRESS}/bill-imports?source=cloud", b"x", content_type="text/csv").status_code == 403
