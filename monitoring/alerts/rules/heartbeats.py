"""Heartbeats: addresses that somebody must call again and again, and who missed theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from monitoring.alerts import clock
from monitoring.alerts.errors import ConflictError, NotFoundError
from monitoring.alerts.labels import is_name
from monitoring.alerts.models import Heartbeat, Rule
from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.facts import heartbeats as fact

SHORTEST = timedelta(seconds=10)
MAX_OF_A_TENANT = 200

_SOMEBODY_JUST_MISSED = """
SELECT EXISTS (SELECT 1 FROM alerts_heartbeat h
    WHERE coalesce(h.last_at, h.created_at) + (h.interval_s + h.grace_s) * interval '1 second' <= %(now)s
    AND coalesce(h.last_at, h.created_at) + (h.interval_s + h.grace_s) * interval '1 second' > %(since)s)
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """A heartbeat as somebody wants it."""

    name: str
    every: timedelta
    grace: timedelta = timedelta()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The row's columns; raises RuleError for an interval that nobody could keep, and for odd labels."""
        if self.every < SHORTEST:
            raise RuleError("A heartbeat comes every 10 s at most. Give a longer interval.")
        wrong = sorted(name for name in self.labels if not is_name(name))
        if wrong:
            raise RuleError(f"'{wrong[0][:64]}' names no label. A label's name is made of letters, digits and _.")
        return {
            "interval_s": self.every.total_seconds(),
            "grace_s": self.grace.total_seconds(),
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


def create(team_id: int | None, terms: Terms) -> Heartbeat:
    """A new heartbeat, whose time starts now; raises ConflictError where the tenant has that name, or too many."""
    if Heartbeat.objects.filter(Q(team_id=team_id)).count() >= MAX_OF_A_TENANT:
        raise ConflictError(f"There are {MAX_OF_A_TENANT} heartbeats already. End one that is no longer needed.")
    row = Heartbeat(team_id=team_id, name=terms.name, created_at=clock.now(), **terms.values())
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ConflictError(f"A heartbeat '{terms.name}' exists already. Take another name.") from error
    return row


def remove(row: Heartbeat) -> None:
    """Delete it; its alert resolves at the next look."""
    row.delete()
    hurry()


def beat(key: str) -> Heartbeat:
    """Take a call in; raises NotFoundError where no heartbeat has this key. A missed one is looked at at once."""
    with transaction.atomic():
        row = Heartbeat.objects.select_for_update().filter(key=key).first()
        if row is None:
            raise NotFoundError("No heartbeat has this address. Copy it again from the heartbeats page.")
        now = clock.now()
        was_missed = fact.deadline(row) <= now
        row.last_at = now
        row.save(update_fields=["last_at"])
        if was_missed:
            hurry()
    return row


def check(now: datetime | None = None) -> bool:
    """Have missed heartbeats looked at now if one was missed since the last look; cheap enough for each second."""
    for rule in _rules():
        if _has_news(rule.evaluated_at, now or clock.now()):
            hurry()
            return True
    return False


def hurry() -> None:
    """Have heartbeats looked at by the next round of rules."""
    now = clock.now()
    if _rules().filter(due_at__gt=now).update(due_at=now):
        clock.ring()


def _rules() -> QuerySet[Rule]:
    return Rule.objects.filter(is_enabled=True, fact=fact.NAME)


def _has_news(since: datetime | None, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SOMEBODY_JUST_MISSED, {"now": now, "since": since or now - timedelta(days=36_500)})
        return bool(cursor.fetchone()[0])
