"""The demo's models have daily reports: one drifts from the tenth day of a cycle on, another's rows from day 25 on."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from drift.models import DataWindow, Finding, Generation, Reference, Report, Score
from fleetledger.demo import drift_reports, drift_rows, seed
from fleetledger.demo.drift_reports import WATCHED, report

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)


def test_reports_are_taken_in_once_and_the_drifting_model_has_a_finding() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    assert drift_reports.write(NOW, 12) == 36
    assert drift_reports.write(NOW, 12) == 0
    assert Report.objects.count() == 36
    read = Score.objects.exclude(report__generation=Generation.NATIVE)
    assert read.count() == 12 * sum(len(one.columns) for one in WATCHED)
    open_ = Finding.objects.filter(closed_at=None).exclude(model__name=drift_rows.MODEL)
    assert set(open_.values_list("model__name", flat=True)) == {"ranker-xl"}


def test_a_report_is_the_same_on_every_run() -> None:
    day = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    for watched in WATCHED:
        assert report(watched, day) == report(watched, day)
    values = {one["config"].get("column"): one["value"] for one in report(WATCHED[0], day)["metrics"]}
    assert {column for column, value in values.items() if column and value >= 0.1} == set(WATCHED[0].drifting)
    assert values[None] == {"count": 2.0, "share": 0.25}


def test_rows_are_computed_and_drift_in_brightness_as_the_lamps_age() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    started = time.perf_counter()
    assert drift_rows.write(NOW, 45) == 30
    took = time.perf_counter() - started
    assert drift_rows.write(NOW, 45) == 0
    windows = DataWindow.objects.order_by("window_from")
    assert {one.state for one in windows} == {"computed"}
    assert [place for place, one in enumerate(windows) if not one.is_complete] == [drift_rows.A_PART_ON_DAY]
    assert Reference.objects.get().state == "active"
    found = {(one.signal, one.closed_at is None) for one in Finding.objects.filter(model__name=drift_rows.MODEL)}
    assert ("column:brightness", True) in found
    assert ("concept", True) in found
    assert ("column:humidity", False) in found
    assert {signal for signal, is_open in found if is_open and signal.startswith("column:")} == {"column:brightness"}
    assert took < 60  # of a busy machine; alone it is a few seconds


def test_a_later_start_adds_the_days_since_then() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    assert drift_rows.write(NOW, 3) == 3
    assert drift_rows.write(NOW + timedelta(days=2), 3) == 2
    assert Reference.objects.count() == 1


def test_rows_are_the_same_on_every_run() -> None:
    how = drift_rows.circumstances(drift_rows.SENSOR_OFF_ON_DAY)
    start = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    once = drift_rows.content(start, how)
    assert once == drift_rows.content(start, how)
    lines = once.decode().splitlines()
    assert len(lines) == 401
    assert sum(",," in line for line in lines) == pytest.approx(60, abs=20)
