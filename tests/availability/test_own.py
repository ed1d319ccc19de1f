"""Our own parts on the same page: each with its state and its sentence, told to alerting, and grey without a look."""

from collections.abc import Mapping

import pytest
from django.conf import settings as django_settings

from fleetledger import celery
from monitoring.alerts import intake
from monitoring.alerts.models import Alert
from monitoring.availability import judging
from monitoring.availability.models import Component, Evidence, StateInterval
from monitoring.availability.own import network, telling, ticks
from monitoring.availability.own.network import Workers
from monitoring.availability.own.step import Step
from monitoring.availability.states import State
from monitoring.availability.tiles import Tile
from tests import prometheus
from tests import world as fleet
from tests.alerts import world as clocks
from tests.availability import listeners, world
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db(transaction=True)


def turn(step: Step, at: float) -> None:
    step(clocks.set_clock(after(at)))


def tiles(at: float) -> Mapping[str, Tile]:
    tree, found = judging.now_of_all(after(at))
    return {tree.nodes[pk].name.removeprefix("fleetledger-"): tile for pk, tile in found.items()}


def test_each_part_has_its_state_and_a_sentence() -> None:
    clocks.set_clock(after(0))
    intake.Recorder("here:1").beat()
    turn(Step(), 5)
    found = {name: (tile.state.value, tile.why) for name, tile in tiles(5).items()}
    assert found.pop("disk")[0] in ("up", "degraded")
    assert found == {
        "backup": ("unknown", "No backup is known. Run each day: fleetledger backup FILE"),
        "beat": ("down", "No beat holds the timetable's lock."),
        "notifier": ("up", ""),
        "outbox": ("up", ""),
        "postgresql": ("up", ""),
        "queue": ("up", ""),
        "redis": ("up", ""),
        "timetable": ("unknown", "No task of the timetable has ever run."),
        "web": ("up", ""),
        "workers": ("unknown", "No worker has ever answered."),
    }
    depth = Evidence.objects.get(component__name="fleetledger-queue", key="queue_depth")
    assert depth.value == 0


def test_without_a_notifier_nothing_of_ours_is_green() -> None:
    clocks.set_clock(after(0))
    turn(Step(), 5)
    assert "up" in {tile.state.value for tile in tiles(30).values()}
    assert {tile.state for tile in tiles(31).values()} == {State.UNKNOWN}
    assert tiles(31)["postgresql"].why == "No sample since 2026-11-02 00:00:05Z."


def test_turns_extend_intervals_and_add_none() -> None:
    step = Step()
    for at in range(0, 40, 5):
        turn(step, at)
    assert StateInterval.objects.filter(series__probe__component__name="fleetledger-redis").count() == 1


def test_a_silent_web_is_down_and_comes_back_by_itself() -> None:
    clocks.set_clock(after(0))
    recorder = intake.Recorder("here:1")
    recorder.beat()
    step = Step()
    turn(step, 16)
    assert tiles(16)["web"] == Tile(
        State.DOWN, "No web process has left word for 16 s, since 2026-11-02 00:00:00Z.", after(16)
    )
    recorder.beat()
    turn(step, 26)
    assert tiles(26)["web"].state is State.UP


def test_a_part_that_stays_down_is_told_and_resolves_when_it_is_back() -> None:
    clocks.set_clock(after(0))
    recorder = intake.Recorder("here:1")
    recorder.beat()
    step = Step()
    for at in range(16, 76, 10):
        turn(step, at)
        assert not Alert.objects.filter(labels__part="web").exists()
    turn(step, 76)
    alert = Alert.objects.get(labels__part="web")
    assert alert.labels == {"alertname": "FleetledgerPartDown", "part": "web", "severity": "critical"}
    assert (alert.state, alert.annotations["summary"], alert.starts_at) == ("firing", "Web is down", after(16))
    recorder.beat()
    turn(step, 86)
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_a_components_outage_is_told_to_its_team_unless_it_is_planned() -> None:
    team = fleet.team("vision")
    component = world.component(team=team, alert_after_s=30)
    probe = world.probe(component)
    see(probe, every(30, 0, 120, State.DOWN), detail="No answer.")
    clocks.set_clock(after(0))
    teller = telling.Teller()
    teller.tell(judging.judge(after(10)), after(10))
    assert Alert.objects.count() == 0
    teller.tell(judging.judge(after(40)), after(40))
    alert = Alert.objects.get()
    assert (alert.team, alert.labels["alertname"], alert.annotations["description"]) == (
        team,
        "ComponentDown",
        "No answer.",
    )
    component.maintenance.create(from_at=after(50), until_at=after(90), created_by="x", created_at=after(50))
    teller.tell(judging.judge(after(60)), after(60))
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_workers_are_known_by_their_names_and_missed_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [frozenset({"a@h", "b@h"}), frozenset({"a@h"}), frozenset({"a@h"})]
    monkeypatch.setattr(network, "ping", lambda: answers.pop(0))
    step = Step()
    for at in (0, 10, 20):
        turn(step, at)
    found = tiles(20)
    assert (found["workers"].state, found["worker-a-h"].state) == (State.UP, State.UP)
    assert found["worker-b-h"].why == "It has not answered for 20 s, since 2026-11-02 00:00:00Z."
    assert found["worker-b-h"].state is State.DOWN


def test_a_task_of_the_timetable_leaves_word_and_is_missed() -> None:
    clocks.set_clock(after(0))
    ticks.note_timetable()
    step = Step()
    turn(step, 20)
    assert tiles(20)["timetable"].state is State.UP
    turn(step, 40)
    assert tiles(40)["timetable"] == Tile(
        State.DEGRADED, "No task of the timetable has run for 40 s, since 00:00:00Z.", after(40)
    )


def test_a_redis_that_is_away_is_down_and_what_stands_behind_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step()
    clocks.set_clock(after(0))
    with listeners.silent() as port:
        monkeypatch.setattr(django_settings, "REDIS_URL", f"redis://127.0.0.1:{port}/0")
        turn(step, 0)
    found = tiles(0)
    assert found["redis"].state is State.DOWN
    assert found["redis"].why == "It does not answer within 1 s."
    assert {found[name].state for name in ("beat", "queue", "workers")} == {State.UNKNOWN}
    assert found["queue"].why == "Redis does not answer, so nobody can say."


def test_each_prometheus_is_a_part_with_its_lag_and_goes_with_its_source(tmp_path: object) -> None:
    clocks.set_clock(after(0))
    gone = fleet.source("gone", config={"url": f"http://127.0.0.1:{prometheus.free_port()}"})
    with listeners.silent() as port:
        fleet.source("hung", config={"url": f"http://127.0.0.1:{port}"}, watermark_at=after(-60))
        step = Step()
        turn(step, 0)
        found = tiles(0)
        assert found["source-gone"].state is State.DOWN
        assert "cannot be reached" in found["source-gone"].why
        assert found["source-hung"].state is State.DOWN
        assert "did not answer" in found["source-hung"].why
        gone.delete()
        turn(step, 10)
    assert "source-gone" not in tiles(10)
    assert Component.objects.get(name="fleetledger-source-gone").removed_at == after(10)
    lag = Evidence.objects.get(component__name="fleetledger-source-hung", key="lag_s")
    assert lag.value == 70


def test_nobody_answers_where_there_are_no_workers() -> None:
    assert network.ping() == frozenset()
    assert network.workers(OSError("away"), {}) == Workers(
        failure="The workers cannot be asked: the broker takes no question."
    )
    assert celery.app.conf.redbeat_lock_timeout == 30
