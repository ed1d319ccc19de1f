"""The costs pages: their sums, their words, and what each reader may see of them."""

import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import DjangoAssertNumQueries

from costs import figures, importing, reads
from costs.fractions import fraction_text
from costs.models import BillRow, Delivery
from costs.tasks import import_delivery
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role, Team, User
from tests import world
from tests.costs import bills

pytestmark = pytest.mark.django_db

DEMO_TAGS = json.dumps({"unit": "vision"}), json.dumps({"unit": "speech"})
TOTAL = "$100.01"


@pytest.fixture
def vision() -> Team:
    """A month of two teams: Vision 60.005, Speech 30.005, 10.00 without a tag."""
    vision, speech = world.team("vision", name="Vision Research"), world.team("speech", name="Speech")
    bills.source(basis="billed")
    bills.tag_rule(vision, 0, unit="vision")
    bills.tag_rule(speech, 1, unit="speech")
    own, other = DEMO_TAGS
    bills.bill(bills.row("60.005", Tags=own), bills.row("30.005", Tags=other), bills.row("10.00", Tags="{}"))
    bills.allocated()
    return vision


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _body(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def _rows() -> dict[str, int]:
    """Bill rows by their amount."""
    return {f"{row.billed.normalize():f}": row.pk for row in BillRow.objects.all()}


@pytest.mark.parametrize("path", ["/chargeback/", "/chargeback/2026-10/vision/", "/chargeback/rows/1/", "/bills/"])
def test_a_stranger_is_asked_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/sign-in/?next=")


def test_the_month_adds_up_to_the_bill(vision: Team) -> None:
    body = _body(_as(world.user(role=Role.FINANCE)), "/chargeback/?period=2026-10")
    assert f"Adds up to the bill of {TOTAL}" in body
    for words in ("Vision Research", "Speech", "Unallocated: tag missing", "$60.00", "$30.01", "$10.00"):
        assert words in body


def test_the_month_as_csv_sums_to_the_bill(vision: Team) -> None:
    lines = _body(_as(world.admin()), "/chargeback/?period=2026-10&format=csv").splitlines()
    assert lines == [
        "period,account,kind,label,cost_center,currency,amount,exact,previous_amount,status,number",
        "2026-10,speech,team,Speech,,USD,30.01,30.005,,draft,",
        "2026-10,vision,team,Vision Research,,USD,60.00,60.005,,draft,",
        "2026-10,(unallocated:tag-missing),unallocated,Unallocated: tag missing,,USD,10.00,10.00,,draft,",
    ]


def test_a_lead_sees_the_own_team_and_no_sum_of_the_bill(vision: Team) -> None:
    client = _as(world.member(vision, role=Role.LEAD))
    for path in ("/chargeback/?period=2026-10", "/chargeback/?period=2026-10&format=csv"):
        body = _body(client, path)
        assert "Vision Research" in body
        for hidden in ("Speech", "Unallocated", TOTAL, "100.01"):
            assert hidden not in body


def test_another_teams_statement_is_no_page(vision: Team) -> None:
    client = _as(world.member(vision, role=Role.LEAD))
    assert client.get("/chargeback/2026-10/vision/").status_code == 200
    for path in ("/chargeback/2026-10/speech/", "/chargeback/2026-10/(unallocated:tag-missing)/"):
        assert client.get(path).status_code == 404
        assert client.get(f"{path}?format=csv").status_code == 404


def test_another_teams_bill_row_is_no_page(vision: Team) -> None:
    client = _as(world.member(vision))
    rows = _rows()
    assert client.get(f"/chargeback/rows/{rows['60.005']}/").status_code == 200
    assert client.get(f"/chargeback/rows/{rows['30.005']}/").status_code == 404
    assert client.get(f"/chargeback/rows/{rows['10']}/").status_code == 404


def test_the_figure_holds_the_readers_own_days_only(vision: Team) -> None:
    path = "/chargeback/2026-10/figures/days.json?currency=USD"
    names = [trace["name"] for trace in json.loads(_body(_as(world.member(vision)), path))["data"]]
    assert names == ["Vision Research"]
    figure = json.loads(_body(_as(world.admin()), path))
    assert [(trace["name"], sum(trace["y"])) for trace in figure["data"]] == [
        ("Vision Research", 60.005),
        ("Speech", 30.005),
        ("Unallocated: tag missing", 10.0),
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LEAD])
def test_bills_are_not_for_members(vision: Team, role: str) -> None:
    client = _as(world.member(vision, role=role))
    assert "Your teams&#x27; part of them is under Chargeback" in _body(client, "/bills/", 403)
    assert client.get(f"/bills/{Delivery.objects.get().pk}/").status_code == 404


