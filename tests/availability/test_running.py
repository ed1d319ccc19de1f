"""Probes are asked when they are due: by one process at a time, on their grid, and whatever becomes of the others."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from monitoring.availability import claims, running
from monitoring.availability.models import Component, Probe, ProbeKind, Series
from monitoring.availability.sources import net
from tests.alerts import world as clocks
from tests.availability import listeners, world
from tests.availability.world import after, intervals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def port() -> Iterator[int]:
    with listeners.silent() as found:
        yield found


def tcp(of: Component, port: int, name: str = "tcp") -> Probe:
    return world.probe(of, name, ProbeKind.TCP, spec={"host": "127.0.0.1", "port": port}, timeout_s=2)


def ask(at: float) -> str:
    return running.run_due(clocks.set_clock(after(at)))


def test_a_probe_is_asked_on_its_grid_however_late_the_asking_is(port: int) -> None:
    probe = tcp(world.component(), port)
    for at in (2, 33, 61.5, 94):
        assert ask(at) == "Asked 1 probes, 0 of them could not be asked."
        assert ask(at + 1).startswith("Asked 0")
    assert intervals(probe) == [(0, 120, "up")]
    probe.refresh_from_db()
    assert (probe.due_at, probe.asked_at, probe.failure) == (after(120), after(94), "")
    assert probe.detail.startswith("It answered in ")


def test_what_was_missed_while_nobody_asked_stays_unknown(port: int) -> None:
    component = world.component()
    probe = tcp(component, port)
    ask(0)
    ask(301)
    assert intervals(probe) == [(0, 30, "up"), (300, 330, "up")]
    assert world.tally(component, 0, 330).unknown_s == 270


def test_several_at_once_ask_each_probe_once(port: int) -> None:
    for number in range(40):
        tcp(world.component(f"c{number}"), port)
    clocks.set_clock(after(0))

    def run(_: int) -> int:
        try:
            return int(running.run_due(after(0)).split()[1])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(run, range(4)))
    assert sum(counts) == 40
    assert Series.objects.count() == 40


def test_a_probe_whose_asker_died_is_taken_again_when_its_lease_is_over(port: int) -> None:
    probe = tcp(world.component(), port)
    (claim,) = claims.take(after(0), 10)
    assert claims.take(after(89), 10) == []
    assert ask(91).startswith("Asked 1")
    claims.release([claims.Done(claim, failure="too late")], after(92), after(90))
    probe.refresh_from_db()
    assert (probe.failure, probe.due_at) == ("", after(120))


def test_a_slow_probe_delays_no_other(port: int) -> None:
    slow, quick = world.component("slow"), world.component("quick")
    world.probe(slow, "http", spec={"url": f"http://127.0.0.1:{port}/"}, timeout_s=4)
    tcp(quick, port)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_run_and_close)
        while not Series.objects.filter(probe__component=quick).exists():
            assert time.monotonic() - started < 3.5
            time.sleep(0.02)
    row = Series.objects.get(probe__component=slow)
    assert (row.state, row.detail) == ("down", f"No answer from 127.0.0.1:{port} within 4 s.")


def _run_and_close() -> None:
    try:
        ask(0)
    finally:
        connection.close()


def test_a_mistake_of_ours_is_a_sentence_on_its_probe(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(net, "ask_http", breaks)
    broken = world.probe(world.component("broken"), "http", spec={"url": "http://127.0.0.1"})
    good = tcp(world.component("good"), port)
    assert ask(0) == "Asked 2 probes, 1 of them could not be asked."
    broken.refresh_from_db()
    assert broken.failure == "A mistake of ours (ZeroDivisionError). See the worker's log."
    assert intervals(good) == [(0, 30, "up")]


def test_a_secret_that_is_away_and_a_source_that_is_missing_are_said(port: int) -> None:
    spec = {"url": f"http://127.0.0.1:{port}/", "headers": {"Authorization": {"env": "NO_SUCH_SECRET"}}}
    probe = world.probe(world.component(), "http", spec=spec)
    ask(0)
    probe.refresh_from_db()
    assert probe.failure == "The environment variable NO_SUCH_SECRET is empty. Set it where the worker runs."


def test_a_heartbeat_that_is_missed_is_down(port: int) -> None:
    component = world.component()
    probe = world.probe(component, "beat", ProbeKind.HEARTBEAT, spec={"every_s": 60, "grace_s": 10}, interval_s=30)
    ask(0)
    probe.refresh_from_db()
    assert probe.failure == "It has never called. Its address stands beside the probe."
    Probe.objects.update(beat_at=after(30))
    world.web_was_up(after(-600), after(900))
    for at in (60, 90, 120):
        ask(at)
    assert intervals(probe) == [(60, 120, "up"), (120, 150, "down")]


def test_a_removed_probe_is_asked_no_more(port: int) -> None:
    tcp(world.component(), port)
    Probe.objects.update(removed_at=after(0))
    assert ask(60).startswith("Asked 0")
