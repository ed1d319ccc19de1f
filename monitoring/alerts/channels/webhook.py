"""Alertmanager's webhook, version 4 of its payload; signed where the receiver has a secret.

The signature is `X-Fleetledger-Signature: t=SECONDS,v1=HEX` with HEX = HMAC-SHA256(secret, "SECONDS.BODY"): a receiver
that compares it, and refuses an old t, knows who spoke and when.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitoring.alerts.channels import http
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.verdicts import Outcome
from monitoring.alerts.message import AlertLine, Message

SIGNATURE = "X-Fleetledger-Signature"
NEVER = "0001-01-01T00:00:00Z"  # what still fires has no end


def send(message: Message, config: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """One POST for the whole message."""
    body = json.dumps(payload(message, int(config.get("max_alerts") or 0)), ensure_ascii=False).encode()
    headers = {**config.get("headers", {}), "Content-Type": "application/json", "Idempotency-Key": str(message.key)}
    if config.get("secret"):
        headers[SIGNATURE] = signature(str(config["secret"]), body, int(time.time()))
    return http.post(str(config["url"]), body, headers, deadline, config).outcome()


def signature(secret: str, body: bytes, at: int) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def payload(message: Message, max_alerts: int = 0) -> dict[str, Any]:
    """The document; 0 for all alerts. Beside Alertmanager's keys: `note` and `page`, where there are such."""
    shown = message.alerts[:max_alerts] if max_alerts else message.alerts
    document = {
        "version": "4",
        "groupKey": message.group_key,
        "truncatedAlerts": len(message.alerts) - len(shown),
        "status": message.status,
        "receiver": message.receiver,
        "groupLabels": dict(message.group_labels),
        "commonLabels": message.common_labels,
        "commonAnnotations": message.common_annotations,
        "externalURL": message.external_url,
        "alerts": [_alert(alert) for alert in shown],
    }
    return document | _ours(message)


def _ours(message: Message) -> dict[str, Any]:
    """What Alertmanager does not have."""
    found: dict[str, Any] = {"note": message.note} if message.note else {}
    if message.page:
        page = message.page
        found["page"] = {"person": page.person, "why": page.why, "acknowledge_url": page.url}
    return found


def _alert(alert: AlertLine) -> dict[str, Any]:
    return {
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": _instant(alert.starts_at),
        "endsAt": _instant(alert.ends_at) if alert.ends_at else NEVER,
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
