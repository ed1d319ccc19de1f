"""Forgets what is older than anybody asks for: delivered messages first, resolved alerts with their history later."""

from datetime import datetime, timedelta
from typing import Any

from monitoring.alerts.models import Alert, AlertState, Group, OutboxMessage, Run

KEEP_MESSAGES = timedelta(days=180)
KEEP_ALERTS = timedelta(days=400)
AT_ONCE = 1000


def forget_old(now: datetime) -> str:
    """Delete what ended too long ago, a thousand rows at a time; gives a sentence."""
    messages = _delete(OutboxMessage.objects.filter(finished_at__lt=now - KEEP_MESSAGES))
    alerts = _delete(Alert.objects.filter(state=AlertState.RESOLVED, changed_at__lt=now - KEEP_ALERTS))
    _delete(Run.objects.filter(members__isnull=True))  # escalations whose alerts were all forgotten
    idle = Group.objects.filter(tick_at__isnull=True, told__isnull=True, messages__isnull=True, runs__isnull=True)
    groups = _delete(idle)
    return f"Forgot {messages} messages, {alerts} alerts and {groups} empty groups."


def _delete(rows: Any) -> int:
    """Each batch is a transaction of its own, so that nobody waits for long."""
    deleted = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        rows.model.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
    return deleted
