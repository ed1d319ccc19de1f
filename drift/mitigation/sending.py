"""Sends a mitigation to the model's webhook through the outbox: signed, with one key on every try."""

from typing import Any

from django.conf import settings

from drift.models import Mitigation, MitigationKind, Model
from monitoring.alerts import clock, outbox
from monitoring.alerts.message import Body
from monitoring.alerts.models import ChannelKind, Destination, MessageKind, MessageState, OutboxMessage

BY_WEBHOOK = (MitigationKind.RETRAIN, MitigationKind.ROLLBACK, MitigationKind.REBALANCE)


def goes_by_webhook(model: Model, kind: str) -> bool:
    """The rest is done by people: a ticket, a new reference, and all of a model without a webhook."""
    return kind in BY_WEBHOOK and bool(model.retrain_webhook)


def enqueue(row: Mitigation) -> None:
    """Within the transaction that approves it; the key is the mitigation's own, whoever tries again."""
    model = row.finding.model
    if not goes_by_webhook(model, row.kind):
        return
    now = clock.now()
    message = OutboxMessage(
        team_id=model.owner_id,
        destination=_destination(model),
        kind=MessageKind.NOTICE,
        dedupe_key=dedupe_key(row),
        key=row.key,
        body=Body(note=_sentence(row), group_labels=_facts(row)).packed(),
        created_at=now,
        due_at=now,
    )
    outbox.enqueue_pages([message])


def withdraw(row: Mitigation) -> None:
    """What nobody has begun to send is not sent; what is on its way may arrive all the same."""
    now = clock.now()
    OutboxMessage.objects.filter(
        dedupe_key=dedupe_key(row), state=MessageState.QUEUED, tries=0, lease_until__isnull=True
    ).update(state=MessageState.DROPPED, finished_at=now)


def message_of(row: Mitigation) -> OutboxMessage | None:
    return OutboxMessage.objects.filter(dedupe_key=dedupe_key(row)).first()


def dedupe_key(row: Mitigation) -> str:
    return f"mitigation:{row.pk}"


def callback_url(row: Mitigation) -> str:
    return f"{settings.BASE_URL.rstrip('/')}/drift/callbacks/{row.key}"


def _destination(model: Model) -> Destination:
    config: dict[str, Any] = dict(model.retrain_webhook)
    place, _ = Destination.objects.update_or_create(
        outside=f"model:{model.pk}",
        defaults={
            "receiver": f"retraining of {model.name}",
            "kind": ChannelKind.WEBHOOK,
            "config": config,
            "removed_at": None,
        },
    )
    return place


def _sentence(row: Mitigation) -> str:
    finding = row.finding
    what = MitigationKind(row.kind).label.lower()
    return f"{finding.model.name}: {what}, because of finding {finding.pk}: {finding.summary} {row.note}".strip()


def _facts(row: Mitigation) -> dict[str, str]:
    """For programs, as the payload's groupLabels."""
    finding = row.finding
    return {
        "event": "mitigation",
        "mitigation": str(row.pk),
        "key": str(row.key),
        "kind": row.kind,
        "model": finding.model.name,
        "pool": finding.model.pool,
        "finding": str(finding.pk),
        "signal": finding.signal,
        "severity": finding.severity,
        "callback_url": callback_url(row),
    }
