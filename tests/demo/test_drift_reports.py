"""The demo's models have daily reports: one drifts from the tenth day of a cycle on, the other does not."""

from datetime import UTC, datetime

import pytest

from drift.models import Finding, Report, Score
from fleetledger.demo import drift_reports, seed
from fleetledger.demo.drift_reports import WATCHED, report

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)


def test_reports_are_taken_in_once_and_the_drifting_model_has_a_finding() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    assert drift_reports.write(NOW, 12) == 24
    assert drift_reports.write(NOW, 12) == 0
    assert Report.objects.count() == 24
    assert Score.objects.count() == 12 * sum(len(one.columns) for one in WATCHED)
    open_ = Finding.objects.filter(closed_at=None)
    assert set(open_.values_list("model__name", flat=True)) == {"ranker-xl"}


def test_a_report_is_the_same_on_every_run() -> None:
    day = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    for watched in WATCHED:
        assert report(watched, day) == report(watched, day)
    values = {one["config"].get("column"): one["value"] for one in report(WATCHED[0], day)["metrics"]}
    assert {column for column, value in values.items() if column and value >= 0.1} == set(WATCHED[0].drifting)
    assert values[None] == {"count": 2.0, "share": 0.25}
