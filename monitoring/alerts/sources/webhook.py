"""Alerts as plain JSON webhooks bring them, those of another Alertmanager (version 4) included.

Nobody repeats a webhook each minute: what fires without an end fires until it is told as resolved.
"""

from collections.abc import Mapping
from typing import Any

from monitoring.alerts.message import FIRING, RESOLVED
from monitoring.alerts.sources import fields
from monitoring.alerts.sources.alertmanager import Read, each
from monitoring.alerts.sources.fields import Clock, PostedError
from monitoring.alerts.sources.posted import Posted


def read(body: bytes, now: Clock) -> Read:
    """One alert, a list of them, or a webhook's object with `alerts`; and a sentence for each that is none."""
    return each(_items(fields.document_of(body)), lambda item: alert(item, now))


def alert(document: Mapping[str, Any], now: Clock) -> Posted:
    """{status?: firing or resolved, labels, annotations?, startsAt?, endsAt?, generatorURL?}; raises PostedError."""
    starts_at, ends_at = fields.instant_of(document, "startsAt"), fields.instant_of(document, "endsAt")
    fields.check_order(starts_at, ends_at)
    if _is_resolved(document):
        at = now()  # the sender's clock may be ahead of ours: what is over ends by now
        ends_at = min(ends_at or at, at)
    return Posted(
        labels=fields.labels_of(document),
        annotations=fields.annotations_of(document),
        starts_at=min(starts_at, ends_at) if starts_at and ends_at else starts_at,
        ends_at=ends_at,
        generator_url=fields.address_of(document),
    )


def _items(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and isinstance(document.get("alerts"), list):
        return list(document["alerts"])
    if isinstance(document, dict) and "labels" in document:
        return [document]
    raise PostedError("The body is no alert. Send {labels, status}, a list of such, or a webhook with 'alerts'.")


def _is_resolved(document: Mapping[str, Any]) -> bool:
    status = document.get("status", FIRING)
    if status not in (FIRING, RESOLVED):
        raise PostedError(f"status is {FIRING} or {RESOLVED}")
    return bool(status == RESOLVED)
