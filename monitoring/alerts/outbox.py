"""The outbox: what must be told once, queued in the transaction that decided it."""

from datetime import datetime

from monitoring.alerts import clock
from monitoring.alerts.message import Body
from monitoring.alerts.models import Destination, Group, MessageKind, OutboxMessage


def enqueue(
    *,
    team_id: int | None,
    destination: Destination,
    kind: MessageKind,
    body: Body,
    dedupe_key: str,
    now: datetime,
    group: Group | None = None,
) -> OutboxMessage | None:
    """Queue a message within the caller's transaction; None where `dedupe_key` was queued before.

    The caller holds the lock of `group`'s row, where there is one.
    """
    row = OutboxMessage(
        team_id=team_id,
        destination=destination,
        group=group,
        kind=kind,
        dedupe_key=dedupe_key,
        body=body.packed(),
        created_at=now,
        due_at=now,
    )
    OutboxMessage.objects.bulk_create([row], ignore_conflicts=True)
    stored = OutboxMessage.objects.filter(key=row.key).first()
    if stored is not None:
        clock.ring()
    return stored
