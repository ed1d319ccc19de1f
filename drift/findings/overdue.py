"""What is overdue, a report or a decision: silence is an alert of its own, never green."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from drift.findings import alerting
from drift.findings.locking import lock
from drift.models import Finding, Model, ReviewState

GRACE_SHARE = 0.25  # of the rhythm: reports are rarely punctual to the second


@dataclass(frozen=True, slots=True)
class Overdue:
    """Since when a report is missing, and how many would have come by now."""

    since: datetime
    missed: int


def overdue(last: datetime, every: timedelta, now: datetime) -> Overdue | None:
    """None while the next report may still come: up to a quarter of its rhythm late."""
    due = last + every
    if now <= due + every * GRACE_SHARE:
        return None
    return Overdue(due, missed=(now - due) // every + 1)


def check_reviews(now: datetime) -> str:
    """Tell alerting of reviews that became overdue, and of those that no longer are; a sentence as its result.

    Models of which alerting knows it already are left alone.
    """
    due, told = _due(now), alerting.told_overdue()
    changed = sorted(pk for pk in due.keys() | told.keys() if due.get(pk) != told.get(pk))
    for model_id in changed:
        _tell(model_id)
    return f"{sum(map(len, due.values()))} reviews are overdue; told alerting of {len(changed)} models."


def _due(now: datetime) -> Mapping[int, frozenset[str]]:
    """Of each model the signals whose review is overdue, of those that tell somebody."""
    rows = Finding.objects.filter(due_at__lt=now, closed_at__isnull=True, is_quiet=False)
    found: dict[int, frozenset[str]] = {}
    for model_id, signal in rows.exclude(review=ReviewState.DECIDED).values_list("model_id", "signal"):
        found[model_id] = found.get(model_id, frozenset()) | {signal[: alerting.MAX_LABEL]}
    return found


@transaction.atomic
def _tell(model_id: int) -> None:
    lock(model_id)
    model = Model.objects.filter(pk=model_id).first()
    if model is not None:
        alerting.report(model)
