"""What people do to alerts: acknowledge, assign, comment, resolve by hand. Each act is in the alert's history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from fleetledger.fleet.models import User
from monitoring.alerts import clock, states
from monitoring.alerts.errors import ConflictError, NotFoundError
from monitoring.alerts.escalation import assigned, runs
from monitoring.alerts.models import Alert, AlertState, Attempt, ChannelKind, EndedBy, Episode, Event, EventKind, Report

ON_ITS_WAY = timedelta(seconds=30)  # the lease of an attempt: what began longer ago has ended
MAX_COMMENT = 4000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, or a program by its token's name."""

    name: str
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """`alert_ids`: those that this call acknowledged. `on_their_way`: whom a message had begun to reach already."""

    at: datetime
    alert_ids: tuple[int, ...]
    on_their_way: tuple[str, ...]


def acknowledge(alert_ids: Iterable[int], actor: Actor, comment: str = "") -> Acknowledged:
    """Somebody has it: repeats and escalation of these episodes end. Once acknowledged it stays with the first.

    The episodes' rows are locked as a delivery locks them, so that no attempt begins after this commits.
    """
    with transaction.atomic():
        episodes = _open_episodes(alert_ids)
        now = clock.now()
        mine = [episode for episode in episodes if episode.acknowledged_at is None]
        for episode in mine:
            episode.acknowledged_at, episode.acknowledged_by = now, actor.user
            episode.first_acknowledged_at = episode.first_acknowledged_at or now
        Episode.objects.bulk_update(mine, ["acknowledged_at", "acknowledged_by", "first_acknowledged_at"])
        _note(mine, EventKind.ACKNOWLEDGED, actor, now, comment)
        runs.stop_acknowledged(mine, now)
        clock.ring()
        return Acknowledged(now, tuple(episode.alert_id for episode in mine), _on_their_way(episodes, now))


def unacknowledge(alert_ids: Iterable[int], actor: Actor, comment: str = "") -> tuple[int, ...]:
    """Nobody has it any more: repeats and escalation go on. Gives the alerts that had been acknowledged."""
    with transaction.atomic():
        now = clock.now()
        given = [episode for episode in _open_episodes(alert_ids) if episode.acknowledged_at is not None]
        for episode in given:
            episode.acknowledged_at = episode.acknowledged_by = None
        Episode.objects.bulk_update(given, ["acknowledged_at", "acknowledged_by"])
        _note(given, EventKind.ACKNOWLEDGED, actor, now, f"Taken back. {comment}".strip())
        runs.resume(given, now)
        clock.ring()
    return tuple(episode.alert_id for episode in given)


def assign(alert_id: int, to: User | None, actor: Actor, comment: str = "") -> None:
    """Give an open alert to a person, or to nobody; raises ConflictError where it is resolved.

    While it escalates and nobody has it, the person is paged; whoever takes it themselves needs no page.
    """
    with transaction.atomic():
        episode = _open_episode(alert_id)
        now = clock.now()
        is_news = to is not None and to.pk != episode.assigned_to_id
        episode.assigned_to = to
        episode.save(update_fields=["assigned_to"])
        words = f"to {to.username}" if to else "to nobody"
        _note([episode], EventKind.ASSIGNED, actor, now, f"{words}. {comment}".strip(" .") + ".")
        if to is not None and is_news and to != actor.user:
            assigned.page(episode, to, actor.name, now)


def comment(alert_id: int, text: str, actor: Actor) -> None:
    """Write a line into an alert's history, open or not; raises NotFoundError and ConflictError."""
    text = _storable(text)
    if not text:
        raise ConflictError("A comment has at least one word.")
    alert = Alert.objects.filter(pk=alert_id).first()
    if alert is None:
        raise NotFoundError("There is no such alert.")
    episode = alert.episodes.order_by("-number").first()
    Event.objects.create(
        team_id=alert.team_id,
        alert=alert,
        episode=episode,
        at=clock.now(),
        kind=EventKind.COMMENTED,
        actor=actor.name[:200],
        note=text,
    )


def resolve_by_hand(alert_ids: Iterable[int], actor: Actor, comment: str = "") -> tuple[int, ...]:
    """Resolve alerts for which nobody speaks any more. A sender that still says firing opens a new episode."""
    with transaction.atomic():
        found = Alert.objects.select_for_update(no_key=True).filter(pk__in=list(alert_ids))
        alerts = list(found.exclude(state=AlertState.RESOLVED).order_by("fingerprint"))
        now = clock.now()
        Report.objects.filter(alert__in=alerts, is_resolved=False).update(
            is_resolved=True, is_stale=False, ends_at=now, received_at=now
        )
        states.settle(alerts, now, ended_by=EndedBy.PERSON)
        for alert in alerts:
            said = _storable(f"Resolved by hand. {comment}")
            Event.objects.create(
                team_id=alert.team_id, alert=alert, at=now, kind=EventKind.COMMENTED, actor=actor.name[:200], note=said
            )
        clock.ring()
    return tuple(alert.pk for alert in alerts)


def _open_episodes(alert_ids: Iterable[int]) -> list[Episode]:
    """Locked, always in one order."""
    found = Episode.objects.select_for_update(no_key=True).filter(alert__in=list(alert_ids), ended_at__isnull=True)
    return list(found.order_by("pk"))


def _open_episode(alert_id: int) -> Episode:
    found = _open_episodes([alert_id])
    if not found:
        raise ConflictError("This alert is resolved: there is nothing to assign. Wait until it fires again.")
    return found[0]


def _on_their_way(episodes: Sequence[Episode], now: datetime) -> tuple[str, ...]:
    """The destinations of attempts that have begun and have no answer yet."""
    begun = Attempt.objects.filter(
        episodes__in=episodes, finished_at__isnull=True, sending_at__gt=now - ON_ITS_WAY
    ).select_related("message__destination")
    places = {attempt.message.destination for attempt in begun}
    return tuple(sorted(f"{place.receiver} by {ChannelKind(place.kind).label}" for place in places))


def _note(episodes: Sequence[Episode], kind: EventKind, actor: Actor, now: datetime, note: str) -> None:
    teams = dict(Alert.objects.filter(episodes__in=episodes).values_list("pk", "team_id")) if episodes else {}
    Event.objects.bulk_create(
        Event(
            team_id=teams[episode.alert_id],
            alert_id=episode.alert_id,
            episode=episode,
            at=now,
            kind=kind,
            actor=actor.name[:200],
            note=_storable(note),
        )
        for episode in episodes
    )


def _storable(text: str) -> str:
    """What the history keeps of what somebody wrote."""
    return text.replace("\x00", "").strip()[:MAX_COMMENT]
