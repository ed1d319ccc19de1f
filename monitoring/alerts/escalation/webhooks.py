"""Keeps the destinations of an escalation's webhooks in step with its steps."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring.alerts.models import ChannelKind, Destination, Escalation


def bring_to(escalation: Escalation, steps: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """One live row for each webhook, known by what it says; rows of those that are gone are marked removed."""
    wanted = list({repr(step["webhook"]): step["webhook"] for step in steps if "webhook" in step}.values())
    stored = list(Destination.objects.filter(escalation=escalation).order_by("pk"))
    kept = [row for row in stored if row.config in wanted]
    gone = [row.pk for row in stored if row not in kept and row.removed_at is None]
    back = [row.pk for row in kept if row.removed_at is not None]
    Destination.objects.filter(pk__in=gone).update(removed_at=now)
    Destination.objects.filter(pk__in=back).update(removed_at=None, failures=0, open_until=None)
    known = [row.config for row in kept]
    Destination.objects.bulk_create(
        Destination(
            escalation=escalation,
            receiver=escalation.name,
            kind=ChannelKind.WEBHOOK,
            place=place,
            config=dict(entry),
            send_resolved=bool(entry.get("send_resolved", True)),
        )
        for place, entry in enumerate((entry for entry in wanted if entry not in known), len(stored))
    )