@pytest.mark.parametrize(("role", "may"), [(Role.FINANCE, True), (Role.ADMIN, True), (Role.SRE, False)])
def test_finance_and_administrators_bring_bills_in(vision: Team, role: str, may: bool) -> None:
    client = _as(world.user(role=role))
    assert ("Bring a bill in" in _body(client, "/bills/")) is may
    content = bills.text(bills.row("1.00", Tags=DEMO_TAGS[0]))
    answer = client.post("/bills/", {"source": "cloud", "file": SimpleUploadedFile("new.csv", content)})
    assert answer.status_code == (302 if may else 403)
    assert Delivery.objects.filter(file_name="new.csv").exists() is may


def test_the_same_bytes_again_lead_to_the_delivery_that_is_there(vision: Team) -> None:
    client = _as(world.user(role=Role.FINANCE))
    content = bills.text(bills.row("1.00"))
    bills.deliver(content, name="a.csv")
    answer = client.post("/bills/", {"source": "cloud", "file": SimpleUploadedFile("a.csv", content)}, follow=True)
    assert "These bytes were delivered before: nothing changed." in answer.content.decode()
    assert Delivery.objects.filter(file_name="a.csv").count() == 1


@pytest.mark.parametrize(
    ("source", "has_file", "sentence"),
    [("cloud", False, "Choose a file first"), ("nowhere", True, "No bill source is called &#x27;nowhere&#x27;")],
)
def test_a_refused_upload_is_told(vision: Team, source: str, has_file: bool, sentence: str) -> None:
    words: dict[str, object] = {"source": source}
    if has_file:
        words["file"] = SimpleUploadedFile("a.csv", b"a,b\n")
    answer = _as(world.user(role=Role.FINANCE)).post("/bills/", words, follow=True)
    assert sentence in answer.content.decode()


def test_an_import_shows_what_could_not_be_read_and_why(vision: Team) -> None:
    broken = bills.text(bills.row("1.00"), bills.row("two")).decode() + "a,b\n"
    imported = bills.deliver(broken.encode(), name="broken.csv")
    client = _as(world.user(role=Role.SRE))
    body = _body(client, f"/bills/{imported.delivery_id}/")
    assert "2 fields where the header has" in body
    lines = _body(client, f"/bills/{imported.delivery_id}/?format=csv&table=quarantine").splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "3", "4"]


def test_a_refused_file_says_why_on_its_page(vision: Team) -> None:
    imported = bills.deliver(b"a,b\n1,2\n", name="holiday.csv")
    body = _body(_as(world.admin()), f"/bills/{imported.delivery_id}/")
    assert "so this is no FOCUS bill" in body


def test_a_bill_row_shows_every_column_and_lines_that_sum_to_it(vision: Team) -> None:
    pk = _rows()["60.005"]
    body = _body(_as(world.admin()), f"/chargeback/rows/{pk}/")
    for words in ("BilledCost", "ServiceName", "Machines", "60.005 USD", "The whole row"):
        assert words in body
    csv_lines = _body(_as(world.admin("other")), f"/chargeback/rows/{pk}/?format=csv").splitlines()
    assert len(csv_lines) == 2


