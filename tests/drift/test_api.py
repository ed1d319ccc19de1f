"""Drift by API: reports that programs send, what they say, and who may see and send them."""

import csv
import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from drift import importing, tasks
from drift.models import Report, ReportFile, Score
from fleetledger.fleet.models import Role
from tests import world as fleet
from tests.drift import reports, world

pytestmark = pytest.mark.django_db
URL = "/api/v1/drift/reports"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files whose scores a worker was asked for."""
    found: list[int] = []
    monkeypatch.setattr(tasks.import_file, "delay", found.append)
    return found


@pytest.fixture
def headers() -> dict[str, str]:
    return fleet.bearer(fleet.token("ci", ["write:drift"]))


def post(client: Client, content: bytes, query: str, headers: dict[str, str], **more: Any) -> Any:
    return client.generic("POST", f"{URL}?{query}", content, "application/json", headers=headers | more)


def test_a_report_is_stored_and_a_worker_asked(
    client: Client, headers: dict[str, str], asked: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    world.model("ranker")
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, reports.content(reports.LATE), "model=ranker&window=2026-11-01/2026-11-02", headers)
    report, file = Report.objects.get(), ReportFile.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, f"{URL}/{report.pk}")
    assert answer.json() == {
        "model": "ranker",
        "known": False,
        "state": "received",
        "reports": [report.pk],
        "scores": 13,
        "job": str(file.job_id),
    }
    assert (asked, file.received_from, file.name) == ([file.pk], "token ci", "report.json")
    assert client.get(f"/api/v1/jobs/{file.job_id}", headers=headers).json()["state"] == "queued"
    importing.run(file.pk)
    assert client.get(f"/api/v1/jobs/{file.job_id}", headers=headers).json()["result"] == {"reports": [report.pk]}


def test_the_same_report_again_is_known(client: Client, headers: dict[str, str]) -> None:
    world.model("ranker")
    first = post(client, reports.content(reports.LATE), "model=ranker", headers)
    waiting = post(client, reports.content(reports.LATE), "model=ranker", headers)
    importing.run(ReportFile.objects.get().pk)
    done = post(client, reports.content(reports.LATE), "model=ranker", headers)
    assert [answer.status_code for answer in (first, waiting, done)] == [202, 202, 200]
    assert (done.json()["known"], done.json()["state"], Report.objects.count()) == (True, "imported", 1)


def test_a_key_answers_the_same_and_refuses_another_report(client: Client, headers: dict[str, str]) -> None:
    world.model("ranker")
    key = {"idempotency-key": "nightly-1"}
    first = post(client, reports.content(reports.LATE), "model=ranker", headers, **key)
    again = post(client, reports.content(reports.LATE), "model=ranker", headers, **key)
    other = post(client, reports.content(reports.SNAPSHOT), "model=ranker", headers, **key)
    assert first.json() == again.json()
    assert (again["Idempotency-Replayed"], other.status_code) == ("true", 422)


@pytest.mark.parametrize("name", [reports.LATE, "nannyml-0.13.1-univariate-flat.csv"])
def test_forms_and_packed_bodies_are_taken(client: Client, headers: dict[str, str], name: str) -> None:
    world.model("ranker")
    form = {"model": "ranker", "file": SimpleUploadedFile(name, reports.content(name))}
    assert client.post(URL, form, headers=headers).status_code == 202
    packed = gzip.compress(reports.content(name))
    for more in ({}, {"content-encoding": "gzip"}):
        again = post(client, packed, "model=ranker", headers, **more)
        assert (again.status_code, again.json()["known"]) == (202, True)
    assert ReportFile.objects.get().name == name


def test_a_file_comes_back_byte_for_byte(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker")
    (report_id,) = world.sent(model, reports.SNAPSHOT).report_ids
    answer = client.get(f"{URL}/{report_id}/raw", headers=headers)
    assert (answer.content, answer["Content-Type"]) == (reports.content(reports.SNAPSHOT), "application/octet-stream")
    described = json.loads(client.options(f"{URL}/{report_id}/raw", headers=headers).content)
    assert described["renders"] == ["application/octet-stream"]
    assert answer["Content-Disposition"] == f'attachment; filename="{reports.SNAPSHOT}"'


@pytest.mark.parametrize(
    ("content", "query", "status", "detail"),
    [
        (b"", "model=ranker", 422, "Send the report as the body itself, or as the form's 'file'."),
        (b"{", "model=ranker", 422, "line 1, column 2: this is no JSON"),
        (b'{"metrics": [{"metric": "DataDriftTable"}]}', "model=ranker", 422, "metrics[0].result"),
        (b"{}", "model=nobody", 404, "No model is called 'nobody', or none that you may see."),
        (b"{}", "model=a%00b", 422, "'model' is a text"),
        (b"{}", "", 422, "Name the model"),
        (b"{}", "model=ranker&window=yesterday", 422, "'yesterday' is no window."),
        (b"{}", "model=ranker&modle=x", 422, "No parameter is called 'modle'."),
    ],
)
def test_junk_is_a_problem_that_says_where(
    client: Client, headers: dict[str, str], *, content: bytes, query: str, status: int, detail: str
) -> None:
    world.model("ranker")
    answer = post(client, content, query, headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)


def test_a_body_that_is_too_long_or_badly_packed_is_refused(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.model("ranker")
    monkeypatch.setattr(settings, "DRIFT_REPORT_MAX_BYTES", 1000)
    bomb = gzip.compress(b" " * 1_000_000)
    assert post(client, b" " * 1001, "model=ranker", headers).status_code == 413
    assert post(client, bomb, "model=ranker", headers).status_code == 413
    assert post(client, bomb, "model=ranker", headers, **{"content-encoding": "gzip"}).status_code == 413
    assert post(client, b"{}", "model=ranker", headers, **{"content-encoding": "gzip"}).status_code == 400
    assert post(client, b"{}", "model=ranker", headers, **{"content-encoding": "br"}).status_code == 400
    form = {"model": "ranker", "file": SimpleUploadedFile("a.json", b" " * 1001)}
    assert client.post(URL, form, headers=headers).status_code == 413


def test_reports_are_listed_the_newest_first_and_by_model(client: Client, headers: dict[str, str]) -> None:
    one, other = world.model("one"), world.model("other")
    undated, dated, others = world.report(one), world.report(one, window=world.day(0)), world.report(other)

    def ids(query: str) -> list[int]:
        return [row["id"] for row in client.get(f"{URL}?{query}", headers=headers).json()["results"]]

    assert ids("") == [others.pk, dated.pk, undated.pk]
    assert ids("model=one") == [dated.pk, undated.pk]
    assert (ids("model=one&dated=true"), ids("model=one&dated=false")) == ([dated.pk], [undated.pk])
    first = client.get(f"{URL}?limit=2", headers=headers).json()
    assert [row["id"] for row in client.get(first["next"], headers=headers).json()["results"]] == [undated.pk]


def test_scores_are_listed_as_json_and_csv(client: Client, headers: dict[str, str]) -> None:
    report = world.report(world.model("ranker"), 0.2, 0.01)
    rows = client.get(f"{URL}/{report.pk}/scores", headers=headers).json()["results"]
    assert rows[0] == {
        "position": 0, "column": "c0", "kind": "drift", "method": "psi", "method_as_written": "psi", "value": 0.2,
        "threshold": 0.1, "threshold_low": None, "threshold_assumed": False, "direction": "large", "drifted": True,
        "engine": "evidently", "engine_version": "", "recipe": "",
    }  # fmt: skip
    text = client.get(f"{URL}/{report.pk}/scores?format=csv", headers=headers).content.decode()
    assert [row["drifted"] for row in csv.DictReader(io.StringIO(text))] == ["true", "false"]


def test_a_model_has_its_last_report_and_its_trend(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker", is_production=True, importance=5, pool="h100")
    for number, scores in enumerate([(0.01, 0.01), (0.2, 0.01), (0.2, 0.3)]):
        report = world.report(model, *scores, window=world.day(number))
    world.report(model, 0.9, 0.9)
    found = client.get("/api/v1/drift/models/ranker", headers=headers).json()
    assert [point["share"] for point in found["trend"]] == [0.0, 0.5, 1.0]
    known = {
        "name": "ranker", "production": True, "importance": 5, "pool": "h100", "state": "drifted", "reports": 3,
        "undated": 1, "last_report": report.pk, "last_window_to": "2026-11-04T00:00:00Z", "share": 1.0, "columns": 2,
        "drifted_columns": 2, "drifted": True,
    }  # fmt: skip
    assert {key: found["model"][key] for key in known} == known
    (listed,) = client.get("/api/v1/drift/models", headers=headers).json()["results"]
    assert listed == found["model"]


def test_an_undated_report_is_dated_once(client: Client, headers: dict[str, str]) -> None:
    report = world.report(world.model("ranker"))
    url = f"{URL}/{report.pk}/window"

    def say(body: Any) -> Any:
        return client.post(url, body, content_type="application/json", headers=headers)

    assert say({"window": "soon"}).status_code == 422
    assert say({"windows": "x"}).status_code == 422
    assert say([]).status_code == 422
    done = say({"window": "2026-11-01/2026-11-02"})
    assert (done.status_code, done.json()["dated"], done.json()["dated_by"]) == (200, True, "person")
    assert say({"window": "2026-11-02/2026-11-03"}).status_code == 409


def test_a_stranger_sees_and_changes_nothing(client: Client) -> None:
    report = world.report(world.model("ranker"))
    client.force_login(fleet.member(fleet.team("strangers"), role=Role.LEAD))
    assert client.get("/api/v1/drift/models").json()["results"] == []
    assert client.get(URL).json()["results"] == []
    for path in ("/api/v1/drift/models/ranker", *(f"{URL}/{report.pk}{end}" for end in ("", "/scores", "/raw"))):
        assert client.get(path).status_code == 404
    window = client.post(f"{URL}/{report.pk}/window", {"window": "2026-11-01/2026-11-02"}, "application/json")
    sent = client.generic("POST", f"{URL}?model=ranker", b"{}", "application/json")
    assert (window.status_code, sent.status_code) == (404, 404)


def test_a_teams_token_and_its_lead_send_for_their_models_and_viewers_do_not(client: Client) -> None:
    vision = fleet.team("vision")
    world.model("ranker", owner=fleet.team("below", parent=vision))
    content = reports.content(reports.LATE)
    own = fleet.bearer(fleet.token("own", ["write:drift"], team=vision))
    assert post(client, content, "model=ranker", own).status_code == 202
    narrow = fleet.bearer(fleet.token("narrow", ["write:costs", "read:drift"], team=vision))
    assert post(client, content, "model=ranker", narrow).status_code == 403
    for role, status in ((Role.LEAD, 202), (Role.VIEWER, 403)):
        person = Client()
        person.force_login(fleet.member(vision, role=role))
        assert person.generic("POST", f"{URL}?model=ranker", content, "application/json").status_code == status


def test_a_removed_model_takes_nothing_and_keeps_its_reports(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker")
    report = world.report(model)
    model.removed_at = report.received_at
    model.save()
    assert post(client, b"{}", "model=ranker", headers).status_code == 404
    assert client.get("/api/v1/drift/models", headers=headers).json()["results"] == []
    assert client.get("/api/v1/drift/models/ranker", headers=headers).json()["model"]["state"] == "removed"
    assert client.get(f"{URL}/{report.pk}", headers=headers).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_report_posted_ten_times_at_once_is_one_report(headers: dict[str, str], asked: list[int]) -> None:
    world.model("ranker")
    gate = Barrier(10)

    def send(_number: int) -> Any:
        try:
            gate.wait()
            return post(Client(), reports.content(reports.SNAPSHOT), "model=ranker", headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({(*answer.json()["reports"], answer.json()["job"]) for answer in answers}) == 1
    for file_id in asked:
        importing.run(file_id)
    assert (len(asked), Report.objects.count(), ReportFile.objects.count(), Score.objects.count()) == (10, 1, 1, 13)
