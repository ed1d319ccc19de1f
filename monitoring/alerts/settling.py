"""Writes down what became of a try, if the try still counts: whoever lost the fence changes no message.

1. Delivered: the message is finished, and what it told is noted for each episode.
2. Retry: due again after 1, 2, 4 … seconds, at most 5 minutes, with jitter; never before the receiver's Retry-After.
   Failures in a row open the destination's breaker; when it closes, one message goes ahead.
3. Refused: the message is dead, and the fallback is told.
"""

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from monitoring.alerts import clock, fallback
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.claims import Claim
from monitoring.alerts.message import FIRING, RESOLVED, Body
from monitoring.alerts.models import (
    Attempt,
    Destination,
    Event,
    EventKind,
    MessageState,
    OutboxMessage,
    Told,
)

LONGEST_BACKOFF_S = 300.0
JITTER = (0.75, 1.25)
BREAKER_AT = 5
BREAKER_FIRST_S = 5.0
BREAKER_LONGEST_S = 60.0
GONE_AFTER = timedelta(hours=1)


@transaction.atomic
def settle(claim: Claim, outcome: Outcome) -> bool:
    """Whether the try still counted."""
    now = clock.now()
    Attempt.objects.filter(message_id=claim.message_id, fence=claim.fence).update(
        finished_at=now,
        is_delivered=outcome.verdict is Verdict.DELIVERED,
        status=outcome.status,
        answer=outcome.answer,
    )
    row = (
        OutboxMessage.objects.select_for_update(of=("self",))
        .select_related("destination")
        .filter(pk=claim.message_id, fence=claim.fence, state=MessageState.QUEUED)
        .first()
    )
    if row is None:
        return False
    match outcome.verdict:
        case Verdict.DELIVERED:
            _delivered(row, now)
        case Verdict.RETRY:
            _retry(row, outcome, now)
        case Verdict.REFUSED:
            _refused(row, outcome, now)
    return True


def backoff_s(tries: int) -> float:
    """How long to wait after so many tries."""
    return min(LONGEST_BACKOFF_S, 2.0 ** min(tries - 1, 20)) * random.uniform(*JITTER)  # noqa: S311 no secret


def breaker_s(failures: int) -> float:
    """How long a lane rests after so many failures in a row; 0 while there are few."""
    if failures < BREAKER_AT:
        return 0.0
    return min(BREAKER_LONGEST_S, BREAKER_FIRST_S * 2.0 ** min(failures - BREAKER_AT, 20))


def _delivered(row: OutboxMessage, now: datetime) -> None:
    _finish(row, MessageState.SENT, now, "")
    Destination.objects.filter(pk=row.destination_id).update(failures=0, open_until=None, last_delivered_at=now)
    body = Body.unpacked(row.body)
    if row.group_id is not None:
        told = Told.objects.filter(group_id=row.group_id, destination_id=row.destination_id)
        for status, field in ((FIRING, "firing_delivered_at"), (RESOLVED, "resolved_delivered_at")):
            episodes = [line.episode_id for line in body.alerts if line.status == status]
            told.filter(episode_id__in=episodes, **{f"{field}__isnull": True}).update(**{field: now})
    Event.objects.bulk_create(
        Event(
            team_id=row.team_id,
            alert_id=line.alert_id,
            episode_id=line.episode_id,
            at=now,
            kind=EventKind.TOLD,
            note=f"{row.destination.receiver} by {row.destination.kind}: {line.status}",
        )
        for line in body.alerts
        if line.alert_id
    )


def _retry(row: OutboxMessage, outcome: Outcome, now: datetime) -> None:
    asked_s = outcome.retry_after_s or 0.0
    _note_failure(row, outcome.answer, asked_s, now)
    if row.destination.removed_at and row.created_at <= now - GONE_AFTER:
        _finish(row, MessageState.DROPPED, now, f"No longer configured. {outcome.answer}")
        return
    row.due_at = now + timedelta(seconds=max(backoff_s(row.tries), asked_s))
    row.lease_until, row.last_error = None, outcome.answer
    row.body["accepted"] = list(outcome.accepted)
    row.save(update_fields=["due_at", "lease_until", "last_error", "body"])


def _refused(row: OutboxMessage, outcome: Outcome, now: datetime) -> None:
    _finish(row, MessageState.DEAD, now, outcome.answer)
    Destination.objects.filter(pk=row.destination_id).update(last_error=outcome.answer, last_error_at=now)
    fallback.tell(row, f"It refused: {outcome.answer}", now)


def _note_failure(row: OutboxMessage, answer: str, asked_s: float, now: datetime) -> None:
    """Count it, and let the lane rest: after several in a row, or for as long as the receiver asks for."""
    destination = Destination.objects.select_for_update(no_key=True).get(pk=row.destination_id)
    rest_s = max(breaker_s(destination.failures + 1), asked_s)
    Destination.objects.filter(pk=destination.pk).update(
        failures=F("failures") + 1,
        open_until=now + timedelta(seconds=rest_s) if rest_s else destination.open_until,
        last_error=answer,
        last_error_at=now,
    )


def _finish(row: OutboxMessage, state: MessageState, now: datetime, error: str) -> None:
    row.state, row.finished_at, row.lease_until, row.last_error = state, now, None, error
    row.save(update_fields=["state", "finished_at", "lease_until", "last_error"])
