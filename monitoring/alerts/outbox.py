"""The outbox: what must be told once, queued in the transaction that decided it.

Within one group and destination a newer message replaces those before it that nobody is sending right now:
1. what they hold of ends that the newer one lacks goes into the newer one;
2. an end whose start was never even attempted there is news to nobody: it is dropped, and the history says so;
3. the time for which the destination has not been told goes on counting.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from monitoring.alerts import clock
from monitoring.alerts.message import RESOLVED, AlertLine, Body
from monitoring.alerts.models import (
    ChannelKind,
    Destination,
    Event,
    EventKind,
    Group,
    MessageKind,
    MessageState,
    OutboxMessage,
    Told,
)

WAITING_SINCE = "waiting_since"


@transaction.atomic
def enqueue(
    *,
    team_id: int | None,
    destination: Destination,
    kind: MessageKind,
    body: Body,
    dedupe_key: str,
    now: datetime,
    group: Group | None = None,
    run_id: int | None = None,
) -> OutboxMessage | None:
    """Queue a message within the caller's transaction; None where `dedupe_key` was queued before.

    The caller holds the lock of `group`'s row, where there is one. What turns out to be no news comes back `dropped`.
    What is of a run counts as told through the run's group, so that its end is told there too.
    """
    row = OutboxMessage(
        team_id=team_id,
        destination=destination,
        group=group,
        run_id=run_id,
        kind=kind,
        dedupe_key=dedupe_key,
        body=body.packed(),
        created_at=now,
        due_at=now,
    )
    OutboxMessage.objects.bulk_create([row], ignore_conflicts=True)
    stored = OutboxMessage.objects.filter(key=row.key).first()
    if stored is None:
        return None
    if group is not None:
        _replace_older(stored, group, destination, now)
    clock.ring()
    return stored


def enqueue_pages(rows: Sequence[OutboxMessage]) -> None:
    """Queue what a step of an escalation tells, within the caller's transaction: each key once, none before its time.

    One that is to wait has not been held up before it was due.
    """
    for row in rows:
        if row.due_at > row.created_at:
            row.body[WAITING_SINCE] = row.due_at.isoformat()
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    clock.ring()


def waiting_since(row: OutboxMessage) -> datetime:
    """Since when its destination has not been told, counted through the messages that this one replaced."""
    text = row.body.get(WAITING_SINCE)
    return datetime.fromisoformat(text) if text else row.created_at


def _replace_older(row: OutboxMessage, group: Group, destination: Destination, now: datetime) -> None:
    older = _replaceable(row, now)
    body = Body.unpacked(row.body)
    lines = [*_missing_ends(body.alerts, older, destination), *body.alerts]
    kept, never_told = _without_unheard_ends(lines, group, destination)
    row.body = replace(body, alerts=tuple(kept)).packed()
    if older:
        row.body[WAITING_SINCE] = min(message.fallback_at or waiting_since(message) for message in older).isoformat()
    if not _is_news(row, kept):
        row.state, row.finished_at = MessageState.DROPPED, now
    row.save(update_fields=["body", "state", "finished_at"])
    OutboxMessage.objects.filter(pk__in=[message.pk for message in older]).update(
        state=MessageState.SUPERSEDED, finished_at=now, lease_until=None
    )
    Event.objects.bulk_create(_unheard(line, row, destination, now) for line in never_told)


def _replaceable(row: OutboxMessage, now: datetime) -> list[OutboxMessage]:
    """Older ones of the same group and destination that nobody is sending under a live lease, the newest first."""
    waiting = OutboxMessage.objects.select_for_update().filter(
        group=row.group, destination=row.destination, state=MessageState.QUEUED, pk__lt=row.pk
    )
    return [message for message in waiting.order_by("-pk") if not message.lease_until or message.lease_until <= now]


def _missing_ends(
    lines: Sequence[AlertLine], older: Iterable[OutboxMessage], destination: Destination
) -> list[AlertLine]:
    """Ends that only the replaced ones hold. PagerDuty is told per episode: there a new one does not end the old."""
    is_per_episode = destination.kind == ChannelKind.PAGERDUTY
    known = {line.episode_id if is_per_episode else line.alert_id for line in lines}
    missing: list[AlertLine] = []
    for message in older:
        for line in Body.unpacked(message.body).alerts:
            name = line.episode_id if is_per_episode else line.alert_id
            if line.status == RESOLVED and name not in known:
                known.add(name)
                missing.append(line)
    return missing


def _without_unheard_ends(
    lines: Sequence[AlertLine], group: Group, destination: Destination
) -> tuple[list[AlertLine], list[AlertLine]]:
    """The lines to tell, and the ends of episodes whose start was never attempted there."""
    ended = [line.episode_id for line in lines if line.status == RESOLVED]
    attempted = set(
        Told.objects.filter(
            group=group, destination=destination, episode_id__in=ended, firing_attempted_at__isnull=False
        ).values_list("episode_id", flat=True)
    )
    unheard = [line for line in lines if line.status == RESOLVED and line.episode_id not in attempted]
    return [line for line in lines if line not in unheard], unheard


def _is_news(row: OutboxMessage, lines: Sequence[AlertLine]) -> bool:
    """Whether anything is left to tell: of a message about ends, at least one end."""
    return any(row.kind != MessageKind.RESOLVED or line.status == RESOLVED for line in lines)


def _unheard(line: AlertLine, row: OutboxMessage, destination: Destination, now: datetime) -> Event:
    return Event(
        team_id=row.team_id,
        alert_id=line.alert_id,
        episode_id=line.episode_id,
        at=now,
        kind=EventKind.QUIET,
        note=f"{destination.receiver} by {destination.kind} was never told that it fires.",
    )
