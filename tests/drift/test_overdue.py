"""Reviews that are overdue: an alert through the one door once nobody decided in time, resolved by the decision."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from drift import tasks
from drift.findings import alerting as telling
from drift.findings import opening, overdue
from drift.models import Finding, FindingSeverity, Model, Verdict
from drift.reviews import verdicts
from drift.reviews.verdicts import Opinion
from fleetledger.celery import app
from monitoring.alerts import clock
from monitoring.alerts.models import Alert, Report
from tests import world as fleet
from tests.alerts import world as alerting
from tests.drift import world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db
DAY_S = 24 * 3600


@pytest.fixture(autouse=True)
def now() -> datetime:
    return alerting.set_clock()


def told(model: Model, column: str = "age", **fields: Any) -> Finding:
    """A finding of which alerting was told, as evaluation does."""
    row = finding(model, column, **fields)
    telling.report(model)
    return row


def firing(name: str = "DriftReviewOverdue") -> list[tuple[str, str, str]]:
    rows = Alert.objects.filter(ended_at__isnull=True, name=name).order_by("pk")
    return [(row.labels["model"], row.labels["signal"], row.severity) for row in rows]


def check() -> str:
    return overdue.check_reviews(clock.now())


def decide(row: Finding, name: str = "mira", verdict: Verdict = Verdict.REAL_DRIFT) -> None:
    verdicts.decide(row.pk, Opinion(verdict, "Seen."), verdicts.person(fleet.user(name)))


def test_what_nobody_decided_in_time_is_an_alert_until_somebody_does() -> None:
    row = told(world.model("ranker", importance=5))
    alerting.advance(3 * DAY_S)
    assert (check(), firing()) == ("0 reviews are overdue; told alerting of 0 models.", [])
    alerting.advance(1)
    assert check() == "1 reviews are overdue; told alerting of 1 models."
    assert firing() == [("ranker", "column:age", "warning")]
    alert = Alert.objects.get(name="DriftReviewOverdue")
    assert (alert.team, alert.starts_at) == (row.model.owner, row.due_at)
    assert alert.annotations["summary"].startswith("ranker: nobody has decided what this is: ")
    assert alert.annotations["description"] == (
        f"It was due on {row.due_at:%Y-%m-%d %H:%M} UTC. Somebody of its team has to decide on the finding's page."
    )
    assert alert.annotations["finding_url"].endswith(f"/drift/findings/{row.pk}/")
    decide(row)
    assert (firing(), firing("ModelDrift")) == ([], [("ranker", "column:age", "warning")])
    assert check() == "0 reviews are overdue; told alerting of 0 models."


def test_looking_again_says_nothing_again() -> None:
    told(world.model("ranker"))
    alerting.advance(4 * DAY_S)
    check()
    before = [*Report.objects.order_by("pk").values_list("received_at", "times")]
    alerting.advance(60)
    assert check() == "1 reviews are overdue; told alerting of 0 models."
    assert [*Report.objects.order_by("pk").values_list("received_at", "times")] == before
    assert alerting.alert("DriftReviewOverdue", team=Model.objects.get().owner, **_labels()).episodes.count() == 1


def test_each_finding_of_a_model_has_its_own_time() -> None:
    model = world.model("ranker")
    told(model, "age")
    told(model, "income", severity=FindingSeverity.HIGH)
    alerting.advance(DAY_S + 1)
    check()
    assert firing() == [("ranker", "column:income", "critical")]
    alerting.advance(2 * DAY_S)
    check()
    assert firing() == [("ranker", "column:income", "critical"), ("ranker", "column:age", "warning")]
    decide(Finding.objects.get(signal="column:income"))
    assert firing() == [("ranker", "column:age", "warning")]


def test_of_a_production_model_the_second_person_is_missed_too() -> None:
    row = told(world.model("ranker", is_production=True))
    decide(row, "mira")
    alerting.advance(4 * DAY_S)
    check()
    assert "A second person of its team" in Alert.objects.get(name="DriftReviewOverdue").annotations["description"]
    decide(row, "olaf")
    assert firing() == []


def test_two_who_disagree_have_decided_nothing() -> None:
    row = told(world.model("ranker", is_production=True))
    decide(row, "mira")
    alerting.advance(4 * DAY_S)
    check()
    decide(row, "olaf", Verdict.FALSE_ALARM)
    check()
    assert len(firing()) == 1


def test_what_closed_or_flaps_is_not_waited_for() -> None:
    closed, flaps = told(world.model("closed")), told(world.model("flaps"), is_quiet=True)
    alerting.advance(4 * DAY_S)
    check()
    assert firing() == [("closed", "column:age", "warning")]
    opening.close(closed, clock.now())
    assert check() == "0 reviews are overdue; told alerting of 1 models."
    assert (firing(), flaps.is_quiet) == ([], True)


def test_what_was_decided_without_telling_alerting_is_put_right() -> None:
    row = told(world.model("ranker"))
    alerting.advance(4 * DAY_S)
    check()
    Finding.objects.filter(pk=row.pk).update(review="decided", verdict="real_drift", decided_at=clock.now())
    assert (check(), firing()) == ("0 reviews are overdue; told alerting of 1 models.", [])


def test_it_goes_to_the_team_that_owns_the_model_and_ends_with_the_model() -> None:
    model = world.model("ranker")
    told(model)
    alerting.advance(4 * DAY_S)
    check()
    other = fleet.team("other")
    Model.objects.filter(pk=model.pk).update(owner=other)
    tasks.check_missing()
    assert [row.team for row in Alert.objects.filter(ended_at__isnull=True, name="DriftReviewOverdue")] == [other]
    Model.objects.filter(pk=model.pk).update(removed_at=clock.now())
    tasks.check_missing()
    assert (firing(), check()) == ([], "0 reviews are overdue; told alerting of 0 models.")


def test_the_timetable_looks_each_minute() -> None:
    told(world.model("ranker"))
    alerting.advance(4 * DAY_S)
    entry = app.conf.beat_schedule["check that drift is decided on"]
    assert entry["schedule"] == timedelta(minutes=1)
    app.loader.import_default_modules()
    assert app.tasks[entry["task"]]() == "1 reviews are overdue; told alerting of 1 models."
    assert len(firing()) == 1


def _labels() -> dict[str, str]:
    return {"model": "ranker", "signal": "column:age", "kind": "drift", "severity": "warning"}
