"""Whether alerting itself works: are alerts taken in, are rules evaluated, is somebody told, do escalations go on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, Value

from monitoring.alerts import claims
from monitoring.alerts.doorbell import NAME
from monitoring.alerts.escalation import audit
from monitoring.alerts.models import IntakeSpan, MessageKind, MessageState, OutboxMessage, Rule

INTAKE_SILENCE = timedelta(seconds=60)
LATE = timedelta(minutes=2)
REMEMBERED = timedelta(hours=1)
MADE_FOR_OTHERS = (MessageKind.FIRING, MessageKind.RESOLVED, MessageKind.PAGE, MessageKind.CANARY)
_SEEN = """
SELECT max(query_start) FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, %s)
"""


@dataclass(frozen=True, slots=True)
class Vital:
    """`reason`: what is wrong, one sentence; empty where nothing is."""

    name: str
    reason: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.reason


def all_of(now: datetime) -> tuple[Vital, ...]:
    """Intake, evaluation, delivery and escalation, as they are now."""
    asked: dict[str, Callable[[datetime], str]] = {
        "intake": _intake,
        "evaluation": _evaluation,
        "delivery": _delivery,
        "escalation": _escalation,
    }
    return tuple(Vital(name, ask(now)) for name, ask in asked.items())


def notifier_seen_at() -> datetime | None:
    """When a notifier last looked at its doorbell, which it does each second; none where there is no notifier."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [NAME])
        (at,) = cursor.fetchone() or (None,)
    return at if isinstance(at, datetime) else None


def _intake(now: datetime) -> str:
    is_up = IntakeSpan.objects.filter(until_at__gte=now - INTAKE_SILENCE).exists()
    return "" if is_up else "No web process takes alerts in."


def _evaluation(now: datetime) -> str:
    rules = Rule.objects.filter(is_enabled=True)
    second = Value(timedelta(seconds=1), output_field=DurationField())
    interval = ExpressionWrapper(F("interval_s") * second, output_field=DurationField())
    late = rules.filter(due_at__lt=now - LATE - interval).count()
    if late:
        return f"{late} rules are not evaluated in time."
    failing = rules.exclude(last_error="").count()
    return "No rule can be evaluated." if failing and failing == rules.count() else ""


def _delivery(now: datetime) -> str:
    waiting = len(claims.due(now - LATE))
    if waiting:
        return f"{waiting} messages wait for somebody to send them."
    untold = sum(not _was_told_by_fallback(row) for row in _not_delivered(now))
    return f"{untold} messages reached neither their receiver nor a fallback." if untold else ""


def _escalation(now: datetime) -> str:
    overdue = audit.counts(now)
    return f"{overdue.runs} escalations should have gone on." if overdue.runs else ""


def _not_delivered(now: datetime) -> list[OutboxMessage]:
    """Refused within the last hour, or given to the fallback a while ago and still not delivered."""
    rows = OutboxMessage.objects.filter(kind__in=MADE_FOR_OTHERS).only("pk", "created_at")
    dead = rows.filter(state=MessageState.DEAD, finished_at__range=(now - REMEMBERED, now - LATE))
    stuck = rows.filter(state=MessageState.QUEUED, fallback_at__lt=now - LATE)
    return [*dead, *stuck]


def _was_told_by_fallback(row: OutboxMessage) -> bool:
    ended = (MessageState.SENT, MessageState.WITHHELD)
    told = OutboxMessage.objects.filter(kind=MessageKind.FALLBACK, state__in=ended, created_at__gte=row.created_at)
    return told.filter(dedupe_key__startswith=f"fallback:{row.pk}:").exists()
