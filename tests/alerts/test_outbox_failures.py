"""What becomes of tries that fail: they are repeated, refused, told to the fallback, and no secret is kept of them."""

import re
from datetime import timedelta

import pytest

from monitoring.alerts import claims, clock, drain, fallback, settling
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.dispatch import dispatch
from monitoring.alerts.message import RESOLVED
from monitoring.alerts.models import (
    Attempt,
    Destination,
    Episode,
    Event,
    EventKind,
    MessageKind,
    MessageState,
    OutboxMessage,
)
from monitoring.alerts.suppression import suppressors
from tests import world as fleet
from tests.alerts import world
from tests.alerts.delivery_world import (
    DEAD,
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


def test_a_failure_is_tried_again_later_and_later_with_jitter(receiver: Receiver) -> None:
    for tries, seconds in ((1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (500, 300)):
        waits = [settling.backoff_s(tries) for _ in range(50)]
        assert min(waits) >= min(seconds * 0.75, 300)
        assert max(waits) <= seconds * 1.25
        assert len(set(waits)) > 1


def test_a_failed_try_is_noted_and_due_again() -> None:
    world.set_clock()
    with receiving(Reply(503, body="busy"), Reply()) as server:
        world.tree(receivers=[hook(server.url)])
        queue()
        drain.drain_due()
        row = only()
        assert (row.state, row.last_error, row.lease_until) == (QUEUED, "503 Word busy", None)
        assert timedelta(seconds=0.75) <= row.due_at - world.START <= timedelta(seconds=1.25)
        assert drain.drain_due() == 0
        world.advance(2)
        assert drain.drain_due() == 1
    assert states() == [SENT]
    assert len(set(server.keys)) == 1
    assert destination().failures == 0


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7), ("86400", 3600), ("Mon, 02 Nov 2026 12:00:30 GMT", 30)])
def test_retry_after_is_kept_up_to_an_hour(asked: str, seconds: int) -> None:
    world.set_clock()
    headers = {"Retry-After": asked, "Date": "Mon, 02 Nov 2026 12:00:00 GMT"}
    with receiving(Reply(429, headers)) as server:
        world.tree(receivers=[hook(server.url)])
        queue()
        queue()
        drain.drain_due()
    assert len(server.told) == 1  # the other message waits too: it is the receiver that asked for time
    row = OutboxMessage.objects.earliest("pk")
    assert row.due_at == destination().open_until == world.after(seconds)


def test_a_refusal_is_tried_once_and_the_fallback_is_told_why() -> None:
    world.set_clock()
    with receiving(Reply(404, body="no such hook")) as gone, receiving() as other:
        world.tree(receivers=[hook(gone.url, fallback="other"), hook(other.url, "other")])
        world.post()
        look_until(2)
        assert drain.drain_due() == 2
    assert states() == [DEAD, SENT]
    assert len(gone.told) == 1
    document = other.told[0].document
    assert said(document) == ["firing:Hot"]
    assert document["note"] == "Receiver 'default' could not be told by webhook. It refused: 404 Word no such hook"
    assert notes(EventKind.NOT_TOLD) == ["default by webhook: It refused: 404 Word no such hook"]


def test_without_a_named_fallback_the_roots_receiver_is_told() -> None:
    world.set_clock()
    with receiving(Reply(410)) as gone, receiving() as root:
        route = {"receiver": "root", "group_wait": "2s", "routes": [{"receiver": "default"}]}
        world.tree(route=route, receivers=[hook(gone.url), hook(root.url, "root")])
        world.post()
        look_until(2)
        drain.drain_due()
    assert states() == [DEAD, SENT]
    assert len(root.told) == 1


def test_a_fallback_that_fails_has_no_fallback_of_its_own() -> None:
    world.set_clock()
    with receiving(Reply(404)) as gone:
        world.tree(receivers=[hook(gone.url, fallback="other"), hook(gone.url, "other", fallback="default")])
        queue()
        drain.drain_due()
    assert states() == [DEAD, DEAD]


def test_what_is_not_delivered_for_five_minutes_goes_to_the_fallback_once_and_is_still_tried() -> None:
    world.set_clock()
    with receiving(Reply(CLOSE)) as broken, receiving() as other:
        world.tree(receivers=[hook(broken.url, fallback="other"), hook(other.url, "other")])
        queue()
        drain.drain_due()
        world.advance(299)
        lanes = drain.Lanes()
        lanes._see_to_overdue()
        assert OutboxMessage.objects.count() == 1
        world.advance(1)
        for _ in range(2):
            drain.Lanes()._see_to_overdue()
        assert OutboxMessage.objects.filter(kind=MessageKind.FALLBACK).count() == 1
        drain.drain_due()
        assert len(broken.told) == 2
    assert states() == [QUEUED, SENT]
    assert "Not delivered for 5 minutes (127.0.0.1:" in other.told[0].document["note"]


