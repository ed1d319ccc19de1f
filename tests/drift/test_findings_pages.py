"""The pages about findings: what they show, what people may do there, and what strangers see."""

import re

import pytest
from django.test import Client

from drift.models import Finding, FindingSeverity, Mitigation, Review, ThresholdChange, Verdict
from drift.reviews import histograms, verdicts
from drift.reviews.histograms import Bar
from drift.reviews.verdicts import Opinion
from fleetledger.fleet.models import Role
from tests import world as fleet
from tests.drift import world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db


def lead_of(row: Finding) -> Client:
    client = Client()
    client.force_login(fleet.member(row.model.owner, role=Role.LEAD))
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_queue_shows_what_waits_and_its_csv() -> None:
    row = finding(world.model("ranker"))
    client = lead_of(row)
    page = text(client, "/drift/queue/")
    assert row.summary in page
    assert f'data-finding="/drift/findings/{row.pk}/review/"' in page
    urgent = finding(row.model, "pay", severity=FindingSeverity.HIGH)
    page = text(client, "/drift/queue/")
    assert page.index(f"/drift/findings/{urgent.pk}/") < page.index(f"/drift/findings/{row.pk}/")
    lines = b"".join(client.get("/drift/queue/?format=csv")).decode().splitlines()
    assert (lines[0].split(",")[:2], lines[1].split(",")[:2]) == (["id", "model"], [str(urgent.pk), "ranker"])


def test_empty_pages_say_what_to_do(client: Client) -> None:
    client.force_login(fleet.member(fleet.team("empty")))
    assert "No models yet" in text(client, "/drift/queue/")
    model = world.model("ranker")
    client.force_login(fleet.member(model.owner))
    assert "Nothing waits for a decision" in text(client, "/drift/queue/")
    assert "Nothing to compare" in text(client, "/drift/models/ranker/compare/")


def test_a_verdict_on_the_page_is_kept_and_a_late_one_is_refused() -> None:
    row = finding(world.model("ranker"))
    client, path = lead_of(row), f"/drift/findings/{row.pk}/"
    assert "What is it?" in text(client, path)
    body = {"verdict": "real_drift", "comment": "Prices rose.", "after": "0"}
    assert client.post(f"{path}review/", body, follow=True).redirect_chain == [(path, 302)]
    assert Review.objects.get().verdict == Verdict.REAL_DRIFT
    assert "is decided already" in client.post(f"{path}review/", body, follow=True).content.decode()
    assert "Prices rose." in text(client, path)


def test_a_redirect_never_leaves_the_site() -> None:
    row = finding(world.model("ranker"))
    body = {"verdict": "expected", "comment": "x", "next": "//evil.example.org/"}
    answer = lead_of(row).post(f"/drift/findings/{row.pk}/review/", body)
    assert answer.headers["Location"] == f"/drift/findings/{row.pk}/"


def test_a_suggested_threshold_is_accepted_by_a_button() -> None:
    model = world.model("ranker")
    for column_value in (0.12, 0.2):
        alarm = finding(model, "age", value=column_value)
        verdicts.decide(alarm.pk, Opinion(Verdict.FALSE_ALARM, "Nothing."), verdicts.person(fleet.user()))
        Finding.objects.filter(pk=alarm.pk).update(state="closed", closed_at=alarm.opened_at)
    row = finding(model, "age")
    client = lead_of(row)
    assert "<strong>0.21</strong>" in text(client, f"/drift/findings/{row.pk}/")
    client.post(f"/drift/findings/{row.pk}/threshold/", {"column": "age"})
    assert ThresholdChange.objects.get().after == 0.21


