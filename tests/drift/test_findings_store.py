"""Findings as stored things: what reports open and close, whatever their order and however often they come."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from drift import importing, ingest, tasks
from drift.findings import concepts, missing, store
from drift.findings.concept import ConceptChange
from drift.findings.store import Weighed
from drift.findings.tracking import Change
from drift.models import Evaluated, Finding, FindingSeverity, FindingState, Model, Report
from monitoring.alerts import clock
from monitoring.alerts.models import Alert
from tests import world as fleet
from tests.alerts import world as alerting
from tests.drift import reports, world

pytestmark = pytest.mark.django_db
CLEAN, DRIFTED, NEAR = (0.01, 0.01, 0.01), (0.3, 0.01, 0.01), (0.09, 0.01, 0.01)


def days(of: Model, *seen: tuple[float, ...], start: int = 0) -> None:
    """A report a day."""
    for number, scores in enumerate(seen, start):
        world.report(of, *scores, window=world.day(number), timestamp=f"2026-01-01T00:00:{number:02d}Z")


def firing() -> list[tuple[str, str, str]]:
    """What alerting knows of drift."""
    rows = Alert.objects.filter(ended_at__isnull=True, labels__alertname="ModelDrift").order_by("pk")
    return [(row.labels["model"], row.labels["signal"], row.labels["severity"]) for row in rows]


def found() -> list[tuple[str, str, str]]:
    return [(row.signal, row.kind, row.state) for row in Finding.objects.order_by("pk")]


def test_three_of_five_windows_open_one_finding_and_five_clean_ones_close_it() -> None:
    model = world.model("ranker")
    days(model, DRIFTED, CLEAN, DRIFTED)
    assert found() == []
    days(model, DRIFTED, DRIFTED, start=3)
    (row,) = Finding.objects.all()
    assert (row.signal, row.kind, row.state, row.severity) == ("column:c0", "drift", "open", "medium")
    assert (row.columns, row.window_from, row.window_to) == (["c0"], world.day(3).start, world.day(3).end)
    assert row.summary == "c0 drifted in 3 of the last 4 windows (psi 0.3, threshold 0.1)."
    assert row.due_at - row.opened_at == timedelta(days=3)
    assert firing() == [("ranker", "column:c0", "warning")]
    days(model, CLEAN, CLEAN, CLEAN, CLEAN, start=5)
    assert found() == [("column:c0", "drift", "open")]
    days(model, CLEAN, start=9)
    assert (found(), firing()) == ([("column:c0", "drift", "closed")], [])


def test_a_window_near_the_threshold_is_not_clean() -> None:
    model = world.model()
    days(model, DRIFTED, DRIFTED, DRIFTED, CLEAN, CLEAN, CLEAN, CLEAN, NEAR, CLEAN)
    assert found() == [("column:c0", "drift", "open")]


def test_a_share_of_columns_opens_one_finding_at_once() -> None:
    world.sent(world.model("cancer"), reports.LATE, window=world.day(0))
    (row,) = Finding.objects.all()
    assert (row.signal, row.kind, row.severity, len(row.columns)) == ("dataset", "dataset", "high", 12)
    assert row.summary == "12 of 13 columns drifted: a share of 0.9231, where 0.5 is the limit."
    assert firing() == [("cancer", "dataset", "critical")]


def test_facts_about_data_open_at_once_and_close_when_no_report_tells_them() -> None:
    model = world.model()
    for number in range(6):
        importing.import_now(model, _anomalies("age" if number == 0 else "", number), window=world.day(number))
        if number == 0:
            (row,) = Finding.objects.all()
            assert (row.signal, row.kind, row.severity) == ("column:age", "quality", "medium")
            assert row.summary == "The data of age changed: FEATURE_TYPE_LOW_FRACTION_PRESENT."
    assert found() == [("column:age", "quality", "closed")]


def test_weighing_twice_changes_nothing() -> None:
    model = world.model()
    days(model, DRIFTED, DRIFTED, DRIFTED)
    before = list(Finding.objects.values())
    assert store.evaluate(model.pk) == Weighed()
    assert list(Finding.objects.values()) == before
    assert Evaluated.objects.count() == 3


def test_the_order_of_reports_does_not_matter() -> None:
    model = world.model()
    order = [4, 0, 2, 1, 3]
    for number in order:
        scores = DRIFTED if number in (0, 2, 3) else CLEAN
        world.report(model, *scores, window=world.day(number), timestamp=f"2026-01-01T00:00:0{number}Z")
    (row,) = Finding.objects.all()
    assert (row.window_to, row.last_window_to) == (world.day(3).end, world.day(4).end)


def test_an_undated_report_waits_until_somebody_dates_it() -> None:
    model = world.model()
    received = world.sent(model, reports.LATE)
    report = Report.objects.get(pk=received.report_ids[0])
    Report.objects.filter(pk=report.pk).update(is_dated=False, window_from=None, window_to=None, dated_by="")
    Finding.objects.all().delete()
    Evaluated.objects.all().delete()
    assert (tasks.weigh_waiting(), found()) == ("Weighed the reports of 0 models.", [])
    ingest.date_report(report.pk, world.day(0))
    assert tasks.weigh_waiting() == "Weighed the reports of 1 models."
    assert found() == [("dataset", "dataset", "open")]


def test_many_p_values_are_no_drift_without_the_gate() -> None:
    """One of forty below 0.05 is what chance gives."""
    model = world.model()
    for number in range(5):
        content = _p_values([0.03, *[0.5] * 39], number)
        importing.import_now(model, content, window=world.day(number))
    assert found() == []


def test_one_signal_has_one_open_finding() -> None:
    model = world.model()
    days(model, DRIFTED, DRIFTED, DRIFTED)
    row = Finding.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_an_accepted_threshold_stands_above_the_reports_own() -> None:
    model = world.model(settings={"thresholds": {"c0": 0.4}})
    days(model, DRIFTED, DRIFTED, DRIFTED)
    assert found() == []


def test_a_report_that_does_not_come_is_a_finding() -> None:
    alerting.set_clock()
    model = world.model("ranker", expected_every_s=3600)
    world.report(model, *CLEAN, window=world.day(0))
    alerting.advance(4000)
    assert missing.check(clock.now()) == "0 models miss a report."
    alerting.advance(1000)
    assert missing.check(clock.now()) == "1 models miss a report."
    assert missing.check(clock.now()) == "1 models miss a report."
    (row,) = Finding.objects.all()
    assert (row.kind, row.severity, row.state) == ("missing_report", "medium", "open")
    assert row.summary == "No report came since 2026-11-02 13:00 UTC; one is expected every 1h, 1 is missing."
    assert firing() == [("ranker", "missing_report", "warning")]
    alerting.advance(3 * 3600)
    missing.check(clock.now())
    assert Finding.objects.get().severity == FindingSeverity.HIGH
    world.report(model, *CLEAN, window=world.day(1), timestamp="2026-01-01T00:00:00Z")
    missing.check(clock.now())
    assert (Finding.objects.get().state, firing()) == (FindingState.CLOSED, [])


def test_a_removed_models_findings_close_and_another_teams_alert_moves() -> None:
    model = world.model("ranker")
    days(model, DRIFTED, DRIFTED, DRIFTED)
    other = fleet.team("other")
    Model.objects.filter(pk=model.pk).update(owner=other)
    missing.check(clock.now())
    assert [row.team for row in Alert.objects.filter(ended_at__isnull=True)] == [other]
    Model.objects.filter(pk=model.pk).update(removed_at=clock.now())
    missing.check(clock.now())
    assert (found(), firing()) == ([("column:c0", "drift", "closed")], [])


def test_a_rise_of_the_loss_is_one_finding_until_it_falls() -> None:
    model = world.model("ranker")
    rise = ConceptChange(Change.OPENED, row=5100, usual=0.1, loss=0.4)
    concepts.record(model.pk, [rise])
    concepts.record(model.pk, [rise])
    (row,) = Finding.objects.all()
    assert (row.kind, row.severity) == ("concept", "high")
    assert row.summary == "The mean loss rose from 0.1 to 0.4 at labelled event 5100."
    concepts.record(model.pk, [ConceptChange(Change.CLOSED, row=9000, usual=0.1, loss=0.12)])
    concepts.record(model.pk, [rise])
    assert found() == [("concept", "concept", "closed")]


def _p_values(values: list[float], number: int) -> bytes:
    metrics: list[dict[str, Any]] = [
        {
            "id": f"m{at}",
            "metric_name": f"ValueDrift(column=c{at},method=K-S p_value,threshold=0.05)",
            "config": {
                "type": "evidently:metric_v2:ValueDrift",
                "column": f"c{at}",
                "method": "K-S p_value",
                "threshold": 0.05,
            },
            "value": value,
        }
        for at, value in enumerate(values)
    ]
    return reports.packed({"metrics": metrics, "timestamp": f"2026-01-01T00:00:0{number}Z"})


def _anomalies(column: str, number: int) -> bytes:
    """TFDV names only what is wrong; `number` makes a file of its own."""
    reason = {"type": "FEATURE_TYPE_LOW_FRACTION_PRESENT", "shortDescription": "x", "description": "x"}
    info = {"path": {"step": [column]}, "severity": "ERROR", "reason": [reason]}
    return reports.packed({"anomalyInfo": {column: info} if column else {}, "anomalyNameFormat": "x", "x": number})


@pytest.mark.django_db(transaction=True)
def test_ten_evaluations_at_once_open_one_finding() -> None:
    model = world.model()
    days(model, DRIFTED, DRIFTED, DRIFTED)
    Finding.objects.all().delete()

    def weigh(_: int) -> int:
        with closing(connection):
            return store.evaluate(model.pk).opened

    with ThreadPoolExecutor(10) as pool:
        opened = list(pool.map(weigh, range(10)))
    assert (sorted(opened), Finding.objects.count()) == ([0] * 9 + [1], 1)


def test_one_models_odd_report_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    odd, fine = world.model("odd"), world.model("fine")
    days(odd, DRIFTED, DRIFTED, DRIFTED)
    days(fine, DRIFTED, DRIFTED, DRIFTED)
    Evaluated.objects.all().delete()
    real = store.evaluate

    def evaluate(model_id: int) -> Weighed:
        if model_id == odd.pk:
            raise ValueError
        return real(model_id)

    monkeypatch.setattr(store, "evaluate", evaluate)
    assert tasks.weigh_waiting() == "Weighed the reports of 1 models."
    assert store.waiting_models() == [odd.pk]
