"""Groups: when a message goes out, what it holds, and what is told once."""

import pytest

from monitoring.alerts import acts, flush
from monitoring.alerts.models import Event, EventKind, Group, Told, Tree
from tests.alerts import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_tree(db: None) -> None:
    world.set_clock()
    world.intake_was_up()
    world.tree()


def test_one_alert_is_told_after_the_wait_and_at_each_repeat() -> None:
    world.post(end=world.after(3600))
    world.run_until(45)
    assert world.queued() == [
        (2, "firing", ["firing:Hot"]),
        (22, "firing", ["firing:Hot"]),
        (42, "firing", ["firing:Hot"]),
    ]


def test_a_second_alert_is_told_with_the_first_at_the_next_interval() -> None:
    world.post(gpu="0", end=world.after(3600))
    world.run_until(3.5)
    world.post(gpu="1", end=world.after(3600))
    world.run_until(30)
    both = ["firing:0", "firing:1"]
    assert world.queued() == [(2, "firing", ["firing:0"]), (7, "firing", both), (27, "firing", both)]


def test_an_end_is_told_once_with_what_still_fires() -> None:
    world.post(gpu="0", start=world.after(-1), end=world.after(3600))
    world.post(gpu="1", end=world.after(3600))
    world.run_until(3)
    world.resolve(gpu="0")
    world.run_until(30)
    assert world.queued() == [
        (2, "firing", ["firing:0", "firing:1"]),
        (7, "firing", ["resolved:0", "firing:1"]),
        (27, "firing", ["firing:1"]),
    ]


def test_an_alert_that_ends_within_the_wait_is_told_to_nobody_and_keeps_its_history() -> None:
    world.post()
    world.advance(1)
    world.resolve()
    world.run_until(30)
    assert world.queued() == []
    assert world.history() == ["fired", "resolved", "quiet"]
    assert not Group.objects.exclude(tick_at=None)


def test_firing_again_is_a_new_episode_that_is_told_anew() -> None:
    world.post(end=world.after(3600))
    world.run_until(3)
    world.resolve()
    world.run_until(8)
    world.post(end=world.after(3600))
    world.run_until(11)
    assert [(at, kind) for at, kind, _ in world.queued()] == [(2, "firing"), (7, "resolved"), (10, "firing")]
    assert [episode.number for episode in world.episodes()] == [1, 2]


def test_an_end_and_a_new_start_between_two_looks_are_both_told() -> None:
    world.post(end=world.after(3600))
    world.run_until(3)
    world.resolve()
    world.advance(0.5)
    world.post(end=world.after(3600))
    world.run_until(8)
    assert world.queued()[1:] == [(7, "firing", ["resolved:Hot", "firing:Hot"])]


def test_acknowledged_alerts_are_not_repeated_but_a_new_one_notifies_with_all() -> None:
    world.post(gpu="0", end=world.after(3600))
    world.run_until(3)
    done = acts.acknowledge([world.alert(gpu="0").pk], acts.Actor("mira"))
    assert done.alert_ids == (world.alert(gpu="0").pk,)
    world.run_until(30)
    assert len(world.queued()) == 1
    world.post(gpu="1", end=world.after(3600))
    world.run_until(40)
    assert world.queued()[1][1:] == ("firing", ["firing:0", "firing:1"])


def test_the_end_of_an_acknowledged_alert_is_told() -> None:
    world.post(end=world.after(3600))
    world.run_until(3)
    acts.acknowledge([world.alert().pk], acts.Actor("mira"))
    world.resolve()
    world.run_until(8)
    assert world.queued()[1:] == [(7, "resolved", ["resolved:Hot"])]


def test_a_re_fire_after_an_acknowledged_episode_is_not_acknowledged() -> None:
    world.post(end=world.after(3600))
    world.run_until(3)
    acts.acknowledge([world.alert().pk], acts.Actor("mira"))
    world.resolve()
    world.run_until(8)
    world.post(end=world.after(3600))
    world.run_until(11)
    assert world.queued()[-1] == (10, "firing", ["firing:Hot"])


