"""An acknowledgement against a repeat that is being sent at the same moment, two hundred times."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from monitoring.alerts import acts, clock, drain, flush
from monitoring.alerts.models import Attempt, Episode, MessageState, OutboxMessage
from tests.alerts import delivery_world, world
from tests.alerts.receiver import receiving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
TIMES = 200


def at_once(*acts_: Callable[[], object]) -> None:
    """Start all of them together, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(acts_))
    broken: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            act()
        except BaseException as error:  # noqa: BLE001 told to the test below
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert broken == []


def test_no_attempt_begins_after_an_acknowledgement_and_one_that_began_is_named_in_it() -> None:
    begun, withheld, named = 0, 0, 0
    with receiving() as receiver:
        world.tree(receivers=[delivery_world.hook(receiver.url)], route={"receiver": "default", "group_by": ["..."]})
        for number in range(TIMES):
            world.post(gpu=str(number), start=clock.now() - timedelta(minutes=1))
            flush.flush_due(clock.now())
            row = OutboxMessage.objects.filter(state=MessageState.QUEUED).latest("pk")
            alert = world.alert(gpu=str(number))
            answers: list[acts.Acknowledged] = []
            at_once(
                lambda pk=alert.pk, answers=answers: answers.append(acts.acknowledge([pk], acts.Actor("mira"))),  # type: ignore[misc]
                drain.drain_due,
            )
            episode = Episode.objects.get(alert=alert)
            attempts = Attempt.objects.filter(message=row)
            assert episode.acknowledged_at is not None
            assert not attempts.filter(sending_at__gt=episode.acknowledged_at).exists()
            begun += attempts.count()
            withheld += OutboxMessage.objects.filter(pk=row.pk, state=MessageState.WITHHELD).count()
            in_flight = attempts.filter(finished_at__gt=episode.acknowledged_at).exists()
            is_named = bool(answers[0].on_their_way)
            assert in_flight or not is_named  # one that ended in that very moment need not be named
            named += is_named
    assert begun + withheld == TIMES
    print(f"\n{TIMES} races: {begun} sent, {named} of them on their way when acknowledged, {withheld} withheld")
