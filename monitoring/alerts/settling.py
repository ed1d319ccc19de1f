"""Writes down what became of a try, if the try still counts: whoever lost the fence changes no message.

1. Delivered: the message is finished, and what it told is noted for each episode.
2. Retry: due again after 1, 2, 4 … seconds, at most 5 minutes, with jitter; never before the receiver's Retry-After.
   Failures in a row open the destination's breaker; when it closes, one message goes ahead.
3. Refused: the message is dead, and the fallback is told.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from monitoring.alerts import clock, fallback
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.claims import Claim
from monitoring.alerts.models import (
    Destination,
    Episode,
    MessageKind,
    MessageState,
    OutboxMessage,
)

LONGEST_BACKOFF_S = 300.0
JITTER = (0.75, 1.25)
BREAKER_AT = 5
BREAKER_FIRST_S = 5.0
BREAKER_LONGEST_S = 60.0
GONE_AFTER = timedelta(hours=1)
_END_ATTEMPT = """
UPDATE alerts_attempt SET finished_at = app_now(), is_delivered = false, status = %s, answer = %s
WHERE message_id = %s AND fence = %s
"""
# One statement, since this is what happens a hundred times for each failure. Alerts may have been deleted meanwhile.
_DELIVERED = """
WITH ended AS (
    UPDATE alerts_attempt SET finished_at = app_now(), is_delivered = true, status = %(status)s, answer = %(answer)s
    WHERE message_id = %(id)s AND fence = %(fence)s
), sent AS (
    UPDATE alerts_outboxmessage SET state = 'sent', finished_at = app_now(), lease_until = NULL, last_error = ''
    WHERE id = %(id)s AND fence = %(fence)s AND state = 'queued'
    RETURNING team_id, destination_id, page_id, finished_at AS now,
              coalesce(group_id, (SELECT run.group_id FROM alerts_run AS run WHERE run.id = run_id)) AS group_id
), paged AS (
    UPDATE alerts_page AS p SET told_at = coalesce(p.told_at, now) FROM sent WHERE p.id = sent.page_id
), destination AS (
    UPDATE alerts_destination AS d SET failures = 0, open_until = NULL, last_delivered_at = now
    FROM sent WHERE d.id = destination_id
), told AS (
    UPDATE alerts_told AS t SET
        firing_delivered_at = CASE WHEN line.status = 'firing' THEN coalesce(firing_delivered_at, now)
                                   ELSE firing_delivered_at END,
        resolved_delivered_at = CASE WHEN line.status = 'resolved' THEN coalesce(resolved_delivered_at, now)
                                     ELSE resolved_delivered_at END
    FROM sent, unnest(%(episodes)s::bigint[], %(statuses)s::text[]) AS line (episode_id, status)
    WHERE t.group_id = sent.group_id AND t.destination_id = sent.destination_id AND t.episode_id = line.episode_id
), said AS (
    INSERT INTO alerts_event (team_id, alert_id, episode_id, at, kind, actor, note)
    SELECT team_id, episode.alert_id, episode.id, now, 'told', '', %(whom)s || line.status
    FROM sent, unnest(%(episodes)s::bigint[], %(statuses)s::text[]) AS line (episode_id, status)
    JOIN alerts_episode AS episode ON episode.id = line.episode_id
)
SELECT (SELECT now FROM sent), ARRAY(
    SELECT id FROM alerts_episode
    WHERE id = ANY(%(first_told)s::bigint[]) AND told_at IS NULL AND EXISTS (SELECT FROM sent) ORDER BY id)
"""
_TELLS_FIRST = frozenset({MessageKind.FIRING, MessageKind.PAGE})


def settle(claim: Claim, outcome: Outcome) -> bool:
    """Whether the try still counted."""
    if outcome.verdict is Verdict.DELIVERED:
        return _delivered(claim, outcome)
    return _failed(claim, outcome)


@transaction.atomic
def _failed(claim: Claim, outcome: Outcome) -> bool:
    with connection.cursor() as cursor:  # its own attempt is everybody's to end
        cursor.execute(_END_ATTEMPT, [outcome.status, outcome.answer, claim.message_id, claim.fence])
    row = (
        OutboxMessage.objects.select_for_update(of=("self",))
        .select_related("destination")
        .filter(pk=claim.message_id, fence=claim.fence, state=MessageState.QUEUED)
        .first()
    )
    if row is None:
        return False
    now = clock.now()
    if outcome.verdict is Verdict.RETRY:
        _retry(row, outcome, now)
    else:
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


def _delivered(claim: Claim, outcome: Outcome) -> bool:
    message = claim.message
    values = {
        "id": claim.message_id,
        "fence": claim.fence,
        "status": outcome.status,
        "answer": outcome.answer,
        "episodes": [line.episode_id for line in message.alerts],
        "statuses": [line.status for line in message.alerts],
        "first_told": [line.episode_id for line in message.firing] if message.kind in _TELLS_FIRST else [],
        "whom": f"{message.receiver} by {claim.channel}: ",
    }
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, values)
        at, untold = cursor.fetchone() or (None, [])
    if untold and at is not None:
        _note_first_told(untold, at)
    return at is not None


@transaction.atomic
def _note_first_told(episode_ids: Sequence[int], at: datetime) -> None:
    """Apart from the statement before: whoever holds an episode may wait for what that one holds."""
    rows = Episode.objects.select_for_update(no_key=True).filter(pk__in=episode_ids, told_at=None)
    Episode.objects.filter(pk__in=[row.pk for row in rows.only("pk").order_by("pk")]).update(told_at=at)


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
