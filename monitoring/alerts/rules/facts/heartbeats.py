"""Heartbeats that did not come in time: their tenant is told, with the heartbeat's own labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Coalesce

from monitoring.alerts.models import Heartbeat
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found

NAME = "heartbeat_missed"


@dataclass(frozen=True, slots=True)
class Options:
    """None: each heartbeat has its own interval and grace."""


def deadline(row: Heartbeat) -> datetime:
    """Until when the next call must come."""
    return (row.last_at or row.created_at) + timedelta(seconds=row.interval_s + row.grace_s)


def look(question: Question) -> Sequence[Found]:
    """A result per missed heartbeat; its value is how late it is, in seconds."""
    allowed = ExpressionWrapper((F("interval_s") + F("grace_s")) * timedelta(seconds=1), output_field=DurationField())
    rows = Heartbeat.objects.annotate(until=Coalesce("last_at", "created_at") + allowed)
    return [_found(row, question.at) for row in rows.filter(until__lte=question.at).order_by("pk")]


def _found(row: Heartbeat, at: datetime) -> Found:
    last = f"last came at {row.last_at:%Y-%m-%d %H:%M:%S}Z" if row.last_at else "never came"
    every = timedelta(seconds=row.interval_s)
    told = {
        "summary": f"Heartbeat {row.name} is missing",
        "description": f"It {last}; it should come every {every}. What sends it may be down.",
    }
    labels = {**row.labels, "heartbeat": row.name}  # two alike would fail the rule for every tenant
    late_s = (at - deadline(row)).total_seconds()
    return Found(labels, late_s, row.team_id, {**told, **row.annotations}, frozenset(row.labels))


FACT = Fact(NAME, look, Options, "Heartbeats that did not come in time.")
