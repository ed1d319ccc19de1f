"""Whether alerts could have been taken in is known afterwards, from what each web process wrote."""

import threading

import pytest
from django.db import OperationalError
from django.db.models import F
from structlog.testing import capture_logs

from monitoring.alerts import intake
from monitoring.alerts.models import IntakeSpan
from tests.alerts import world
from tests.alerts.world import after
from tests.embedded.running import wait_until


def span(since: float, until: float) -> None:
    IntakeSpan.objects.create(instance="web", from_at=after(since), until_at=after(until))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spans", "is_up"),
    [
        ([], False),
        ([(0, 300)], True),
        ([(-600, 600)], True),
        ([(10, 290)], True),
        ([(16, 300)], False),
        ([(0, 284)], False),
        ([(0, 100), (114, 300)], True),
        ([(0, 100), (116, 300)], False),
        ([(0, 100), (50, 200), (60, 70), (210, 300)], True),
        ([(0, 200), (100, 110), (190, 300)], True),
        ([(-600, -16), (310, 600)], False),
    ],
)
def test_the_union_of_all_processes_spans_must_cover_the_time(spans: list[tuple[float, float]], is_up: bool) -> None:
    for since, until in spans:
        span(since, until)
    assert intake.was_up(after(0), after(300)) is is_up


@pytest.mark.django_db
def test_a_moment_needs_a_span_as_well() -> None:
    assert not intake.was_up(after(0), after(1))
    span(-60, -5)
    assert intake.was_up(after(0), after(1))


@pytest.mark.django_db
def test_each_beat_makes_the_span_longer_and_a_pause_begins_another() -> None:
    world.set_clock()
    recorder = intake.Recorder("web-1")
    for seconds in (0, 5, 15, 60, 5):
        world.advance(seconds)
        recorder.beat()
    rows = IntakeSpan.objects.order_by("from_at").values_list("instance", "from_at", "until_at")
    assert list(rows) == [("web-1", after(0), after(20)), ("web-1", after(80), after(85))]


@pytest.mark.django_db
def test_spans_of_long_ago_are_forgotten() -> None:
    world.set_clock()
    span(-31 * 86_400, -30 * 86_400 - 1)
    span(-31 * 86_400, -29 * 86_400)
    intake.Recorder("web-1").beat()
    assert IntakeSpan.objects.count() == 2


@pytest.mark.django_db
def test_a_very_long_name_of_a_host_is_cut() -> None:
    intake.Recorder("x" * 300).beat()
    assert len(IntakeSpan.objects.get().instance) == 100


@pytest.mark.realtime
@pytest.mark.django_db(transaction=True)
def test_the_thread_records_until_it_is_stopped() -> None:
    stop = intake.start(every_s=0.02)
    try:
        wait_until(lambda: IntakeSpan.objects.filter(until_at__gt=F("from_at")).exists(), 20)
        (thread,) = (running for running in threading.enumerate() if running.name == "intake")
    finally:
        stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert IntakeSpan.objects.count() == 1


def test_a_database_that_does_not_answer_is_told_of_once() -> None:
    stop = threading.Event()

    class Unheard(intake.Recorder):
        beats = 0

        def beat(self) -> None:
            self.beats += 1
            if self.beats == 3:
                stop.set()
            raise OperationalError("connection refused\n")

    with capture_logs() as said:
        intake._record(Unheard("web-1"), stop, 0.0)
    assert said == [
        {
            "event": "intake cannot be recorded: the database does not answer",
            "error": "connection refused",
            "log_level": "warning",
        }
    ]
