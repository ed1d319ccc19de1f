"""Takes rules that are due, one at a time and by one evaluator at a time, and writes down what became of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from django.db import connection

from monitoring.alerts.models import Rule

LEASE = timedelta(seconds=120)
"""Longer than any evaluation may take; after it, whoever comes next takes the rule, and the late one writes nothing."""

_TAKE = """
UPDATE alerts_rule SET lease_until = %(until)s WHERE id = (
    SELECT id FROM alerts_rule
    WHERE is_enabled AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule as it was when it was taken. The end of its lease is the fence."""

    rule: Rule
    at: datetime

    @property
    def until(self) -> datetime | None:
        return self.rule.lease_until


def take(now: datetime) -> Claim | None:
    """The rule that is due the longest and that nobody holds; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"now": now, "until": now + LEASE})
        row = cursor.fetchone()
    if row is None:
        return None
    rule = Rule.objects.select_related("source").filter(pk=row[0]).first()
    return Claim(rule, now) if rule is not None else None


def held(claim: Claim) -> Rule | None:
    """The rule, locked until the transaction ends; None where it was changed, switched off or taken by another."""
    rows = Rule.objects.select_for_update(of=("self",)).filter(pk=claim.rule.pk, is_enabled=True)
    return rows.filter(lease_until=claim.until).first()


def succeed(rule: Rule, at: datetime, duration_s: float) -> None:
    """Note a good evaluation of a rule that is held."""
    values = {"evaluated_at": at, "duration_s": duration_s, "last_error": ""}
    Rule.objects.filter(pk=rule.pk).update(**values, lease_until=None, due_at=following(rule, at))


def fail(claim: Claim, error: str, duration_s: float) -> None:
    """Note why there was no evaluation; what was known of the rule's instances stays."""
    rows = Rule.objects.filter(pk=claim.rule.pk, lease_until=claim.until)
    rows.update(last_error=error, duration_s=duration_s, lease_until=None, due_at=following(claim.rule, claim.at))


def following(rule: Rule, at: datetime) -> datetime:
    """The next instant of the rule's grid after `at`: what was missed is not made up for."""
    interval = timedelta(seconds=rule.interval_s)
    missed = floor((at - rule.due_at) / interval) if at > rule.due_at else 0
    return rule.due_at + (missed + 1) * interval
