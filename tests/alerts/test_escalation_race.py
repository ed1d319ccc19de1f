"""An acknowledgement against a step of an escalation at the same moment, two hundred times."""

from datetime import timedelta

import pytest

from monitoring.alerts import acts, clock, drain, flush
from monitoring.alerts.escalation import advance
from monitoring.alerts.models import Attempt, Destination, Episode, Escalation, MessageState, OutboxMessage, Run
from tests.alerts import delivery_world, world
from tests.alerts.escalation_world import way
from tests.alerts.receiver import receiving
from tests.alerts.schedules_world import person
from tests.alerts.test_acknowledge_race import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
TIMES = 200
NEVER_PAGED = (MessageState.WITHHELD, MessageState.DROPPED)


def test_no_page_begins_after_an_acknowledgement_and_no_run_goes_on() -> None:
    begun, kept = 0, 0
    with receiving() as receiver:
        route = {"receiver": "none", "group_by": ["..."], "escalation": "primary"}
        world.tree(route=route, receivers=[{"name": "none"}, delivery_world.hook(receiver.url)])
        Escalation.objects.create(name="primary", steps=[{"person": "mira"}, {"wait": "1h"}, {"person": "mira"}])
        place = way(person("mira"))
        Destination.objects.filter(pk=place.pk).update(kind="webhook", config={"url": receiver.url})
        for number in range(TIMES):
            world.post(gpu=str(number), start=clock.now() - timedelta(minutes=1))
            flush.flush_due(clock.now())
            alert = world.alert(gpu=str(number))
            if number % 2:  # the page is queued already, so that its sending is what races
                advance.advance_due(clock.now())
            at_once(lambda pk=alert.pk: acts.acknowledge([pk], acts.Actor("mira")), _step)  # type: ignore[misc]
            episode, run = Episode.objects.get(alert=alert), Run.objects.get(episodes__alert=alert)
            assert episode.acknowledged_at is not None
            attempts = Attempt.objects.filter(message__run=run)
            assert not attempts.filter(sending_at__gt=episode.acknowledged_at).exists()
            assert (run.state, run.due_at) == ("acknowledged", None)
            begun += attempts.count()
            kept += OutboxMessage.objects.filter(run=run, state__in=NEVER_PAGED).count()
    paged = OutboxMessage.objects.filter(kind="page").count()
    assert begun + kept == paged
    print(f"\n{TIMES} races: {paged} pages queued, {begun} sent, {kept} withheld")


def _step() -> None:
    advance.advance_due(clock.now())
    drain.drain_due()