def test_ticks_that_nobody_looked_at_are_not_made_up_for() -> None:
    world.post(end=world.after(7200))
    world.run_until(3)
    world.set_clock(world.after(3600))
    world.run_until(3600)
    world.run_until(3625)
    assert [at for at, _, _ in world.queued()] == [2, 3600, 3617]


def test_a_destination_that_wants_no_ends_is_told_none() -> None:
    world.tree(receivers=[{"name": "default", "webhook": [{"url": "http://127.0.0.1:9/x", "send_resolved": False}]}])
    world.post(end=world.after(3600))
    world.run_until(3)
    world.resolve()
    world.run_until(30)
    assert [(at, kind) for at, kind, _ in world.queued()] == [(2, "firing")]


def test_a_changed_tree_repeats_nothing_where_the_route_stayed() -> None:
    world.post(severity="critical", end=world.after(3600))
    world.run_until(3)
    world.tree(
        route={**world.QUICK, "repeat_interval": "1h", "routes": [{"matchers": ['team="x"'], "receiver": "default"}]}
    )
    world.run_until(60)
    assert len(world.queued()) == 1


def test_the_end_is_told_to_a_receiver_whose_route_is_gone() -> None:
    receivers = [world.HOOK, {**world.HOOK, "name": "other"}]
    world.tree(
        route={**world.QUICK, "routes": [{"matchers": ['severity="critical"'], "receiver": "other"}]},
        receivers=receivers,
    )
    world.post(severity="critical", end=world.after(3600))
    world.run_until(3)
    world.tree(receivers=receivers)
    world.run_until(10)
    world.resolve(severity="critical")
    world.run_until(20)
    told = Told.objects.order_by("pk").values_list("destination__receiver", "resolved_queued_at")
    assert [(name, at is not None) for name, at in told] == [("other", True), ("default", True)]


def test_withheld_alerts_are_noted_once() -> None:
    world.post(severity="warning", end=world.after(3600))
    world.tree(inhibit_rules=[{"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"']}])
    world.post(name="Down", severity="critical", end=world.after(3600))
    world.run_until(30)
    kinds = Event.objects.filter(alert=world.alert(severity="warning")).values_list("kind", flat=True)
    assert list(kinds).count(EventKind.WITHHELD) == 1
    assert all(said == ["firing:Down"] for _, _, said in world.queued())


def test_a_route_put_before_others_repeats_nothing() -> None:
    ours = {"matchers": ['severity="critical"'], "receiver": "default"}
    slow = {**world.QUICK, "repeat_interval": "1h"}
    world.tree(route={**slow, "routes": [ours]})
    world.post(severity="critical", end=world.after(3600))
    world.run_until(3)
    world.tree(route={**slow, "routes": [{"matchers": ['team="x"'], "receiver": "default"}, ours]})
    world.run_until(60)
    assert len(world.queued()) == 1


def test_an_alert_that_came_by_a_tree_just_replaced_finds_its_new_group() -> None:
    only_critical = {**world.QUICK, "routes": [{"matchers": ['severity="critical"'], "receiver": "default"}]}
    world.tree(route=only_critical)
    world.post(severity="critical", end=world.after(3600))
    Tree.objects.update(route=world.QUICK, version=9)  # as a report would that had read the old one
    world.run_until(10)
    assert [said for _, _, said in world.queued()] == [["firing:Hot"]]


def test_a_group_that_breaks_holds_up_no_other() -> None:
    world.post("Broken", end=world.after(3600))
    world.post("Sound", end=world.after(3600))
    Group.objects.filter(labels__alertname="Broken").update(group_interval_s=0)
    world.set_clock(world.after(3))
    flush.flush_due(world.after(3))
    assert world.queued() == [(3, "firing", ["firing:Sound"])]
    Group.objects.update(group_interval_s=5)
    world.run_until(4)
    assert [said for _, _, said in world.queued()] == [["firing:Sound"], ["firing:Broken"]]
