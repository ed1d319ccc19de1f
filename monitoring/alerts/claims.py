"""Takes messages out of the outbox, each for one try: the last look at what it says comes before its first byte.

1. Of each group and destination only the oldest unfinished message is looked at, and only if it is due.
2. Its episodes are locked, in the order of their ids; an acknowledgement takes the same locks. What an escalation tells
   holds its group before them, in which it notes whom it told: a tick of that group comes before or after.
3. Then the message itself, unless another notifier has it: a lease of 30 s, and a fence one higher.
4. Where all that it tells as firing is acknowledged or withheld by now, that is left out; nothing left: withheld.
   What an escalation tells is left out too where it is over. A contact method that was removed is not used.
5. The attempt is noted with the instant at which sending begins. All of this is one transaction.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from monitoring.alerts import fallback, tenants
from monitoring.alerts.message import FIRING, AlertLine, Body, Message, PageNote
from monitoring.alerts.models import (
    Alert,
    Destination,
    Episode,
    Event,
    EventKind,
    MessageKind,
    MessageState,
    OutboxMessage,
    Page,
    Told,
)
from monitoring.alerts.oncall import links
from monitoring.alerts.suppression import Suppressors

LEASE = timedelta(seconds=30)
LOCK_WAIT = "500ms"
PER_DESTINATION = 8
OVER = "resolved"
RECHECKED = frozenset({MessageKind.FIRING, MessageKind.FALLBACK, MessageKind.PAGE})
_DUE = """
WITH oldest AS (
    SELECT DISTINCT ON (destination_id, coalesce(group_id, -id)) id, destination_id, due_at, lease_until
    FROM alerts_outboxmessage WHERE state = 'queued'
    ORDER BY destination_id, coalesce(group_id, -id), id
), due AS (
    SELECT oldest.id, destination_id, failures, due_at,
           row_number() OVER (PARTITION BY destination_id ORDER BY due_at, oldest.id) AS place
    FROM oldest JOIN alerts_destination AS destination ON destination.id = destination_id
    WHERE due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
      AND (open_until IS NULL OR open_until <= %(now)s)
)
SELECT id, destination_id, failures FROM due WHERE place <= %(most)s ORDER BY due_at, id
"""
# whoever holds an episode for long must not hold up the other lanes
_LOOK = f"""
SELECT body, run_id, set_config('lock_timeout', '{LOCK_WAIT}', true)
FROM alerts_outboxmessage WHERE id = %s AND state = 'queued'
"""  # noqa: S608 our own text
_HOLD_GROUP = """
SELECT g.id FROM alerts_group AS g JOIN alerts_run AS run ON run.group_id = g.id WHERE run.id = %s FOR KEY SHARE OF g
"""
_STANDS = """
SELECT app_now(), EXISTS (
    SELECT FROM alerts_outboxmessage
    WHERE state = 'queued' AND group_id = %s AND destination_id = %s AND id < %s)
"""
_BEGIN = """
WITH begun AS (
    UPDATE alerts_outboxmessage
    SET fence = fence + 1, tries = tries + 1, lease_until = %(lease_until)s, kind = %(kind)s, body = %(body)s::jsonb
    WHERE id = %(id)s RETURNING id, fence, tries
), attempt AS (
    INSERT INTO alerts_attempt (message_id, fence, sending_at, is_delivered, answer)
    SELECT id, fence, %(now)s, false, '' FROM begun RETURNING id
), named AS (
    INSERT INTO alerts_attempt_episodes (attempt_id, episode_id)
    SELECT attempt.id, episode_id FROM attempt, unnest(%(unacknowledged)s::bigint[]) AS episode_id
), told AS (
    UPDATE alerts_told SET firing_attempted_at = %(now)s
    WHERE group_id = %(group_id)s AND destination_id = %(destination_id)s AND episode_id = ANY(%(firing)s::bigint[])
      AND firing_attempted_at IS NULL
), paged AS (
    INSERT INTO alerts_told (group_id, destination_id, episode_id, firing_queued_at, firing_attempted_at)
    SELECT g.id, %(destination_id)s, episode_id, %(queued_at)s, %(now)s
    FROM alerts_group AS g, unnest(%(firing)s::bigint[]) AS episode_id WHERE g.id = %(told_group_id)s::bigint
    ON CONFLICT (group_id, destination_id, episode_id) DO UPDATE
    SET firing_attempted_at = coalesce(alerts_told.firing_attempted_at, excluded.firing_attempted_at)
)
SELECT fence, tries FROM begun
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that is due; `failures`: how often its destination failed in a row."""

    message_id: int
    destination_id: int
    failures: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A message taken for one try. `config` is the destination's entry, secrets still as references.

    `is_personal`: the destination is a person's contact method, or guarded as if it were.
    """

    message_id: int
    fence: int
    tries: int
    channel: str
    config: dict[str, Any]
    message: Message
    is_personal: bool = False