def test_lines_come_in_pages_and_whole_as_csv(vision: Team) -> None:
    bills.bill(*(bills.row("0.01", Tags=DEMO_TAGS[0], ChargeDescription=f"part {n}") for n in range(120)))
    bills.allocated()
    client = _as(world.member(vision))
    first = _body(client, "/chargeback/2026-10/vision/")
    assert "part 49" in first
    assert "part 50" not in first
    assert 'rel="next"' in first
    assert len(_body(client, "/chargeback/2026-10/vision/?format=csv").splitlines()) == 121


def test_without_a_bill_the_page_names_the_next_command(db: None) -> None:
    body = _body(_as(world.user(role=Role.FINANCE)), "/chargeback/")
    assert "fleetledger import-bill" in body
    assert "fleetledger import-bill" not in _body(_as(world.user()), "/chargeback/")


def test_a_bill_that_nobody_divided_names_the_next_command(db: None) -> None:
    bills.source()
    bills.bill(bills.row("1.00"))
    assert "fleetledger allocate 2026-10" in _body(_as(world.admin()), "/chargeback/")


@pytest.mark.parametrize("period", ["2026-13", "last", "2026-1"])
def test_a_period_that_is_no_month_is_no_page(vision: Team, period: str) -> None:
    assert "Write a month as YYYY-MM" in _body(_as(world.admin()), f"/chargeback/?period={period}", 404)


def test_text_of_a_bill_cannot_carry_markup(vision: Team) -> None:
    evil = "<script>alert(1)</script>"
    bills.bill(bills.row("1.00", ServiceName=evil, ChargeDescription=evil, ResourceId=evil, Tags=DEMO_TAGS[0]))
    bills.allocated()
    client = _as(world.admin())
    pages = ["/chargeback/2026-10/vision/", f"/chargeback/rows/{_rows()['1']}/"]
    assert all("<script>alert" not in _body(client, page) for page in pages)


def test_many_teams_cost_no_more_queries_than_few(
    vision: Team, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    teams = [world.team(f"t{n}") for n in range(30)]
    for position, team in enumerate(teams, 10):
        bills.tag_rule(team, position, unit=team.slug)
    bills.bill(*(bills.row("1.00", Tags=json.dumps({"unit": team.slug})) for team in teams))
    bills.allocated()
    client = _as(world.admin())
    with django_assert_max_num_queries(45):
        client.get("/chargeback/?period=2026-10")


def test_search_finds_statements_of_the_own_team(vision: Team) -> None:
    client = _as(world.member(vision))
    assert "/chargeback/2026-10/vision/?currency=USD" in _body(client, "/search/?q=2026-10")
    assert "/chargeback/2026-10/speech/" not in _body(client, "/search/?q=2026-10")


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [("7", "7", "all"), ("3", "7", "3/7"), ("3600000000", "28800000000", "1/8"), ("1", "3000", "0.03333%")],
)
def test_a_fraction_is_said_as_people_check_it(numerator: str, denominator: str, text: str) -> None:
    assert fraction_text(Decimal(numerator), Decimal(denominator)) == text


def test_statements_that_miss_money_are_said_to_miss_it(vision: Team) -> None:
    rows = reads.statements(bills.OCTOBER, teams=TeamScope.everything())
    summary = reads.period(bills.OCTOBER, teams=TeamScope.everything())
    assert summary is not None
    assert figures.adds_up(summary.totals[0], rows[1:]).tone == "bad"


def test_work_that_a_page_hands_on_goes_to_the_products_broker() -> None:
    assert import_delivery.app.main == "fleetledger"
    assert import_delivery.app.conf.task_routes == {
        "monitoring.telemetry.*": {"queue": "telemetry"},
        "costs.*": {"queue": "bills"},
    }


def test_a_broker_that_is_down_is_said_in_words(vision: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(importing, "receive_and_enqueue", refuse)
    words = {"source": "cloud", "file": SimpleUploadedFile("a.csv", b"a,b")}
    answer = _as(world.user(role=Role.FINANCE)).post("/bills/", words, follow=True)
    assert "the broker takes no work now" in answer.content.decode()
