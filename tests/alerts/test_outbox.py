"""Nothing is lost, and nothing is told twice that need not be: the outbox, its claims and what becomes of tries."""

import pytest

from monitoring.alerts import claims, clock, drain, outbox, settling
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.message import Body
from monitoring.alerts.models import (
    Attempt,
    Episode,
    EventKind,
    Maintenance,
    MessageKind,
    MessageState,
    OutboxMessage,
    Told,
)
from tests.alerts import world
from tests.alerts.delivery_world import (
    QUEUED,
    SENT,
    destination,
    hook,
    line,
    look_until,
    notes,
    only,
    queue,
    said,
    states,
    take,
)
from tests.alerts.receiver import CLOSE, Receiver, Reply, receiving

pytestmark = pytest.mark.django_db


def test_a_key_is_queued_once(receiver: Receiver) -> None:
    queue(key="once")
    again = outbox.enqueue(
        team_id=None,
        destination=destination(),
        kind=MessageKind.FIRING,
        body=Body((line(),)),
        dedupe_key="once",
        now=clock.now(),
    )
    assert again is None
    assert states() == [QUEUED]


def test_what_is_due_is_sent_and_everything_about_it_is_noted(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    assert drain.drain_due() == 1
    row, told, attempt = only(), Told.objects.get(), Attempt.objects.get()
    assert (row.state, row.finished_at, row.lease_until, row.fence, row.tries) == (SENT, world.after(2), None, 1, 1)
    assert (told.firing_attempted_at, told.firing_delivered_at) == (world.after(2), world.after(2))
    assert (attempt.is_delivered, attempt.status, attempt.answer, attempt.sending_at) == (
        True,
        200,
        "200 Word ok",
        world.after(2),
    )
    assert list(attempt.episodes.all()) == world.episodes()
    assert notes(EventKind.TOLD) == ["default by webhook: firing"]
    assert receiver.keys == [str(row.key)]
    assert destination().last_delivered_at == world.after(2)


def test_a_message_that_is_being_sent_is_nobody_elses(receiver: Receiver) -> None:
    row = queue()
    assert take(row) is not None
    assert take(row) is None
    assert claims.due(clock.now()) == []


def test_a_lease_that_ran_out_makes_it_due_again_under_the_same_key(receiver: Receiver) -> None:
    row = queue()
    lost = take(row)
    world.advance(31)
    again = take(row)
    assert lost is not None
    assert again is not None
    assert (lost.message.key, lost.fence, again.fence) == (again.message.key, 1, 2)


def test_whoever_lost_the_fence_changes_no_message_but_its_own_attempt(receiver: Receiver) -> None:
    row = queue()
    lost = take(row)
    world.advance(31)
    again = take(row)
    assert lost is not None
    assert again is not None
    assert settling.settle(lost, Outcome(Verdict.REFUSED, 404, "too late")) is False
    assert only().state == QUEUED
    assert Attempt.objects.get(fence=1).answer == "too late"
    assert settling.settle(again, Outcome(Verdict.DELIVERED, 200, "ok")) is True
    assert only().state == SENT


def test_only_the_oldest_unfinished_message_of_a_group_and_destination_is_claimed(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    first = only()
    assert take(first) is not None  # is being sent, so that the next one waits behind it
    world.post(gpu="1")
    look_until(7)
    second = OutboxMessage.objects.latest("pk")
    assert states() == [QUEUED, QUEUED]
    assert take(second) is None
    assert claims.due(clock.now()) == []
    world.set_clock(world.after(40))
    assert [candidate.message_id for candidate in claims.due(clock.now())] == [first.pk]


def test_a_newer_message_replaces_an_unsent_older_one(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    world.post(gpu="1")
    look_until(7)
    assert states() == [MessageState.SUPERSEDED, QUEUED]
    drain.drain_due()
    assert [said(told.document) for told in receiver.told] == [["firing:Hot", "firing:Hot"]]


def test_ends_that_only_a_replaced_message_holds_go_into_the_newer_one(receiver: Receiver) -> None:
    world.post()
    world.post(gpu="1")
    look_until(2)
    drain.drain_due()
    world.resolve()
    look_until(7)
    world.resolve(gpu="1")
    look_until(12)
    assert world.queued()[1:] == [
        (7.0, "firing", ["resolved:Hot", "firing:1"]),
        (12.0, "resolved", ["resolved:Hot", "resolved:1"]),
    ]
    drain.drain_due()
    assert states() == [SENT, MessageState.SUPERSEDED, SENT]
    assert Told.objects.filter(resolved_delivered_at=world.after(12)).count() == 2


def test_an_end_whose_start_was_never_attempted_is_dropped_with_a_line_of_history(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    world.resolve()
    look_until(7)
    drain.drain_due()
    assert states() == [MessageState.SUPERSEDED, MessageState.DROPPED]
    assert receiver.told == []
    assert notes(EventKind.QUIET) == ["default by webhook was never told that it fires."]


def test_an_end_whose_start_was_attempted_in_vain_is_told() -> None:
    world.set_clock()
    with receiving(Reply(CLOSE), Reply()) as server:
        world.tree(receivers=[hook(server.url)])
        world.post()
        look_until(2)
        drain.drain_due()
        world.resolve()
        look_until(7)
        drain.drain_due()
    assert [said(told.document) for told in server.told] == [["firing:Hot"], ["resolved:Hot"]]


def test_nothing_is_begun_after_an_acknowledgement(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    Episode.objects.update(acknowledged_at=clock.now())
    drain.drain_due()
    assert (states(), receiver.told, Attempt.objects.count()) == ([MessageState.WITHHELD], [], 0)
    assert notes(EventKind.WITHHELD) == ["default by webhook: acknowledged"]


def test_a_message_with_one_unacknowledged_alert_carries_them_all(receiver: Receiver) -> None:
    world.post()
    world.post(gpu="1")
    look_until(2)
    world.alert().episodes.update(acknowledged_at=clock.now())
    drain.drain_due()
    assert said(receiver.told[0].document) == ["firing:Hot", "firing:Hot"]
    assert list(Attempt.objects.get().episodes.all()) == world.episodes(gpu="1")


def test_ends_are_told_although_all_that_fires_is_acknowledged(receiver: Receiver) -> None:
    world.post()
    world.post(gpu="1")
    look_until(2)
    drain.drain_due()
    world.resolve()
    world.post(gpu="2")
    look_until(7)
    Episode.objects.filter(ended_at=None).update(acknowledged_at=clock.now())
    drain.drain_due()
    assert said(receiver.told[1].document) == ["resolved:Hot"]
    assert [(row.kind, row.state) for row in OutboxMessage.objects.order_by("pk")] == [
        ("firing", SENT),
        ("resolved", SENT),
    ]


def test_what_was_silenced_meanwhile_is_withheld_and_told_once_the_silence_is_over(receiver: Receiver) -> None:
    world.post()
    look_until(2)
    quiet = Maintenance.objects.create(
        name="work",
        matchers=[{"name": "alertname", "value": "Hot", "isRegex": False, "isEqual": True}],
        starts_at=world.START,
        ends_at=world.after(10),
        created_by="mira",
    )
    drain.drain_due()
    assert states() == [MessageState.WITHHELD]
    assert notes(EventKind.WITHHELD) == [f"default by webhook: maintenance {quiet.pk}"]
    look_until(12)
    drain.drain_due()
    assert states() == [MessageState.WITHHELD, SENT]
    assert [said(told.document) for told in receiver.told] == [["firing:Hot"]]
