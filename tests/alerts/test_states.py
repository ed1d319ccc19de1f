"""What an alert is: firing, unknown or resolved, from what its senders say and from their silence."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.alerts import acts, ingest, sweep
from monitoring.alerts.models import Alert, AlertState, EndedBy, Event, Sender
from monitoring.alerts.sources.posted import Posted
from tests import world as fleet
from tests.alerts import world

pytestmark = pytest.mark.django_db
OTHER = "fl_token http://prometheus-b:9090"


@pytest.fixture(autouse=True)
def _clock(db: None) -> None:
    world.set_clock()


def beat(seconds: float, *, until: float, names: tuple[str, ...] = ("Hot", "Cold"), sender: str = world.PROM) -> None:
    """Re-send alerts every `seconds` until START + until, sweeping as the notifier does."""
    at = 0.0
    while at <= until:
        world.set_clock(world.after(at))
        for name in names:
            world.post(name, start=world.START, sender=sender)
        world.run_until(at)
        at += seconds


def test_a_re_send_writes_no_history_and_leaves_the_alert_alone() -> None:
    world.post(start=world.START)
    before = Alert.objects.values().get()
    for second in range(60, 600, 60):
        world.set_clock(world.after(second))
        world.post(start=world.START)
    assert Alert.objects.values().get() == before
    assert world.history() == ["fired"]


def test_a_sender_that_says_so_resolves() -> None:
    world.post()
    world.advance(30)
    world.resolve()
    assert world.alert().state == AlertState.RESOLVED
    assert world.episodes()[0].ended_by == EndedBy.SENDER
    assert world.episodes()[0].ended_at == world.after(30)


def test_an_end_that_is_repeated_for_a_quarter_of_an_hour_is_one_end() -> None:
    world.post()
    world.advance(30)
    for _ in range(15):
        ingest.receive(world.tenant(), world.PROM, [Posted({"alertname": "Hot"}, {}, world.START, world.after(30))])
        world.advance(60)
    assert world.history() == ["fired", "resolved"]


def test_firing_again_after_an_end_is_a_new_episode() -> None:
    world.post()
    world.advance(30)
    world.resolve()
    world.advance(30)
    world.post()
    first, second = world.episodes()
    assert (first.started_at, first.ended_at) == (world.START, world.after(30))
    assert (second.started_at, second.ended_at) == (world.after(60), None)


def test_one_body_may_end_an_episode_and_begin_the_next() -> None:
    world.post()
    world.advance(60)
    labels = {"alertname": "Hot"}
    ended = Posted(labels, {}, world.START, world.after(40))
    begun = Posted(labels, {}, world.after(50), world.after(300))
    ingest.receive(world.tenant(), world.PROM, [ended, begun])
    assert [(e.started_at, e.ended_at) for e in world.episodes()] == [
        (world.START, world.after(40)),
        (world.after(50), None),
    ]


def test_overlapping_reports_keep_the_earliest_start_and_the_newest_annotations() -> None:
    world.post(start=world.after(-10), annotations={"summary": "old"})
    world.post(start=world.after(-60), annotations={"summary": "new"}, sender=OTHER)
    assert world.alert().starts_at == world.episodes()[0].started_at == world.after(-60)
    assert world.alert().annotations == {"summary": "new"}


def test_one_of_two_replicas_that_resolves_does_not_resolve() -> None:
    world.post()
    world.post(sender=OTHER)
    world.advance(30)
    world.resolve()
    assert world.alert().state == AlertState.FIRING
    world.resolve(sender=OTHER)
    assert world.alert().state == AlertState.RESOLVED


def test_an_alert_that_was_never_re_sent_expires_at_its_end_as_in_alertmanager() -> None:
    world.intake_was_up()
    world.post(end=world.after(300))
    world.run_until(299)
    assert world.alert().state == AlertState.FIRING
    world.run_until(301)
    assert world.alert().state == AlertState.RESOLVED
    assert world.episodes()[0].ended_by == EndedBy.EXPIRED


def test_what_came_in_one_body_expires_by_as_many_statements_as_one_alert() -> None:
    costs = []
    for many in (1, 20):
        world.set_clock()
        world.intake_was_up()
        names = [{"alertname": f"{many}-{number}"} for number in range(many)]
        body = [Posted(labels, {}, world.START, world.after(300)) for labels in names]
        ingest.receive(world.tenant(), world.PROM, body)
        with CaptureQueriesContext(connection) as asked:
            sweep.sweep(world.after(301))
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_it_does_not_expire_while_our_intake_was_down() -> None:
    world.intake_was_up(until=60)
    world.post(end=world.after(300))
    world.run_until(301)
    assert world.alert().state == AlertState.STALE
    assert world.history() == ["fired", "stale"]


def test_our_outage_of_six_minutes_resolves_nothing_and_repeats_nothing() -> None:
    world.tree(route={**world.QUICK, "repeat_interval": "4h"})
    beat(60, until=300)
    told = len(world.queued())
    world.run_until(660)  # nothing came for six minutes
    assert {world.alert(name).state for name in ("Hot", "Cold")} == {AlertState.STALE}
    world.post("Hot", start=world.START)
    ingest.receive(world.tenant(), world.PROM, [Posted({"alertname": "Cold"}, {}, world.START, world.after(500))])
    world.run_until(700)
    assert world.alert("Hot").state == AlertState.FIRING
    assert world.alert("Cold").state == AlertState.RESOLVED
    news = world.queued()[told:]
    assert [said for _, _, said in news] == [["resolved:Cold"]]
    assert len(world.episodes("Hot")) == 1


def test_an_alert_is_resolved_when_its_sender_re_sent_others_for_two_intervals_without_it() -> None:
    world.intake_was_up()
    beat(60, until=300)
    for second in range(360, 781, 60):
        world.set_clock(world.after(second))
        world.post("Hot", start=world.START)
        world.run_until(second)
    assert world.alert("Cold").state == AlertState.RESOLVED
    assert world.episodes("Cold")[0].ended_by == EndedBy.MISSING
    assert "stale" not in world.history("Cold")
    assert world.alert("Hot").state == AlertState.FIRING


def test_after_a_silence_the_two_intervals_are_counted_anew() -> None:
    beat(60, until=300)
    world.run_until(900)
    world.post("Hot", start=world.START)
    world.run_until(901)
    assert world.alert("Cold").state == AlertState.STALE
    for second in (960, 1020):
        world.set_clock(world.after(second))
        world.post("Hot", start=world.START)
    world.run_until(1021)
    assert world.alert("Cold").state == AlertState.RESOLVED


def test_a_stale_sender_does_not_hold_open_what_a_live_one_resolved() -> None:
    beat(60, until=300, names=("Hot",))
    world.post(sender=OTHER, start=world.START)
    world.run_until(600)  # both fell silent, or we did
    assert world.alert().state == AlertState.STALE
    ingest.receive(world.tenant(), OTHER, [Posted({"alertname": "Hot"}, {}, world.START, world.after(590))])
    assert world.alert().state == AlertState.RESOLVED


def test_a_person_resolves_what_nobody_speaks_for() -> None:
    beat(60, until=120, names=("Hot",))
    world.run_until(600)
    assert acts.resolve_by_hand([world.alert().pk], acts.Actor("mira"), "The node was sold.") == (world.alert().pk,)
    assert world.alert().state == AlertState.RESOLVED
    assert world.episodes()[0].ended_by == EndedBy.PERSON
    assert Event.objects.filter(actor="mira", note="Resolved by hand. The node was sold.").exists()


def test_four_changes_in_a_quarter_of_an_hour_are_flapping() -> None:
    for _ in range(2):
        world.post()
        world.advance(60)
        world.resolve()
        world.advance(60)
    assert world.alert().flapping_until == world.after(180) + timedelta(minutes=15)
    assert world.history().count("flapping") == 1


def test_an_alert_that_came_and_went_while_we_were_away_has_its_episode() -> None:
    labels = {"alertname": "Hot"}
    for _ in range(3):
        ingest.receive(world.tenant(), world.PROM, [Posted(labels, {}, world.after(-600), world.after(-300))])
    assert [(e.started_at, e.ended_at) for e in world.episodes()] == [(world.after(-600), world.after(-300))]
    assert world.history() == ["fired", "quiet"]


def test_tenants_with_the_same_labels_have_alerts_of_their_own() -> None:
    vision, speech = fleet.team("vision"), fleet.team("speech")
    world.post(team=vision)
    world.post(team=speech)
    world.advance(10)
    world.resolve(team=speech)
    assert world.alert(team=vision).state == AlertState.FIRING
    assert world.alert(team=speech).state == AlertState.RESOLVED


def test_a_sender_is_known_by_how_often_it_repeats_itself() -> None:
    beat(15, until=150, names=("Hot",))
    assert Sender.objects.get().interval_s == pytest.approx(15)
