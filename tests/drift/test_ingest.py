"""Reports taken in: once each, whole, dated by what is known, and kept as they came."""

import gzip
import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from drift import importing, ingest, tasks
from drift.errors import (
    BadWindowError,
    ManyWindowsError,
    NotUndatedError,
    ReportTooLargeError,
    SameWindowError,
    UnknownModelError,
    UnreadableReportError,
)
from drift.models import DatedBy, Model, Report, ReportFile, ReportState, Score
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.models import Job
from monitoring.alerts import clock
from tests import world as fleet
from tests.drift import reports, world

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("name", reports.FILES)
def test_every_file_is_taken_in_and_given_back_byte_for_byte(name: str) -> None:
    model = world.model()
    received = world.sent(model, name)
    found = Report.objects.filter(model=model)
    assert set(found.values_list("pk", flat=True)) == set(received.report_ids)
    assert set(found.values_list("state", flat=True)) == {ReportState.IMPORTED}
    assert Score.objects.filter(report__model=model).count() == received.scores > 0
    file = ReportFile.objects.get()
    assert (ingest.raw_of(file), file.size_bytes, file.name) == (
        reports.content(name),
        len(reports.content(name)),
        name,
    )


def test_a_report_has_its_counts_and_scores() -> None:
    model, mira = world.model(), fleet.user("mira")
    received = world.sent(model, reports.SNAPSHOT, sender=ingest.Sender(mira))
    report = Report.objects.get(pk=received.report_ids[0])
    assert (
        report.generation, report.tool, report.columns, report.drifted_columns, report.share, report.drift_share,
        report.is_drifted, report.received_by, report.made_at,
    ) == ("evidently-c", "evidently", 13, 12, 0.9230769230769231, 0.5, True, mira, MARCH)  # fmt: skip
    (rough,) = [score for score in world.scores(report) if score.column == "is_rough"]
    assert (rough.method, rough.method_as_written, rough.value, rough.threshold, rough.is_drifted, rough.engine) == (
        "z", "Z-test p_value", 0.2614554501617503, 0.05, False, "evidently",
    )  # fmt: skip


def test_the_window_is_asked_for_or_the_chunks_or_the_timestamp_or_nobody_knows() -> None:
    model = world.model()
    day = parse_window("2026-11-01/2026-11-02")
    asked, stamped, undated = (
        world.sent(model, reports.SNAPSHOT, window=day),
        world.sent(model, reports.SNAPSHOT),
        world.sent(model, reports.LATE),
    )
    chunks = world.sent(model, "nannyml-0.13.1-cbpe.json")
    rows = {
        row.pk: (row.is_dated, row.dated_by, row.window_from, row.window_to)
        for row in Report.objects.filter(model=model)
    }
    assert rows[asked.report_ids[0]] == (True, DatedBy.ASKED, day.start, day.end)
    assert rows[stamped.report_ids[0]] == (True, DatedBy.TIMESTAMP, MARCH, MARCH)
    assert rows[undated.report_ids[0]] == (False, "", None, None)
    assert {rows[pk][1] for pk in chunks.report_ids} == {DatedBy.CHUNK}
    assert len({rows[pk][2] for pk in chunks.report_ids}) == 10


def test_the_same_report_of_the_same_window_is_one() -> None:
    model = world.model()
    first, again = (
        world.sent(model, reports.LATE, window=world.day(0)),
        world.sent(model, reports.LATE, window=world.day(0)),
    )
    other = world.sent(model, reports.LATE, window=world.day(1))
    assert (first.is_known, again.is_known, other.is_known) == (False, True, False)
    assert first.report_ids == again.report_ids != other.report_ids
    assert (Report.objects.count(), ReportFile.objects.count(), Score.objects.count()) == (2, 1, 26)


def test_plots_and_spaces_make_no_other_report() -> None:
    model = world.model()
    world.sent(model, "evidently-0.6.7-drift.json")
    spaced = json.dumps(json.loads(reports.content("evidently-0.6.7-drift.json")), indent=2).encode()
    assert importing.import_now(model, spaced).is_known
    assert importing.import_now(model, gzip.compress(spaced)).is_known
    assert Report.objects.count() == 1


def test_two_models_have_the_same_report_each() -> None:
    one, other = world.model("one"), world.model("other")
    assert [world.sent(model, reports.LATE).is_known for model in (one, other)] == [False, False]


def test_an_undated_report_is_dated_once_and_stays_known() -> None:
    model, mira = world.model(), fleet.user("mira")
    undated = world.report(model)
    ingest.date_report(undated.pk, world.day(3), user=mira)
    undated.refresh_from_db()
    assert (undated.is_dated, undated.dated_by, undated.dated_by_user, undated.window_to) == (
        True, DatedBy.PERSON, mira, world.day(3).end,
    )  # fmt: skip
    with pytest.raises(NotUndatedError, match=f"Report {undated.pk} has a window already"):
        ingest.date_report(undated.pk, world.day(4))
    assert world.report(model).pk == undated.pk


