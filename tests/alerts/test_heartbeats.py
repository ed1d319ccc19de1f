"""Heartbeats: who does not call in time is told of once, and resolves with the next call."""

from datetime import timedelta

import pytest
from django.conf import settings

from monitoring.alerts.errors import ConflictError, NotFoundError
from monitoring.alerts.models import Alert, Heartbeat, Rule
from monitoring.alerts.rules import evaluate, heartbeats
from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.heartbeats import Terms
from tests import world as fleet
from tests.alerts import rules_world, world
from tests.alerts.rules_world import at, firing

pytestmark = pytest.mark.django_db

BACKUP = Terms("backup", timedelta(minutes=10), timedelta(minutes=1), {"severity": "page", "host": "db1"})
LABELS = {"alertname": "HeartbeatMissed", "heartbeat": "backup", "severity": "page", "host": "db1"}


def turn(seconds: float) -> None:
    """What the notifier does each second."""
    now = world.set_clock(world.after(seconds))
    heartbeats.check(now)
    evaluate.evaluate_due(now)


def test_a_missed_heartbeat_is_an_alert_of_its_tenant_with_its_own_labels() -> None:
    team = fleet.team("acme")
    world.set_clock()
    heartbeats.create(team.pk, BACKUP)
    turn(659)
    assert firing("HeartbeatMissed", team=team) == []
    turn(660)
    assert firing("HeartbeatMissed", team=team) == [LABELS]
    assert firing("HeartbeatMissed") == []
    alert = Alert.objects.get(name="HeartbeatMissed")
    assert alert.annotations["summary"] == "Heartbeat backup is missing"
    assert alert.annotations["description"] == (
        "It never came; it should come every 0:10:00. What sends it may be down."
    )
    assert alert.annotations["runbook_url"] == f"{settings.BASE_URL}/help/runbooks/#HeartbeatMissed"


def test_a_heartbeat_without_a_severity_is_critical() -> None:
    world.set_clock()
    heartbeats.create(None, Terms("backup", timedelta(minutes=10)))
    turn(600)
    (labels,) = firing("HeartbeatMissed")
    assert labels["severity"] == "critical"


def test_a_call_resolves_it_with_the_next_turn() -> None:
    world.set_clock()
    row = heartbeats.create(None, BACKUP)
    turn(661)
    assert firing("HeartbeatMissed") == [LABELS]
    world.set_clock(world.after(662))
    heartbeats.beat(row.key)
    turn(663)
    assert firing("HeartbeatMissed") == []
    turn(662 + 659)
    assert firing("HeartbeatMissed") == []
    turn(662 + 660)
    assert firing("HeartbeatMissed") == [LABELS]
    assert Alert.objects.get(name="HeartbeatMissed").episodes.count() == 2


def test_who_calls_in_time_is_never_missed() -> None:
    world.set_clock()
    row = heartbeats.create(None, BACKUP)
    for minute in range(0, 120, 10):
        world.set_clock(at(minute))
        heartbeats.beat(row.key)
        turn(minute * 60 + 300)
    assert Alert.objects.count() == 0


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(NotFoundError, match="No heartbeat has this address"):
        heartbeats.beat("nobody's")


def test_a_name_stands_once_in_each_tenant() -> None:
    heartbeats.create(None, BACKUP)
    heartbeats.create(fleet.team("acme").pk, BACKUP)
    with pytest.raises(ConflictError, match="A heartbeat 'backup' exists already"):
        heartbeats.create(None, BACKUP)


def test_an_interval_that_nobody_could_keep_is_refused() -> None:
    with pytest.raises(RuleError, match="every 10 s at most"):
        heartbeats.create(None, Terms("x", timedelta(seconds=1)))


@pytest.mark.parametrize("name", ["", "a b", "1a", "é"])
def test_a_label_that_no_alert_can_have_is_refused(name: str) -> None:
    with pytest.raises(RuleError, match="names no label"):
        heartbeats.create(None, Terms("backup", timedelta(minutes=10), labels={name: "x"}))


def test_one_teams_labels_do_not_keep_anothers_heartbeats_from_being_missed() -> None:
    world.set_clock()
    acme, other = fleet.team("acme"), fleet.team("other")
    for name in ("a", "b"):
        heartbeats.create(acme.pk, Terms(name, timedelta(minutes=10), labels={"heartbeat": "same"}))
    heartbeats.create(other.pk, BACKUP)
    turn(660)
    assert firing("HeartbeatMissed", team=other) == [LABELS]
    assert [labels["heartbeat"] for labels in firing("HeartbeatMissed", team=acme)] == ["a", "b"]


def test_a_tenant_has_so_many_heartbeats_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "MAX_OF_A_TENANT", 1)
    heartbeats.create(None, BACKUP)
    with pytest.raises(ConflictError, match="End one"):
        heartbeats.create(None, Terms("other", timedelta(minutes=10)))
    heartbeats.create(fleet.team("acme").pk, BACKUP)


def test_a_heartbeat_that_is_removed_takes_its_alert_with_it() -> None:
    world.set_clock()
    row = heartbeats.create(None, BACKUP)
    turn(660)
    heartbeats.remove(row)
    turn(661)
    assert (firing("HeartbeatMissed"), Heartbeat.objects.count()) == ([], 0)


def test_a_turn_without_news_looks_at_nothing() -> None:
    world.set_clock()
    heartbeats.create(None, BACKUP)
    turn(0)
    rule = Rule.objects.get(name="HeartbeatMissed")
    turn(1)
    assert not heartbeats.check(at(1))
    rule.refresh_from_db()
    assert rule.evaluated_at == world.START


def test_a_heartbeat_is_not_delayed_by_the_rules_own_interval() -> None:
    world.set_clock()
    heartbeats.create(None, BACKUP)
    turn(0)
    Rule.objects.filter(name="HeartbeatMissed").update(interval_s=3600, due_at=at(60))
    turn(660)
    assert firing("HeartbeatMissed") == [LABELS]
    assert rules_world.error(Rule.objects.get(name="HeartbeatMissed")) == ""
