"""Old alerts and messages are forgotten; what fires, and what is recent, stays."""

from datetime import timedelta

import pytest

from monitoring.alerts.models import Alert, Event, Group, MessageState, OutboxMessage, Page, Run, RunStep
from monitoring.alerts.upkeep import forget_old
from tests import world as fleet
from tests.alerts import escalation_world, world

pytestmark = pytest.mark.django_db


def test_what_ended_long_ago_is_forgotten_and_what_fires_stays() -> None:
    world.set_clock()
    world.tree()
    world.post("Old", end=world.after(3600))
    world.post("Firing", end=world.after(3600))
    world.run_until(3)
    world.resolve("Old")
    world.run_until(10)
    OutboxMessage.objects.update(state=MessageState.SENT, finished_at=world.after(10))
    assert forget_old(world.after(0) + timedelta(days=100)) == "Forgot 0 messages, 0 alerts and 0 empty groups."
    assert forget_old(world.after(0) + timedelta(days=500)) == "Forgot 3 messages, 1 alerts and 1 empty groups."
    assert list(Alert.objects.values_list("name", flat=True)) == ["Firing"]
    assert set(Event.objects.values_list("alert__name", flat=True)) == {"Firing"}
    assert Group.objects.count() == 1


def test_a_run_goes_with_its_last_alert_and_its_pages_outlive_their_messages() -> None:
    world.set_clock()
    world.tree()
    world.post("Old", end=world.after(3600))
    world.post("Older", end=world.after(3600))
    world.run_until(3)
    mira, escalation = fleet.user("mira"), escalation_world.escalation()
    both = escalation_world.run(escalation, world.alert("Old"), world.alert("Older"), state="resolved")
    escalation_world.page(escalation_world.step(both), mira)
    world.resolve("Older")
    world.run_until(10)
    OutboxMessage.objects.update(state=MessageState.SENT, finished_at=world.after(10))
    forget_old(world.after(0) + timedelta(days=200))
    assert (OutboxMessage.objects.count(), Page.objects.get().told_at) == (0, world.START)
    forget_old(world.after(0) + timedelta(days=500))
    assert [episode.alert.name for episode in Run.objects.get().episodes.all()] == ["Old"]
    world.resolve("Old")
    forget_old(world.after(0) + timedelta(days=900))
    assert (Run.objects.count(), RunStep.objects.count(), Page.objects.count()) == (0, 0, 0)
    assert escalation.runs.count() == 0
