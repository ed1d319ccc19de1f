"""Tells the fallback receiver what another one could not be told: refused, or not delivered for five minutes."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from monitoring.alerts import clock, outbox, trees
from monitoring.alerts.message import Body
from monitoring.alerts.models import Destination, Episode, Event, EventKind, MessageKind, MessageState, OutboxMessage

PATIENCE = timedelta(minutes=5)
WITHOUT_FALLBACK = frozenset({MessageKind.FALLBACK, MessageKind.TEST, MessageKind.NOTICE})
log = structlog.get_logger(__name__)


def tell(row: OutboxMessage, why: str, now: datetime) -> int:
    """Queue the message for the fallback's destinations, once however often it is asked for; gives how many."""
    note_not_told(row, why, now)
    if row.kind in WITHOUT_FALLBACK:
        return 0
    if not OutboxMessage.objects.filter(pk=row.pk, fallback_at=None).update(fallback_at=now):
        return 0
    told = [place for place in _places(row) if _queue(row, place, why, now)]
    if not told:
        log.error("alerts.nobody_told", message=str(row.key), receiver=row.destination.receiver, why=why)
    return len(told)


def tell_overdue() -> int:
    """See to the messages that nobody took for five minutes, whatever the error; each is still tried further."""
    now = clock.now()
    waiting = OutboxMessage.objects.filter(
        Q(created_at__lte=now - PATIENCE) | Q(body__has_key=outbox.WAITING_SINCE),
        state=MessageState.QUEUED,
        fallback_at=None,
    ).exclude(kind__in=WITHOUT_FALLBACK)
    late = [row.pk for row in waiting.only("pk", "body", "created_at") if outbox.waiting_since(row) <= now - PATIENCE]
    return sum(_tell_one(pk, now) for pk in late)


def note_not_told(row: OutboxMessage, why: str, now: datetime) -> None:
    """One line of history for each of the message's alerts."""
    destination = row.destination
    told = {line.episode_id for line in Body.unpacked(row.body).alerts}
    Event.objects.bulk_create(
        Event(
            team_id=row.team_id,
            alert_id=alert_id,
            episode_id=episode_id,
            at=now,
            kind=EventKind.NOT_TOLD,
            note=f"{destination.receiver} by {destination.kind}: {why}",
        )
        for episode_id, alert_id in Episode.objects.filter(pk__in=told).order_by("pk").values_list("pk", "alert_id")
    )


@transaction.atomic
def _tell_one(pk: int, now: datetime) -> bool:
    rows = OutboxMessage.objects.select_for_update(skip_locked=True, of=("self",)).select_related("destination")
    row = rows.filter(pk=pk, state=MessageState.QUEUED, fallback_at=None).first()
    if row is None:
        return False
    said = row.last_error or "no answer yet"
    tell(row, f"Not delivered for {PATIENCE.seconds // 60} minutes ({said.rstrip('.')}); it is still being tried.", now)
    return True


def _places(row: OutboxMessage) -> list[Destination]:
    """Where the fallback is told; the place that failed is not asked to tell of itself."""
    tree = trees.tree_for(row.team_id)
    is_of_tree = row.destination.tree_id is not None
    name = trees.fallback_of(tree, row.destination.receiver) if is_of_tree else tree.route.receiver
    places = trees.destinations(tree.tree_id, name) if name else ()
    return [place for place in places if place.pk != row.destination_id]


def _queue(row: OutboxMessage, place: Destination, why: str, now: datetime) -> bool:
    body = Body.unpacked(row.body)
    note = f"{_named(row.destination)} could not be told by {row.destination.kind}. {why}"
    queued = outbox.enqueue(
        team_id=row.team_id,
        destination=place,
        kind=MessageKind.FALLBACK,
        body=replace(body, note=" ".join(filter(None, (note, body.note)))),
        dedupe_key=f"fallback:{row.pk}:{place.pk}",
        now=now,
        run_id=row.run_id,
    )
    return queued is not None


def _named(place: Destination) -> str:
    if place.contact_id is not None:
        return f"'{place.receiver}'"
    return f"{'Receiver' if place.tree_id is not None else 'The webhook of escalation'} '{place.receiver}'"
