"""The pages about drift: what they say, and what each reader may see and do."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from kombu.exceptions import OperationalError

from drift import figures, ingest, tasks
from drift.models import Model, Report, ReportFile
from drift.reads_reports import HeatCell
from drift.wording import score_text, window_text
from fleetledger.fleet.models import Role, Team
from tests import world as fleet
from tests.drift import reports, world

pytestmark = pytest.mark.django_db
NEW = "/drift/reports/new/"


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision", name="Vision Research")


@pytest.fixture
def ranker(vision: Team) -> Model:
    """A model with three days of reports, the last one drifted, and one that nobody dated."""
    model = world.model("ranker", owner=vision, is_production=True, expected_every_s=None)
    for number, scores in enumerate([(0.01, 0.02), (0.2, 0.01), (0.2, 0.3)]):
        world.report(model, *scores, window=world.day(number))
    world.report(model, 0.9, 0.9)
    return model


@pytest.fixture
def lead(vision: Team) -> Client:
    client = Client()
    client.force_login(fleet.member(vision, role=Role.LEAD))
    return client


@pytest.fixture
def stranger() -> Client:
    client = Client()
    client.force_login(fleet.member(fleet.team("strangers"), role=Role.LEAD))
    return client


def body(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def dated() -> Report:
    return Report.objects.filter(is_dated=True).latest("window_to")


@pytest.mark.parametrize(
    "path", ["/drift/", "/drift/models/ranker/", "/drift/reports/1/", "/drift/reports/1/raw/", NEW]
)
def test_who_is_not_signed_in_is_asked_to(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/sign-in/?next=")


def test_all_models_are_seen_at_a_glance(lead: Client, ranker: Model, vision: Team) -> None:
    world.model("intents", owner=vision)
    page = body(lead, "/drift/")
    for words in (
        "ranker",
        "Drifted",
        "2</span>",
        "of 2 · 100%",
        "3 Nov 2026",
        "1 undated",
        "intents",
        "No report",
        "spark-cell",
    ):
        assert words in page
    assert page.index("ranker") < page.index("intents")
    assert "intents" not in body(lead, "/drift/?state=drifted").partition('id="models"')[2]
    assert "intents" not in body(lead, "/drift/?q=rank").partition('id="models-rows"')[2]
    csv = body(lead, "/drift/?format=csv&sort=name")
    assert csv.splitlines()[2].startswith(
        "ranker,vision,drifted,True,3,,3,1,2026-11-03T00:00:00Z,2026-11-04T00:00:00Z,1.0,2,2"
    )


def test_one_model_has_its_trend_its_heat_map_and_its_reports(lead: Client, ranker: Model) -> None:
    page = body(lead, "/drift/models/ranker/")
    for words in ("Vision Research · production", "Undated reports", "Columns by reports", "The last 3 dated reports"):
        assert words in page
    trend = json.loads(body(lead, "/drift/models/ranker/figures/trend.json"))
    assert [trace["y"] for trace in trend["data"]] == [[0, 50, 100], [50, 50, 50]]
    heat = json.loads(body(lead, "/drift/models/ranker/figures/heat.json"))
    assert (heat["data"][0]["x"], heat["data"][0]["y"]) == (["1 Nov", "2 Nov", "3 Nov"], ["c0", "c1"])
    assert heat["data"][0]["z"] == [[5, 100, 100], [10, 5, 100]]
    assert heat["data"][0]["customdata"][0][2] == {"href": f"/drift/reports/{dated().pk}/"}
    csv = body(lead, "/drift/models/ranker/figures/heat.json?format=csv").splitlines()
    assert (len(csv), csv[3].split(",")[4:]) == (7, ["psi", "0.2", "0.1", "large", "True"])
    assert len(body(lead, "/drift/models/ranker/?format=csv").splitlines()) == 5


def test_a_model_without_reports_says_what_to_run(lead: Client, vision: Team) -> None:
    world.model("intents", owner=vision)
    assert 'data-copy="fleetledger import-drift --model intents report.json"' in body(lead, "/drift/models/intents/")
    assert json.loads(body(lead, "/drift/models/intents/figures/trend.json"))["data"] == []
    assert json.loads(body(lead, "/drift/models/intents/figures/heat.json"))["data"] == []


def test_a_site_without_models_says_what_to_write(lead: Client) -> None:
    assert "models: [{name: ranker, owner: vision}]" in body(lead, "/drift/")
    assert "models: [{name: ranker, owner: vision}]" in body(lead, NEW)


def test_a_report_tells_its_scores_and_gives_its_file(lead: Client, vision: Team) -> None:
    (report_id,) = world.sent(world.model("ranker", owner=vision), reports.SNAPSHOT).report_ids
    page = body(lead, f"/drift/reports/{report_id}/")
    for words in (
        "ranker, 1 Mar 2026, 06:00", "Evidently 0.4-0.6, snapshot", "its own timestamp", "92%", "K-S p_value", "0.261",
        "every score is decided", "no threshold is assumed",
    ):  # fmt: skip
        assert words in page
    assert "is_rough" not in body(lead, f"/drift/reports/{report_id}/?q=mean_area").partition('id="scores-rows"')[2]
    assert len(body(lead, f"/drift/reports/{report_id}/?format=csv").splitlines()) == 14
    answer = lead.get(f"/drift/reports/{report_id}/raw/")
    assert (answer.content, answer["Content-Disposition"]) == (
        reports.content(reports.SNAPSHOT), f'attachment; filename="{reports.SNAPSHOT}"',
    )  # fmt: skip


@pytest.mark.parametrize("name", reports.FILES)
def test_the_page_of_every_kind_of_report_is_there(lead: Client, vision: Team, name: str) -> None:
    for report_id in world.sent(world.model("ranker", owner=vision), name).report_ids[:1]:
        body(lead, f"/drift/reports/{report_id}/")
    body(lead, "/drift/models/ranker/")


def test_a_report_is_brought_in_and_followed(
    lead: Client, vision: Team, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    world.model("ranker", owner=vision)
    asked: list[int] = []
    monkeypatch.setattr(tasks.import_file, "delay", asked.append)
    form = {"model": "ranker", "from": "2026-11-01T00:00", "to": "2026-11-02T00:00"}
    file = SimpleUploadedFile("late.json", reports.content(reports.LATE))
    with django_capture_on_commit_callbacks(execute=True):
        answer = lead.post(NEW, form | {"file": file})
    report = Report.objects.get()
    assert (answer["Location"], asked) == (f"/drift/reports/{report.pk}/", [report.file_id])
    assert 'hx-trigger="every 2s"' in body(lead, answer["Location"])
    tasks.import_file.run(report.file_id)
    assert "1 Nov 2026" in body(lead, answer["Location"])
    again = lead.post(NEW, form | {"file": SimpleUploadedFile("late.json", reports.content(reports.LATE))}, follow=True)
    assert "The same report was here before: nothing changed." in again.content.decode()


def test_a_report_without_a_job_waits_for_a_worker(lead: Client, vision: Team) -> None:
    received = ingest.receive(world.model("ranker", owner=vision), reports.content(reports.LATE))
    assert "Waiting for a worker" in body(lead, f"/drift/reports/{received.report_ids[0]}/")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"model": "ranker"}, "Choose a model of yours and a file first."),
        ({"model": "nobody", "file": SimpleUploadedFile("a.json", b"{}")}, "Choose a model of yours and a file first."),
        ({"model": "ranker", "file": SimpleUploadedFile("a.json", b"[")}, "line 1, column 2: this is no JSON"),
        (
            {"model": "ranker", "from": "2026-11-01T00:00", "file": SimpleUploadedFile("a.json", b"{}")},
            "&#x27;2026-11-01T00:00/&#x27; is no window.",
        ),
    ],
)
def test_what_cannot_be_taken_is_told_on_the_page(
    lead: Client, vision: Team, form: dict[str, Any], sentence: str
) -> None:
    world.model("ranker", owner=vision)
    answer = lead.post(NEW, form)
    assert (answer.status_code, Report.objects.count()) == (200, 0)
    assert sentence in answer.content.decode()


def test_a_broker_that_is_away_loses_no_report(
    lead: Client, vision: Team, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    world.model("ranker", owner=vision)

    def away(_file_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.import_file, "delay", away)
    file = SimpleUploadedFile("late.json", reports.content(reports.LATE))
    with django_capture_on_commit_callbacks(execute=True) as done:
        answer = lead.post(NEW, {"model": "ranker", "file": file})
    assert (len(done), answer["Location"]) == (1, f"/drift/reports/{Report.objects.get().pk}/")
    assert ReportFile.objects.count() == 1


def test_an_undated_report_is_dated_on_its_page(lead: Client, ranker: Model) -> None:
    report = Report.objects.get(is_dated=False)
    path = f"/drift/reports/{report.pk}/"
    assert "Date it" in body(lead, path)
    wrong = lead.post(f"{path}window/", {"from": "2026-11-05T00:00", "to": "2026-11-04T00:00"}, follow=True)
    assert "is no window" in wrong.content.decode()
    done = lead.post(f"{path}window/", {"from": "2026-11-04T00:00", "to": "2026-11-05T00:00"}, follow=True)
    assert f"Report {report.pk} is dated, and part of the trend." in done.content.decode()
    assert "Date it" not in done.content.decode()
    assert "4 Nov 2026" in body(lead, "/drift/")


def test_a_viewer_of_the_team_sees_and_sends_nothing(ranker: Model, vision: Team) -> None:
    viewer = Client()
    viewer.force_login(fleet.member(vision))
    report = Report.objects.get(is_dated=False)
    assert "Bring a report in" not in body(viewer, "/drift/")
    assert "Date it" not in body(viewer, f"/drift/reports/{report.pk}/")
    assert "None of these models takes reports from you" in body(viewer, NEW)
    days = {"from": "2026-11-04T00:00", "to": "2026-11-05T00:00"}
    assert viewer.post(f"/drift/reports/{report.pk}/window/", days).status_code == 403
    file = SimpleUploadedFile("late.json", reports.content(reports.LATE))
    assert "Choose a model of yours" in viewer.post(NEW, {"model": "ranker", "file": file}).content.decode()
    assert Report.objects.count() == 4


def test_a_stranger_sees_nothing(stranger: Client, ranker: Model) -> None:
    report = dated()
    for page in ("/drift/", NEW, "/search/?q=ranker"):
        assert "/drift/models/ranker/" not in body(stranger, page)
    assert "No models yet" in body(stranger, NEW)
    for path in ("/drift/models/ranker/", *(f"/drift/models/ranker/figures/{name}.json" for name in ("trend", "heat"))):
        body(stranger, path, 404)
    for end in ("", "raw/"):
        body(stranger, f"/drift/reports/{report.pk}/{end}", 404)
    assert stranger.post(f"/drift/reports/{report.pk}/window/", {"from": "x", "to": "y"}).status_code == 404


def test_models_are_found_by_search(lead: Client, ranker: Model) -> None:
    assert 'href="/drift/models/ranker/"' in body(lead, "/search/?q=rank")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (HeatCell(0.2, 0.1, "large", "psi", is_drifted=True), 100.0),
        (HeatCell(0.05, 0.1, "large", "psi", is_drifted=False), 25.0),
        (HeatCell(0.05, 0.05, "small", "ks", is_drifted=True), 50.0),
        (HeatCell(1.0, 0.05, "small", "ks", is_drifted=False), 0.0),
        (HeatCell(0.0, 0.05, "small", "z", is_drifted=True), 100.0),
        (HeatCell(0.05, 0.05, "small", "z", is_drifted=False), 49.0),
        (HeatCell(None, None, "unknown", "unknown", is_drifted=None), None),
        (HeatCell(9.0, None, "large", "chi2_statistic", is_drifted=True), 100.0),
        (HeatCell(9.0, 0.0, "large", "psi", is_drifted=False), 0.0),
    ],
)
def test_every_method_has_its_threshold_at_half_of_the_scale(cell: HeatCell, expected: float | None) -> None:
    found = figures.strength(cell)
    assert found == (None if expected is None else pytest.approx(expected))


def test_windows_and_scores_are_said_as_people_say_them() -> None:
    day, week = world.day(0), (world.day(0).start, world.day(6).end)
    assert window_text(day.start, day.end) == "1 Nov 2026"
    assert window_text(*week) == "1 Nov \N{EN DASH} 7 Nov 2026"
    assert window_text(day.end, day.end) == "2 Nov 2026, 00:00"
    assert window_text(None, None) == "undated"
    assert window_text(day.start, day.start.replace(hour=6)) == "1 Nov 2026, 00:00 \N{EN DASH} 06:00"
    assert [score_text(value) for value in (0.2614554, 7.0658e-23, 95000.4, None)] == [
        "0.261", "7.07e-23", "95,000", "\N{EN DASH}",
    ]  # fmt: skip
