"""The documents of Alertmanager's API, with the fields of its version 0.25."""

from datetime import datetime
from typing import Any

from monitoring.alerts.am_api.answers import instant
from monitoring.alerts.am_api.listing import AlertGroup, OpenAlert
from monitoring.alerts.am_api.quiet import Quiet

Document = dict[str, Any]


def alert(shown: OpenAlert) -> Document:
    """A gettableAlert; the address of its generator is left out where it has none."""
    document = {
        "annotations": shown.annotations,
        "endsAt": instant(shown.ends_at),
        "fingerprint": shown.fingerprint,
        "receivers": [{"name": name} for name in shown.receivers],
        "startsAt": instant(shown.starts_at),
        "status": {
            "inhibitedBy": shown.inhibited_by,
            "silencedBy": shown.silenced_by,
            "state": "suppressed" if shown.is_suppressed else "active",
        },
        "updatedAt": instant(shown.updated_at),
        "labels": shown.labels,
    }
    return document | ({"generatorURL": shown.generator_url} if shown.generator_url else {})


def group(shown: AlertGroup) -> Document:
    """An alertGroup."""
    return {"alerts": list(map(alert, shown.alerts)), "labels": shown.labels, "receiver": {"name": shown.receiver}}


def silence(shown: Quiet, now: datetime) -> Document:
    """A gettableSilence."""
    return {
        "id": shown.id,
        "status": {"state": shown.status(now)},
        "updatedAt": instant(shown.updated_at),
        "comment": shown.comment,
        "createdBy": shown.created_by,
        "endsAt": instant(shown.ends_at),
        "matchers": shown.matchers,
        "startsAt": instant(shown.starts_at),
    }
