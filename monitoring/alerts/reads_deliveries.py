"""What was to be told: messages of the outbox with their tries and answers, within the reader's teams."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.message import AlertLine, Body
from monitoring.alerts.models import Attempt, ChannelKind, MessageKind, MessageState, OutboxMessage
from monitoring.alerts.reads import newest_first, of_team, visible

CHUNK = 500
WINDOW = timedelta(hours=24)  # of the sums on the page


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """`team` is a slug or "platform"; empty parts filter nothing."""

    state: str = ""
    kind: str = ""
    channel: str = ""
    receiver: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one destination. `key` is its Idempotency-Key, `alerts` how many it tells of."""

    id: int
    key: UUID
    team: str | None
    receiver: str
    channel: str
    kind: str
    state: str
    state_words: str
    alerts: int
    title: str
    tries: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    last_error: str
    fallback_at: datetime | None


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: when its first byte was about to leave, and what came back."""

    number: int
    sending_at: datetime
    finished_at: datetime | None
    is_delivered: bool
    status: int | None
    answer: str

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.sending_at if self.finished_at else None


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A message with its attempts and what it says."""

    delivery: Delivery
    group_key: str
    group_labels: Mapping[str, str]
    note: str
    lines: tuple[AlertLine, ...]
    attempts: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the last day: how many of each fate. `waiting` of any age."""

    waiting: int = 0
    sent: int = 0
    dead: int = 0
    withheld: int = 0
    superseded: int = 0
    dropped: int = 0


def deliveries(wanted: DeliveryFilter, cut: Cut, number: int | None, *, teams: TeamScope) -> list[Delivery]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    return [_delivery(row) for row in newest_first(_rows(wanted, teams), cut, number)]


def every_delivery(wanted: DeliveryFilter, *, teams: TeamScope) -> Iterator[Delivery]:
    for row in _rows(wanted, teams).order_by("-pk").iterator(chunk_size=CHUNK):
        yield _delivery(row)


def some_deliveries(ids: Collection[int], *, teams: TeamScope) -> list[Delivery]:
    """Those of these messages that the reader may see."""
    return [_delivery(row) for row in _rows(DeliveryFilter(), teams).filter(pk__in=ids).order_by("pk")]


def delivery(message_id: int, *, teams: TeamScope) -> DeliveryDetail | None:
    """None where there is none, or none for this reader."""
    row = _rows(DeliveryFilter(), teams).filter(pk=message_id).first()
    if row is None:
        return None
    body = Body.unpacked(row.body)
    attempts = Attempt.objects.filter(message=message_id).order_by("fence")
    return DeliveryDetail(
        delivery=_delivery(row),
        group_key=body.group_key,
        group_labels=body.group_labels,
        note=body.note,
        lines=body.alerts,
        attempts=tuple(
            Try(
                number=place,
                sending_at=each.sending_at,
                finished_at=each.finished_at,
                is_delivered=each.is_delivered,
                status=each.status,
                answer=each.answer,
            )
            for place, each in enumerate(attempts, 1)
        ),
    )


def sums(*, teams: TeamScope, at: datetime) -> Sums:
    queued = OutboxMessage.objects.filter(visible(teams), state=MessageState.QUEUED).count()
    recent = OutboxMessage.objects.filter(visible(teams), created_at__gt=at - WINDOW)
    states = [MessageState.SENT, MessageState.DEAD, MessageState.WITHHELD, MessageState.SUPERSEDED]
    counted = recent.aggregate(
        **{str(state.value): Count("pk", filter=Q(state=state)) for state in [*states, MessageState.DROPPED]}
    )
    return Sums(waiting=queued, **counted)


def receivers(*, teams: TeamScope) -> tuple[str, ...]:
    """The receivers that have messages."""
    names = OutboxMessage.objects.filter(visible(teams)).values_list("destination__receiver", flat=True)
    return tuple(names.order_by("destination__receiver").distinct())


def _rows(wanted: DeliveryFilter, teams: TeamScope) -> QuerySet[OutboxMessage]:
    rows = OutboxMessage.objects.filter(visible(teams), of_team(wanted.team)).select_related("destination", "team")
    chosen: dict[str, Any] = {
        "state": wanted.state,
        "kind": wanted.kind,
        "destination__kind": wanted.channel,
        "destination__receiver": wanted.receiver,
    }
    return rows.filter(**{name: value for name, value in chosen.items() if value})


def _delivery(row: OutboxMessage) -> Delivery:
    lines = row.body.get("alerts", [])
    return Delivery(
        id=row.pk,
        key=row.key,
        team=row.team.slug if row.team else None,
        receiver=row.destination.receiver,
        channel=str(ChannelKind(row.destination.kind).label),
        kind=row.kind,
        state=row.state,
        state_words=str(MessageState(row.state).label),
        alerts=len(lines),
        title=_title(row, lines),
        tries=row.tries,
        created_at=row.created_at,
        due_at=row.due_at,
        finished_at=row.finished_at,
        last_error=row.last_error,
        fallback_at=row.fallback_at,
    )


def _title(row: OutboxMessage, lines: list[Mapping[str, Any]]) -> str:
    """What the message is about: its alerts' names, else its kind."""
    names = sorted({str(line.get("labels", {}).get("alertname", "")) for line in lines} - {""})
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "") or str(MessageKind(row.kind).label)  # noqa: PLR2004
