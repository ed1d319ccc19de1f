"""Decisions about findings: verdicts by one person or two, what alerting hears of them, suggested thresholds."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from drift import deployments, reads_findings
from drift.findings import opening
from drift.findings.evidence import Number
from drift.models import (
    Finding,
    FindingSeverity,
    Model,
    Review,
    ReviewState,
    Step,
    ThresholdChange,
    Verdict,
)
from drift.reviews import thresholds, verdicts
from drift.reviews.errors import (
    AlreadyDecidedError,
    NoCommentError,
    NoSuggestionError,
    NotAPersonError,
    SamePersonError,
    SomebodyWasFirstError,
    TwoPersonsError,
)
from drift.reviews.verdicts import Opinion, Person
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from monitoring.alerts.models import Alert
from tests import world as fleet
from tests.alerts import world as alerting
from tests.drift import world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db
REVIEWS = "/api/v1/drift/reviews"
EVERYTHING = TeamScope.everything()


def person(name: str) -> Person:
    return verdicts.person(fleet.user(name))


def opinion(verdict: Verdict = Verdict.REAL_DRIFT, **more: Any) -> Opinion:
    return Opinion(verdict, "Seen in the histogram.", **more)


def decided(of: Model, column: str, value: float, verdict: Verdict) -> Finding:
    row = finding(of, column, value=value)
    verdicts.decide(row.pk, opinion(verdict), person(f"p{row.pk}"))
    opening.close(row, clock.now())
    return row


def test_one_person_decides_and_the_decision_stands() -> None:
    row = finding(world.model())
    review = verdicts.decide(row.pk, opinion(), person("mira"))
    row.refresh_from_db()
    assert (review.step, row.review, row.verdict) == (Step.DECIDED, ReviewState.DECIDED, Verdict.REAL_DRIFT)
    with pytest.raises(AlreadyDecidedError, match=r"decided already: real drift, by mira\. A decision stands\."):
        verdicts.decide(row.pk, opinion(), person("olaf"))


def test_a_production_model_needs_two_different_persons() -> None:
    row = finding(world.model(is_production=True))
    mira = person("mira")
    assert verdicts.decide(row.pk, opinion(), mira).step == Step.PROPOSED
    with pytest.raises(SamePersonError):
        verdicts.decide(row.pk, opinion(), mira)
    with pytest.raises(NotAPersonError):
        verdicts.decide(row.pk, opinion(), Person("token ci"))
    assert verdicts.decide(row.pk, opinion(), person("olaf")).step == Step.CONFIRMED
    row.refresh_from_db()
    assert (row.review, row.verdict) == (ReviewState.DECIDED, Verdict.REAL_DRIFT)


def test_who_disagrees_sends_it_back_to_the_queue() -> None:
    row = finding(world.model(is_production=True))
    verdicts.decide(row.pk, opinion(), person("mira"))
    assert verdicts.decide(row.pk, opinion(Verdict.EXPECTED), person("olaf")).step == Step.DISAGREED
    row.refresh_from_db()
    assert (row.review, row.verdict) == (ReviewState.WAITING, "")
    assert [one.id for one in reads_findings.queue(teams=EVERYTHING)] == [row.pk]
    assert verdicts.decide(row.pk, opinion(Verdict.EXPECTED), person("nina")).step == Step.PROPOSED


def test_a_token_is_the_person_who_made_it() -> None:
    row = finding(world.model(is_production=True))
    mira = fleet.user("mira")
    verdicts.decide(row.pk, opinion(), Person("token ci", mira))
    with pytest.raises(SamePersonError):
        verdicts.decide(row.pk, opinion(), verdicts.person(mira))


def test_who_has_not_seen_the_last_word_is_told() -> None:
    row = finding(world.model(is_production=True))
    first = verdicts.decide(row.pk, opinion(after=0), person("mira"))
    with pytest.raises(SomebodyWasFirstError):
        verdicts.decide(row.pk, opinion(after=0), person("olaf"))
    assert verdicts.decide(row.pk, opinion(after=first.pk), person("nina")).step == Step.CONFIRMED


@pytest.mark.parametrize("comment", ["", "  ", "x" * 4001])
def test_a_verdict_needs_a_comment(comment: str) -> None:
    row = finding(world.model())
    with pytest.raises(NoCommentError):
        verdicts.decide(row.pk, Opinion(Verdict.EXPECTED, comment), person("mira"))
    assert Review.objects.count() == 0


def test_history_is_only_added_to() -> None:
    row = finding(world.model())
    review = verdicts.decide(row.pk, opinion(), person("mira"))
    with pytest.raises(DatabaseError, match="is history"), transaction.atomic():
        Review.objects.filter(pk=review.pk).update(comment="x")
    with pytest.raises(DatabaseError, match="is history"), transaction.atomic():
        review.delete()


def test_a_false_alarm_ends_the_alert_and_the_finding_stays_open() -> None:
    from drift.findings import alerting as told

    row = finding(world.model())
    told.report(row.model)
    assert Alert.objects.filter(ended_at__isnull=True).count() == 1
    verdicts.decide(row.pk, opinion(Verdict.FALSE_ALARM), person("mira"))
    row.refresh_from_db()
    assert (Alert.objects.filter(ended_at__isnull=True).count(), row.state) == (0, "open")


def test_the_queue_begins_with_what_is_most_urgent() -> None:
    start = alerting.set_clock()
    minor, major = world.model("minor", importance=1), world.model("major", importance=5)
    old = finding(minor, "a", at=start - timedelta(days=30))
    rows = [
        finding(minor, "b", severity=FindingSeverity.HIGH),
        finding(major, "a", severity=FindingSeverity.HIGH),
        finding(major, "b", severity=FindingSeverity.LOW),
    ]
    verdicts.decide(finding(major, "c").pk, opinion(), person("mira"))
    found = reads_findings.queue(teams=EVERYTHING)
    assert [(one.id, one.priority, one.is_overdue) for one in found] == [
        (old.pk, 62.0, True),
        (rows[1].pk, 20.0, False),
        (rows[2].pk, 5.0, False),
        (rows[0].pk, 4.0, False),
    ]


def test_two_false_alarms_suggest_a_threshold_that_hides_nothing_real() -> None:
    model = world.model()
    alarms = [decided(model, "age", 0.12, Verdict.FALSE_ALARM), decided(model, "age", 0.2, Verdict.FALSE_ALARM)]
    (one,) = thresholds.suggestions(model)
    assert (one.column, one.method, one.now, one.suggested) == ("age", "psi", 0.1, 0.21)
    assert sorted(one.findings) == [row.pk for row in alarms]
    decided(model, "age", 0.205, Verdict.REAL_DRIFT)
    assert thresholds.suggestions(model) == ()


def test_a_threshold_holds_only_once_a_person_accepts_it() -> None:
    model = world.model(settings={"q": 0.05})
    for value in (0.12, 0.2):
        decided(model, "age", value, Verdict.FALSE_ALARM)
    model.refresh_from_db()
    assert model.settings == {"q": 0.05}
    thresholds.accept(model.pk, "age", person("mira"), reason="Twice nothing.")
    model.refresh_from_db()
    assert model.settings == {"q": 0.05, "thresholds": {"age": 0.21}}
    row = ThresholdChange.objects.get()
    assert (row.before, row.after, row.by_name, row.reason) == (None, 0.21, "mira", "Twice nothing.")
    with pytest.raises(NoSuggestionError):
        thresholds.accept(model.pk, "age", person("olaf"), reason="again")
    thresholds.put(model.pk, "age", None, person("nina"), reason="Too wide.")
    model.refresh_from_db()
    assert model.settings == {"q": 0.05}


def test_the_card_holds_what_a_reviewer_looks_at() -> None:
    model = world.model()
    before = decided(model, "age", 0.2, Verdict.EXPECTED)
    deployments.add(model, world.day(0).start, "v7", "new features", Actor("ci"))
    deployments.add(model, world.day(-30).start, "v1", "", Actor("ci"))
    row = finding(model)
    card = reads_findings.card(row.pk, teams=EVERYTHING)
    assert [one.version for one in card.deployments] == ["v7"]
    assert [(one.finding.id, one.finding.verdict, one.comment) for one in card.similar] == [
        (before.pk, "expected", "Seen in the histogram.")
    ]
    assert (card.evidence.leading, card.reviews) == (Number("age", "psi", 0.3, 0.1, None, "large", is_drifted=True), ())


def test_by_api_a_verdict_is_given_once(client: Client) -> None:
    model = world.model()
    row = finding(model)
    headers = fleet.bearer(fleet.token("ci", ["write:drift"], team=model.owner)) | {"idempotency-key": "k1"}
    body = {"finding": row.pk, "verdict": "false_alarm", "comment": "A holiday.", "after": 0}
    first = client.post(REVIEWS, body, "application/json", headers=headers)
    again = client.post(REVIEWS, body, "application/json", headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    late = client.post(REVIEWS, body, "application/json", headers=headers | {"idempotency-key": "k2"})
    assert late.status_code == 409
    assert client.get(REVIEWS, headers=headers).json()["results"] == []
    (said,) = client.get(f"/api/v1/drift/findings/{row.pk}/reviews", headers=headers).json()["results"]
    assert (said["verdict"], said["by"], said["step"]) == ("false_alarm", "token ci", "decided")


def test_findings_by_api_with_filters_and_as_csv(client: Client) -> None:
    model = world.model()
    row, other = finding(model), finding(model, "pay", severity=FindingSeverity.LOW)
    headers = fleet.bearer(fleet.token())
    url = "/api/v1/drift/findings"
    assert [one["id"] for one in client.get(url, headers=headers).json()["results"]] == [other.pk, row.pk]
    assert [one["id"] for one in client.get(f"{url}?severity=low&state=live", headers=headers).json()["results"]] == [
        other.pk
    ]
    assert client.get(f"{url}?kind=x", headers=headers).status_code == 422
    lines = client.get(f"{url}?format=csv", headers=headers).content.decode().splitlines()
    assert (lines[0].split(",")[:3], len(lines)) == (["id", "model", "owner"], 3)
    assert client.get(f"{url}/{row.pk}", headers=headers).json()["finding"]["summary"] == row.summary


def test_members_read_and_leads_decide_and_strangers_see_nothing(client: Client) -> None:
    model = world.model()
    row = finding(model)
    body = {"finding": row.pk, "verdict": "expected", "comment": "x"}
    paths = [f"/api/v1/drift/findings/{row.pk}", f"/api/v1/drift/findings/{row.pk}/reviews"]
    client.force_login(fleet.member(model.owner))
    assert [client.get(path).status_code for path in paths] == [200, 200]
    assert client.post(REVIEWS, body, "application/json").status_code == 403
    client.force_login(fleet.member(fleet.team("others"), role=Role.LEAD))
    assert [client.get(path).status_code for path in paths] == [404, 404]
    assert client.post(REVIEWS, body, "application/json").status_code == 404
    for path in ("/api/v1/drift/findings", REVIEWS):
        assert client.get(path).json()["results"] == []
    for path in ("deployments", "suggestions", "thresholds"):
        assert client.get(f"/api/v1/drift/models/{model.name}/{path}").status_code == 404
    client.force_login(fleet.member(model.owner, role=Role.LEAD))
    assert client.post(REVIEWS, body, "application/json").status_code == 201


def test_deployments_come_by_api_and_twice_is_once(client: Client) -> None:
    model = world.model()
    headers = fleet.bearer(fleet.token("ci", ["write:drift"]))
    url = f"/api/v1/drift/models/{model.name}/deployments"
    body = {"version": "v7", "at": "2026-11-01T00:00:00Z", "note": "new features"}
    answers = [client.post(url, body, "application/json", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    (row,) = client.get(url, headers=headers).json()["results"]
    assert row == answers[0].json()
    assert (row["version"], row["by"]) == ("v7", "token ci")


def test_of_a_production_model_no_program_decides_and_nobody_alone_raises_a_threshold() -> None:
    model = world.model(is_production=True)
    row, program = finding(model), Person("token ci", None)
    with pytest.raises(NotAPersonError):
        verdicts.decide(row.pk, opinion(), program)
    with pytest.raises(TwoPersonsError):
        thresholds.put(model.pk, "age", 9.0, person("mira"), reason="Quiet, please.")
    with pytest.raises(NotAPersonError):
        thresholds.put(model.pk, "age", None, program, reason="Quiet, please.")
    assert (Review.objects.count(), ThresholdChange.objects.count()) == (0, 0)