def test_a_mitigation_is_proposed_and_moved_on_the_page() -> None:
    row = finding(world.model("ranker"))
    client, path = lead_of(row), f"/drift/findings/{row.pk}/"
    client.post(f"{path}mitigations/", {"kind": "ticket", "note": "Ask the shop."})
    made = Mitigation.objects.get()
    assert "Ask the shop." in text(client, path)
    client.post(f"/drift/mitigations/{made.pk}/", {"state": "approved"})
    made.refresh_from_db()
    assert made.state == "approved"
    assert client.post(f"/drift/mitigations/{made.pk}/", {"state": "sent"}).status_code == 403


def test_histograms_are_drawn_where_somebody_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    row = finding(world.model("ranker"), report=world.report(world.model("other"), 0.1))
    client, path = lead_of(row), f"/drift/findings/{row.pk}/"
    assert "The report holds scores alone." in text(client, path)
    monkeypatch.setattr(
        histograms, "_known", [lambda _report, _column: (Bar("0 to 1", 0.5, 0.2), Bar("new", 0.0, 0.3))]
    )
    assert "Moved most: 0 to 1 50% to 20%, new 0% to 30%" in text(client, path)
    data = client.get(f"{path}figures/histogram.json").json()["data"]
    assert [trace["y"] for trace in data] == [[50.0, 0.0], [20.0, 30.0]]


def test_the_score_over_time_marks_what_drifted() -> None:
    model = world.model("ranker")
    for number, value in enumerate((0.3, 0.3, 0.3)):
        world.report(model, value, 0.01, 0.01, window=world.day(number), timestamp=f"2026-01-01T00:00:0{number}Z")
    row = Finding.objects.get()
    data = lead_of(row).get(f"/drift/findings/{row.pk}/figures/trend.json").json()["data"]
    assert (data[0]["y"], data[1]["y"]) == ([0.3] * 3, [0.1] * 3)


def test_two_windows_are_compared_column_by_column() -> None:
    model = world.model("ranker")
    world.report(model, 0.3, 0.01, 0.2, window=world.day(0), timestamp="2026-01-01T00:00:00Z")
    world.report(model, 0.01, 0.3, 0.2, window=world.day(1), timestamp="2026-01-01T00:00:01Z")
    client = Client()
    client.force_login(fleet.member(model.owner))
    lines = b"".join(client.get("/drift/models/ranker/compare/?format=csv")).decode().splitlines()
    assert lines == [
        "column,method,before,after,change",
        "c1,psi,0.01,0.3,began",
        "c0,psi,0.3,0.01,ended",
        "c2,psi,0.2,0.2,both",
    ]
    assert "Began to drift" in text(client, "/drift/models/ranker/compare/")


def test_strangers_see_nothing_and_viewers_only_look() -> None:
    row = finding(world.model("ranker"))
    paths = [f"/drift/findings/{row.pk}/", f"/drift/findings/{row.pk}/figures/trend.json"]
    paths += [f"/drift/findings/{row.pk}/figures/histogram.json", "/drift/models/ranker/compare/"]
    acts = [f"/drift/findings/{row.pk}/{name}/" for name in ("review", "threshold", "mitigations")]
    stranger, viewer = Client(), Client()
    stranger.force_login(fleet.member(fleet.team("others"), role=Role.LEAD))
    viewer.force_login(fleet.member(row.model.owner))
    assert [stranger.get(path).status_code for path in paths] == [404] * 4
    assert [stranger.post(path).status_code for path in acts] == [404] * 3
    assert row.summary not in text(stranger, "/drift/queue/")
    assert [viewer.get(path).status_code for path in paths] == [200] * 4
    assert [viewer.post(path).status_code for path in acts] == [403] * 3
    assert "A lead of its team or an SRE decides." in text(viewer, paths[0])


def test_the_models_page_lists_what_is_open() -> None:
    model = world.model("ranker")
    world.report(model, 0.01, 0.01, window=world.day(0))
    row = finding(model)
    page = text(lead_of(row), "/drift/models/ranker/")
    assert f'href="/drift/findings/{row.pk}/"' in page
    assert 'href="/drift/models/ranker/compare/"' in page
