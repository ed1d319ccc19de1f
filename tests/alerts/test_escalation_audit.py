"""What should have moved and did not raises an alert of the platform, and is taken back once it moves."""

from datetime import timedelta
from typing import Any

import pytest

from fleetledger.fleet.models import User
from monitoring.alerts import clock, flush, vitals
from monitoring.alerts.escalation import audit
from monitoring.alerts.models import Alert, AlertState, Escalation, GroupMember, OutboxMessage, Run
from monitoring.alerts.tasks import check_escalations
from tests import world as fleet
from tests.alerts import escalation_world, world

pytestmark = pytest.mark.django_db
ROUTE: dict[str, Any] = {**world.QUICK, "escalation": {"critical": "gpu"}}
MOVES = "0 of the escalations' steps, pages and alerts stand still."


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


def stuck() -> list[tuple[str, str, str]]:
    """The open alerts that the audit raised: escalation, summary, description."""
    rows = Alert.objects.filter(name="EscalationStuck").exclude(state=AlertState.RESOLVED).order_by("pk")
    return [(row.labels["escalation"], row.annotations["summary"], row.annotations["description"]) for row in rows]


def active_run(**fields: Any) -> Run:
    world.tree()
    world.post(severity="critical")
    return escalation_world.run(escalation_world.escalation("gpu"), world.alert(severity="critical"), **fields)


def mira() -> User:
    return fleet.user("mira")


def test_a_run_that_does_not_go_on_raises_an_alert_of_the_platform_until_it_does() -> None:
    run = active_run()
    now = world.advance(301)
    assert audit.check(now) == "1 of the escalations' steps, pages and alerts stand still."
    assert stuck() == [
        (
            "gpu",
            "Escalation 'gpu' has stood still since 2026-11-02 12:03:00 UTC.",
            f"Run {run.pk} did not go on with step 3 of 3. Due since 12:03:00 UTC.",
        )
    ]
    assert Alert.objects.get(name="EscalationStuck").severity == "critical"
    assert [vital.reason for vital in vitals.all_of(now) if vital.name == "escalation"] == [
        "1 escalations should have gone on."
    ]
    Run.objects.update(due_at=now + timedelta(minutes=1))
    assert check_escalations() == MOVES
    assert stuck() == []


def test_a_run_that_is_due_in_time_is_no_news() -> None:
    active_run()
    assert audit.check(world.advance(299)) == MOVES
    assert stuck() == []


def test_a_page_that_nobody_sends_is_told_and_one_that_the_fallback_was_told_of_is_not() -> None:
    step = escalation_world.step(active_run(due_at=world.after(9999)))
    escalation_world.page(step, mira(), state="queued")
    assert audit.check(world.advance(119)) == MOVES
    audit.check(world.advance(2))
    assert [found[2] for found in stuck()] == ["The page to mira was not sent. Due since 12:00:00 UTC."]
    OutboxMessage.objects.update(fallback_at=clock.now())
    audit.check(clock.now())
    assert stuck() == []


def test_a_page_that_waits_for_its_time_is_no_news() -> None:
    step = escalation_world.step(active_run(due_at=world.after(9999)))
    escalation_world.page(step, mira(), state="queued")
    OutboxMessage.objects.update(due_at=world.after(3600))
    assert audit.check(world.advance(600)) == MOVES


def test_a_page_without_any_message_is_told() -> None:
    step = escalation_world.step(active_run(due_at=world.after(9999)))
    escalation_world.page(step, mira())
    OutboxMessage.objects.all().delete()
    audit.check(world.advance(121))
    assert [found[2] for found in stuck()] == ["No message of the page to mira exists. Due since 12:00:00 UTC."]


def test_an_alert_that_nobody_took_up_two_minutes_after_its_tick_is_told() -> None:
    Escalation.objects.create(name="gpu", steps=[{"wait": "1h"}])
    world.tree(route=ROUTE)
    world.post(severity="critical")
    world.post("Cold", severity="info")
    assert audit.check(world.advance(121)) == MOVES
    audit.check(world.advance(2))
    assert stuck() == [
        (
            "gpu",
            "Escalation 'gpu' has stood still since 2026-11-02 12:00:02 UTC.",
            "Nobody took up the alert Hot. Due since 12:00:02 UTC.",
        )
    ]
    Run.objects.all().delete()
    world.tree(route=world.QUICK)
    audit.check(clock.now())
    assert stuck() == []


def test_a_tick_that_came_before_the_alert_or_the_tree_counts_for_neither() -> None:
    world.tree(route={**ROUTE, "escalation": None, "group_interval": "10m"})
    world.post(severity="critical")
    flush.flush_due(world.advance(2))
    world.advance(60)
    Escalation.objects.create(name="gpu", steps=[{"wait": "1h"}])
    world.tree(route={**ROUTE, "group_interval": "10m"})
    assert audit.check(world.advance(400)) == MOVES


def test_what_is_withheld_or_acknowledged_or_over_needs_no_escalation() -> None:
    Escalation.objects.create(name="gpu", steps=[{"wait": "1h"}])
    world.tree(route=ROUTE)
    for number in range(3):
        world.post(gpu=str(number), severity="critical")
    withheld, acknowledged, _ = Alert.objects.order_by("pk")
    withheld.episodes.update(is_withheld=True)
    acknowledged.episodes.update(acknowledged_at=clock.now(), first_acknowledged_at=clock.now())
    world.resolve(gpu="2", severity="critical")
    assert GroupMember.objects.count() == 3
    assert audit.check(world.advance(200)) == MOVES