def due(now: datetime, per_destination: int = PER_DESTINATION) -> list[Candidate]:
    """What can be sent now, at most so many for each destination; lanes whose breaker is open are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "most": per_destination})
        return [Candidate(*row) for row in cursor.fetchall()]


@transaction.atomic
def claim(message_id: int, of_tenant: Suppressors) -> Claim | None:
    """The message for one try; None where somebody else has it, or where nothing of it is to be told any more."""
    seen = _look(message_id)
    if seen is None:
        return None
    body, told_group_id = seen
    episodes = _locked_episodes(Body.unpacked(body).alerts)
    row = (
        OutboxMessage.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("destination", "team")
        .filter(pk=message_id, state=MessageState.QUEUED)
        .first()
    )
    if row is None or row.body != body:
        return None
    now, has_older = _stands(row)
    if has_older or row.due_at > now or (row.lease_until and row.lease_until > now):
        return None
    if _ends_with_its_owner(row.destination) and row.destination.removed_at is not None:
        _give_up(row, now)
        return None
    lines = _still_to_tell(row, episodes, of_tenant, now)
    return _begin(row, lines, episodes, now, told_group_id) if lines is not None else None


def _locked_episodes(lines: Iterable[AlertLine]) -> dict[int, Episode]:
    """Against acknowledgements; not against rows that refer to them, which need no such lock."""
    told = {line.episode_id for line in lines if line.status == FIRING}
    rows = Episode.objects.select_for_update(no_key=True).filter(pk__in=told).order_by("pk")
    return {episode.pk: episode for episode in rows}


def _look(message_id: int) -> tuple[Any, int | None] | None:
    """What the message says, not locked, and the group of its run, held; None where it is finished."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [message_id])
        found = cursor.fetchone()
        if found is None:
            return None
        body, run_id, _ = found
        if run_id is None:
            return json.loads(body), None
        cursor.execute(_HOLD_GROUP, [run_id])
        (group_id,) = cursor.fetchone() or (None,)
    return json.loads(body), group_id


def _ends_with_its_owner(destination: Destination) -> bool:
    """A receiver's is still told of ends; what a person or another room removed is told nothing more."""
    return destination.contact_id is not None or bool(destination.outside)


def _give_up(row: OutboxMessage, now: datetime) -> None:
    """Somebody is to be told all the same."""
    why = "This destination was removed." if row.destination.outside else "This contact method was removed."
    OutboxMessage.objects.filter(pk=row.pk).update(
        state=MessageState.DEAD, finished_at=now, lease_until=None, last_error=why
    )
    if row.run_id is not None:
        fallback.tell(row, why, now)


def _stands(row: OutboxMessage) -> tuple[datetime, bool]:
    """The time, read under the locks: an acknowledgement that was committed lies before it. And: is one before it."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [row.group_id, row.destination_id, row.pk])
        found = cursor.fetchone()
    assert found is not None  # noqa: S101 it gives one row always
    return found[0], found[1]


def _still_to_tell(
    row: OutboxMessage, episodes: dict[int, Episode], of_tenant: Suppressors, now: datetime
) -> list[AlertLine] | None:
    """The lines with today's acknowledgements; None where the message is withheld as a whole."""
    lines = [_as_of_now(line, episodes) for line in Body.unpacked(row.body).alerts]
    firing = [line for line in lines if line.status == FIRING and line.episode_id in episodes]
    if row.kind not in RECHECKED or (not firing and row.run_id is None):
        return lines
    reasons = _reasons(row, firing, episodes, of_tenant)
    if len(reasons) < len(firing):
        return lines if row.run_id is None else _without_over(row, firing, reasons)
    _note_withheld(row, firing, reasons, now)
    rest = [line for line in lines if line.status != FIRING]
    if rest and row.kind == MessageKind.FIRING:
        row.kind = MessageKind.RESOLVED
        _say(row, rest)
        return rest
    state = MessageState.DROPPED if set(reasons.values()) <= {OVER} else MessageState.WITHHELD
    OutboxMessage.objects.filter(pk=row.pk).update(state=state, finished_at=now, lease_until=None)
    return None


def _without_over(row: OutboxMessage, firing: Sequence[AlertLine], reasons: dict[int, str]) -> list[AlertLine]:
    """What an escalation tells holds no alert that is over or was deleted."""
    still = [line for line in firing if reasons.get(line.episode_id) != OVER]
    _say(row, still)
    return still