def test_the_five_minutes_go_on_counting_while_newer_messages_replace_older_ones(receiver: Receiver) -> None:
    world.tree(route={**world.QUICK, "group_interval": "50s"}, receivers=[hook(receiver.url)])
    world.post()
    look_until(2)
    Destination.objects.update(open_until=world.after(10_000))
    for number in range(1, 6):
        world.post(gpu=str(number))
        look_until(2 + number * 50)
    assert states() == [*[MessageState.SUPERSEDED] * 5, QUEUED]
    look_until(301)
    assert fallback.tell_overdue() == 0
    look_until(302)
    assert fallback.tell_overdue() == 1


def test_a_fallback_for_what_somebody_acknowledged_meanwhile_is_withheld() -> None:
    world.set_clock()
    with receiving(Reply(404)) as gone, receiving() as other:
        world.tree(receivers=[hook(gone.url, fallback="other"), hook(other.url, "other")])
        world.post()
        look_until(2)
        taken = take(only())
        assert taken is not None
        settling.settle(taken, Outcome(Verdict.REFUSED, 404, "no"))
        Episode.objects.update(acknowledged_at=clock.now())
        drain.drain_due()
    assert states() == [DEAD, MessageState.WITHHELD]
    assert other.told == []


def test_failures_in_a_row_open_the_breaker_and_one_message_goes_ahead_when_it_closes() -> None:
    world.set_clock()
    with receiving(Reply(500)) as server:
        world.tree(receivers=[hook(server.url)])
        for _ in range(20):
            queue()
        for candidate in claims.due(clock.now())[: settling.BREAKER_AT]:
            taken = claims.claim(candidate.message_id, suppressors(clock.now()))
            assert taken is not None
            settling.settle(taken, dispatch(taken))
        assert destination().open_until == world.after(settling.BREAKER_FIRST_S)
        assert claims.due(clock.now()) == []
        world.advance(settling.BREAKER_FIRST_S)
        lanes = drain.Lanes(send=lambda _claim: Outcome(Verdict.DELIVERED, 200, "ok"))
        assert lanes.turn() == 1
        lanes.finish(5)
    assert destination().failures == 0
    assert destination().open_until is None


def test_a_destination_that_left_the_configuration_is_told_its_ends_and_given_up_after_an_hour(
    receiver: Receiver,
) -> None:
    row = queue(kind=MessageKind.RESOLVED, lines=[line(status=RESOLVED)])
    Destination.objects.update(removed_at=clock.now())
    taken = take(row)
    assert taken is not None
    settling.settle(taken, Outcome(Verdict.RETRY, None, "nobody there"))
    assert states() == [QUEUED]
    world.advance(3600)
    taken = take(row)
    assert taken is not None
    settling.settle(taken, Outcome(Verdict.RETRY, None, "nobody there"))
    assert states() == [MessageState.DROPPED]


def test_a_secret_that_is_not_there_yet_is_waited_for(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    world.tree(receivers=[{"name": "default", "webhook": [{"url": {"env": "HOOK_URL"}}]}])
    queue()
    drain.drain_due()
    assert only().last_error == "The environment variable HOOK_URL is empty. Set it where the worker runs."
    monkeypatch.setenv("HOOK_URL", receiver.url)
    world.advance(2)
    drain.drain_due()
    assert states() == [SENT]


def test_no_secret_stands_in_what_is_kept_of_an_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.set_clock()
    with receiving(decide=lambda told: Reply(400, body=f"bad {told.path} {told.headers['x-key']}")) as server:
        monkeypatch.setenv("HOOK_URL", f"{server.url}/T0123/secret-path")
        monkeypatch.setenv("HOOK_KEY", "a-key-of-ours")
        entry = {"url": {"env": "HOOK_URL"}, "headers": {"X-Key": {"env": "HOOK_KEY"}}}
        world.tree(receivers=[{"name": "default", "webhook": [entry]}])
        queue()
        drain.drain_due()
    kept = [only().last_error, Attempt.objects.get().answer, destination().last_error]
    assert kept == ["400 Word bad /[secret] [secret]"] * 3
    assert not re.search("secret-path|a-key-of-ours", f"{Event.objects.values_list('note', flat=True)} {caplog.text}")


def test_an_answer_that_the_database_cannot_keep_is_kept_as_far_as_it_can() -> None:
    world.set_clock()
    with receiving(Reply(400, body="no\x00way")) as server:
        world.tree(receivers=[hook(server.url)])
        queue()
        drain.drain_due()
    assert states() == [DEAD]
    assert only().last_error == "400 Word no\ufffdway"


def test_a_try_that_cannot_be_written_down_does_not_stop_the_others(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = queue(), queue()
    lanes = drain.Lanes(
        send=lambda claim: Outcome(Verdict.DELIVERED, 200, "\x00" if claim.message_id == bad.pk else "ok")
    )
    assert lanes.turn() == 2
    lanes.finish(5)
    assert {row.pk: row.state for row in OutboxMessage.objects.all()} == {bad.pk: QUEUED, good.pk: SENT}
    assert "not_settled" in caplog.text


def test_a_teams_messages_name_the_team_and_no_other(receiver: Receiver) -> None:
    team = fleet.team("vision")
    world.post(team=team)
    look_until(2)
    taken = take(only())
    assert taken is not None
    assert taken.message.tenant == "vision"
