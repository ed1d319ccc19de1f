"""Our own /metrics tell what our own rule pack asks for."""

import re
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.test import Client

from fleetledger import celery
from monitoring.alerts import clock
from monitoring.alerts.models import Destination, MessageKind, MessageState, OutboxMessage, Rule
from monitoring.alerts.rules import defaults, pack
from monitoring.availability import judging
from monitoring.availability.models import Series
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts import world as alerts
from tests.availability import world as components
from tests.rest.test_health import metrics

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = f"{celery.app.conf.redbeat_key_prefix}:lock"


def _message(state: str, **fields: object) -> None:
    destination = Destination.objects.get() if Destination.objects.exists() else _destination()
    values = {"created_at": clock.now(), "due_at": clock.now(), "body": {}, **fields}
    OutboxMessage.objects.create(
        destination=destination, kind=MessageKind.FIRING, state=state, dedupe_key=f"{state}-{fields}", **values
    )


def _destination() -> Destination:
    alerts.tree()
    return Destination.objects.get()


def test_every_metric_that_the_pack_asks_for_is_there(client: Client) -> None:
    now = clock.now()
    world.source("prom1", watermark_at=now, last_success_at=now)
    world.job(state="failed")
    defaults.ensure(now)
    Rule.objects.update(evaluated_at=now)
    _message(MessageState.QUEUED)
    client.get("/api/v1/me")
    names = {name for name, _ in metrics(client)}
    for rule in pack.rules("fleetledger"):
        asked = set(re.findall(r"fleetledger_[a-z_]+", rule.expr))
        assert asked <= names, rule.name


def test_rules_and_the_outbox_are_told_as_they_are(client: Client) -> None:
    now = clock.now()
    defaults.ensure(now)
    Rule.objects.filter(name="SourceBehind").update(evaluated_at=now, last_error="It broke.")
    _message(MessageState.QUEUED, created_at=now - timedelta(minutes=7))
    _message(MessageState.DEAD, finished_at=now - timedelta(minutes=10))
    _message(MessageState.DEAD, finished_at=now - timedelta(hours=2), created_at=now - timedelta(hours=3))
    found = metrics(client)
    failing = found["fleetledger_rules", ("failing",)]
    assert (failing, found["fleetledger_rules", ("good",)]) == (1, len(defaults.DEFAULTS) - 1)
    assert found["fleetledger_rules_evaluated_timestamp_seconds", ()] == pytest.approx(now.timestamp(), abs=0.01)
    waits_since = (now - timedelta(minutes=7)).timestamp()
    assert found["fleetledger_outbox_oldest_timestamp_seconds", ()] == pytest.approx(waits_since, abs=0.01)
    assert (found["fleetledger_outbox_messages", ()], found["fleetledger_outbox_refused", ()]) == (1, 1)


def test_escalations_are_overdue_two_minutes_after_their_next_step_was_due(client: Client) -> None:
    now = clock.now()
    escalation = escalation_world.escalation()
    for seconds, state in ((0, "active"), (110, "active"), (130, "active"), (9000, "active"), (9000, "exhausted")):
        alert = pages_world.alert(f"Alert{seconds}{state}")
        escalation_world.run(escalation, alert, state=state, due_at=now - timedelta(seconds=seconds))
    assert metrics(client)["fleetledger_escalations_overdue", ()] == 2


def test_a_beat_is_alive_while_it_holds_its_lock(client: Client) -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(LOCK)
    assert metrics(client)["fleetledger_beat_alive", ()] == 0
    broker.set(LOCK, "x", ex=30)
    assert metrics(client)["fleetledger_beat_alive", ()] == 1
    broker.delete(LOCK)
    broker.close()


def test_without_a_waiting_message_nothing_waits(client: Client) -> None:
    assert ("fleetledger_outbox_oldest_timestamp_seconds", ()) not in metrics(client)


def test_our_parts_and_components_are_told_by_state(client: Client) -> None:
    now = alerts.set_clock()
    api = components.component("api")
    components.probe(api, "web")
    for name, seen in (("fleetledger-redis", 5), ("fleetledger-beat", 60)):
        part = components.component(name, kind="own", is_builtin=True)
        probe = components.probe(part, "self", "self", interval_s=10)
        at = now - timedelta(seconds=seen)
        Series.objects.create(probe=probe, key="x", interval_s=10, first_at=at, last_at=at, state="up")
    judging.judge(now)
    found = metrics(client)
    assert found["fleetledger_part_up", ("redis",)] == 1
    assert found["fleetledger_part_up", ("beat",)] == 0
    assert found["fleetledger_components", ("up",)] == 1
