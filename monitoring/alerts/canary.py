"""Canaries: a harmless message to each destination that wants one, so that a dead channel is found before it is needed.

A canary is an alert that has ended already: whatever raises pages from messages raises none. One that cannot be
delivered is told to the fallback like any other message.
"""

from datetime import datetime, timedelta

from fleetledger.lib.durations import parse_duration
from monitoring.alerts import outbox
from monitoring.alerts.labels import ALERT_NAME, fingerprint
from monitoring.alerts.message import RESOLVED, AlertLine, Body
from monitoring.alerts.models import Destination, MessageKind

LABELS = {ALERT_NAME: "FleetledgerCanary", "severity": "none"}
ANNOTATIONS = {"summary": "Fleetledger tries whether this channel still works. Nothing is wrong."}


def queue_due(now: datetime) -> int:
    """Queue a canary for each destination whose receiver has `canary: 24h` and whose last one is that long ago."""
    wanted = Destination.objects.filter(tree__isnull=False, removed_at=None, config__has_key="canary")
    due = (destination for destination in wanted.select_related("tree") if _is_due(destination, now))
    return sum(_queue(destination, now) for destination in due)


def _is_due(destination: Destination, now: datetime) -> bool:
    every: timedelta = parse_duration(str(destination.config["canary"]))
    return destination.canary_at is None or now - destination.canary_at >= every


def _queue(destination: Destination, now: datetime) -> bool:
    """False where another notifier was first."""
    mine = Destination.objects.filter(pk=destination.pk, canary_at=destination.canary_at).update(canary_at=now)
    if not mine:
        return False
    line = AlertLine(0, 0, fingerprint(LABELS), RESOLVED, LABELS, ANNOTATIONS, starts_at=now, ends_at=now)
    queued = outbox.enqueue(
        team_id=destination.tree.team_id if destination.tree else None,
        destination=destination,
        kind=MessageKind.CANARY,
        body=Body((line,), group_key="canary", group_labels={ALERT_NAME: LABELS[ALERT_NAME]}),
        dedupe_key=f"canary:{destination.pk}:{int(now.timestamp())}",
        now=now,
    )
    return queued is not None