def test_a_window_that_the_same_report_has_already_is_refused() -> None:
    model = world.model()
    undated = world.report(model)
    dated = world.report(model, window=world.day(0))
    with pytest.raises(SameWindowError, match=f"Report {dated.pk} says the same"):
        ingest.date_report(undated.pk, world.day(0))


@pytest.mark.django_db(transaction=True)
def test_one_report_posted_ten_times_at_once_is_one_report() -> None:
    model, gate = world.model(), Barrier(10)

    def post(_number: int) -> ingest.Received:
        try:
            gate.wait()
            return importing.import_now(model, reports.content(reports.SNAPSHOT))
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        received = list(pool.map(post, range(10)))
    assert len({one.report_ids for one in received}) == 1
    assert sorted(one.is_known for one in received) == [False] + [True] * 9
    assert (Report.objects.count(), ReportFile.objects.count(), Score.objects.count()) == (1, 1, 13)


def test_what_cannot_be_read_leaves_nothing_behind() -> None:
    model = world.model()
    with pytest.raises(UnreadableReportError):
        importing.import_now(model, b'{"metrics": [{"metric": "DataDriftTable"}]}')
    with pytest.raises(ManyWindowsError, match="holds 10 chunks"):
        world.sent(model, "nannyml-0.13.1-cbpe.json", window=world.day(0))
    assert (Report.objects.count(), ReportFile.objects.count()) == (0, 0)


def test_a_large_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRIFT_REPORT_MAX_BYTES", 1000)
    with pytest.raises(ReportTooLargeError, match="larger than 1000 bytes"):
        world.sent(world.model(), reports.LATE)


def test_a_model_that_was_dropped_takes_no_reports() -> None:
    world.model("kept")
    world.model("dropped", removed_at=clock.now())
    with pytest.raises(UnknownModelError, match=r"No model is called 'dropped'\. Known: kept\."):
        ingest.model_named("dropped")


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-01", "2026-11-02/2026-11-01", "2026-11-01/2026-11-01", "a/b", "1/2", "2026-11-01/", "9999-12-31/x"],
)
def test_a_window_is_written_from_to(text: str) -> None:
    with pytest.raises(BadWindowError):
        parse_window(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2026-11-01/2026-11-02", 24),
        ("2026-11-01T00:00Z/2026-11-01T06:00:00", 6),
        ("2026-11-01T02:00+02:00/2026-11-01T06:00Z", 6),
        ("2026-11-01 00:00/2026-11-01 01:00", 1),
    ],
)
def test_windows_are_days_or_instants_in_utc(text: str, hours: int) -> None:
    assert parse_window(text) == ReportWindow(world.START, world.START + timedelta(hours=hours))


def test_a_report_that_no_worker_took_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = world.model()
    lost = ingest.receive(model, reports.content(reports.LATE))
    ingest.receive(model, reports.content(reports.SNAPSHOT))
    Report.objects.filter(file_id=lost.file_id).update(received_at=clock.now() - timedelta(minutes=20))
    asked: list[int] = []
    monkeypatch.setattr(tasks.import_file, "delay", asked.append)
    assert tasks.import_waiting() == "Asked again for 1 files."
    assert asked == [lost.file_id]


def test_a_job_tells_what_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    model = world.model()
    monkeypatch.setattr(tasks.import_file, "delay", list[int]().append)
    enqueued = importing.receive_and_enqueue(model, reports.content(reports.LATE))
    file_id = enqueued.received.file_id
    assert (importing.run(file_id), importing.run(file_id)) == (
        "1 report imported with 13 scores.",
        "These reports are imported already; nothing changed.",
    )
    job = Job.objects.get()
    assert job.pk == enqueued.job_id
    assert (job.state, job.message, job.result, job.team) == (
        "done", "1 report imported with 13 scores.", {"reports": list(enqueued.received.report_ids)}, model.owner,
    )  # fmt: skip


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True), min_size=1, max_size=8))
@settings_of_hypothesis(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_number_is_stored_as_it_came(values: list[float]) -> None:
    model = Model.objects.filter(name="numbers").first() or world.model("numbers")
    metrics = reports.evidently(*[0.5] * len(values))
    for metric, value in zip(metrics["metrics"][1:], values, strict=True):
        metric["value"] = value
    received = importing.import_now(model, json.dumps(metrics).encode())
    stored = [score.value for score in world.scores(Report.objects.get(pk=received.report_ids[0]))]
    assert stored == [value if math.isfinite(value) else None for value in values]