def _say(row: OutboxMessage, lines: Sequence[AlertLine]) -> None:
    row.body = {**row.body, **replace(Body.unpacked(row.body), alerts=tuple(lines)).packed()}


def _as_of_now(line: AlertLine, episodes: dict[int, Episode]) -> AlertLine:
    episode = episodes.get(line.episode_id)
    return replace(line, is_acknowledged=episode.acknowledged_at is not None) if episode else line


def _reasons(
    row: OutboxMessage, firing: Sequence[AlertLine], episodes: dict[int, Episode], of_tenant: Suppressors
) -> dict[int, str]:
    """Why each episode need not be told now; those that must be are absent."""
    found = {line.episode_id: "acknowledged" for line in firing if line.is_acknowledged}
    if row.run_id is not None:
        found |= {line.episode_id: OVER for line in firing if episodes[line.episode_id].ended_at is not None}
    open_ = {line.alert_id: line.episode_id for line in firing if line.episode_id not in found}
    if open_:
        suppressor = of_tenant(row.team_id)
        for alert in Alert.objects.filter(pk__in=open_):
            if withheld := suppressor.of(alert):
                found[open_[alert.pk]] = withheld.words
    return found


def _note_withheld(row: OutboxMessage, firing: Sequence[AlertLine], reasons: dict[int, str], now: datetime) -> None:
    """In the history; and whoever was never told of an episode counts as not told, should it be released later."""
    Event.objects.bulk_create(
        Event(
            team_id=row.team_id,
            alert_id=line.alert_id,
            episode_id=line.episode_id,
            at=now,
            kind=EventKind.WITHHELD,
            note=f"{row.destination.receiver} by {row.destination.kind}: {reasons[line.episode_id]}",
        )
        for line in firing
    )
    if row.group_id is not None:
        _told(row, firing).filter(firing_attempted_at__isnull=True).delete()


def _begin(
    row: OutboxMessage,
    lines: Sequence[AlertLine],
    episodes: dict[int, Episode],
    now: datetime,
    told_group_id: int | None,
) -> Claim:
    firing = [line for line in lines if line.status == FIRING and line.episode_id in episodes]
    values: dict[str, Any] = {
        "id": row.pk,
        "now": now,
        "lease_until": now + LEASE,
        "kind": row.kind,
        "body": json.dumps(row.body),
        "group_id": row.group_id,
        "told_group_id": told_group_id,
        "queued_at": row.created_at,
        "destination_id": row.destination_id,
        "firing": [line.episode_id for line in firing],
        "unacknowledged": [line.episode_id for line in firing if not line.is_acknowledged],
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)
        found = cursor.fetchone()
    assert found is not None  # noqa: S101 the row is locked
    destination = row.destination
    message = _message(row, lines)
    is_personal = destination.contact_id is not None or destination.is_guarded
    return Claim(row.pk, found[0], found[1], destination.kind, destination.config, message, is_personal)


def _told(row: OutboxMessage, lines: Sequence[AlertLine]) -> Any:
    return Told.objects.filter(
        Q(group_id=row.group_id) & Q(destination_id=row.destination_id),
        episode_id__in=[line.episode_id for line in lines],
    )


def _message(row: OutboxMessage, lines: Sequence[AlertLine]) -> Message:
    body = Body.unpacked(row.body)
    return Message(
        key=row.key,
        kind=row.kind,
        tenant=tenants.of_team(row.team).slug,
        receiver=row.destination.receiver,
        group_key=body.group_key,
        group_labels=body.group_labels,
        alerts=tuple(replace(line, url=_address(line)) for line in lines),
        note=body.note,
        external_url=settings.BASE_URL.rstrip("/"),
        destination_id=row.destination_id,
        group_id=row.group_id,
        page_id=row.page_id,
        page=_page_note(row),
        accepted=tuple(row.body.get("accepted", ())),
    )


def _address(line: AlertLine) -> str:
    """Our page of an alert that is stored."""
    return f"{settings.BASE_URL.rstrip('/')}{reverse('alert', args=[line.alert_id])}" if line.alert_id else ""


def _page_note(row: OutboxMessage) -> PageNote | None:
    """Whom a page is for, with the link by which they acknowledge."""
    if row.kind != MessageKind.PAGE or row.page_id is None:
        return None
    page = Page.objects.select_related("person").filter(pk=row.page_id).first()
    if page is None:
        return None
    name = page.person.get_full_name() or page.person.username
    link = links.link(page.pk, page.person_id, page.at, page.quiet_until_at)
    return PageNote(name, page.why, links.address(link, settings.BASE_URL))
