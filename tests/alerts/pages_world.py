"""Alerts as they lie in the database, made by hand: what pages and the API are shown."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.models import Team
from monitoring.alerts.labels import fingerprint
from monitoring.alerts.models import (
    Alert,
    AlertState,
    Attempt,
    Destination,
    Episode,
    Event,
    EventKind,
    Group,
    GroupMember,
    MessageKind,
    MessageState,
    OutboxMessage,
    Report,
    Sender,
    Told,
    Tree,
)
from tests.alerts.world import START


def alert(
    name: str = "GpuIdle",
    *,
    team: Team | None = None,
    state: str = AlertState.FIRING,
    since: datetime = START - timedelta(minutes=30),
    annotations: Mapping[str, str] | None = None,
    generator_url: str = "",
    episode: Mapping[str, Any] | None = None,
    **labels: str,
) -> Alert:
    """An alert with the episode that its state asks for, and the event with which it began."""
    known = {"alertname": name, "severity": "warning", **labels}
    is_over = state == AlertState.RESOLVED
    ended_at = since + timedelta(minutes=10) if is_over else None
    made = Alert.objects.create(
        team=team,
        fingerprint=fingerprint(known),
        name=name,
        severity=known["severity"],
        labels=known,
        annotations=dict(annotations or {"summary": f"{name} of {known.get('node', 'a node')}"}),
        generator_url=generator_url,
        state=state,
        starts_at=since,
        ended_at=ended_at,
        changed_at=ended_at or since,
    )
    one = Episode.objects.create(
        alert=made,
        number=1,
        started_at=since,
        opened_at=since,
        ended_at=ended_at,
        ended_by="sender" if is_over else "",
        **(episode or {}),
    )
    Event.objects.create(team=team, alert=made, episode=one, at=since, kind=EventKind.FIRED)
    return made


def sender(key: str = "http://prometheus:9090", *, team: Team | None = None, at: datetime = START) -> Sender:
    return Sender.objects.get_or_create(
        team=team, key=key, defaults={"first_seen_at": at, "last_seen_at": at, "streak_at": at}
    )[0]


def report(of: Alert, by: Sender, **fields: Any) -> Report:
    values: dict[str, Any] = {"starts_at": of.starts_at, "ends_at": START, "received_at": START, "times": 3, **fields}
    return Report.objects.create(alert=of, sender=by, **values)


def destination(
    receiver: str = "sre", kind: str = "webhook", *, team: Team | None = None, **fields: Any
) -> Destination:
    """A place that a receiver tells, on the tenant's tree, made where there is none."""
    document = {"receiver": receiver, "group_by": ["alertname"], "routes": []}
    named = [{"name": receiver, kind: [{"url": "http://receiver.example.org/hook"}]}]
    tree = Tree.objects.get_or_create(team=team, defaults={"route": document, "receivers": named, "applied_at": START})[
        0
    ]
    config = fields.pop("config", {"url": "http://receiver.example.org/hook"})
    return Destination.objects.create(tree=tree, receiver=receiver, kind=kind, config=config, **fields)


def message(to: Destination, of: Alert, *, state: str = MessageState.SENT, **fields: Any) -> OutboxMessage:
    """A message that tells `of` as firing, with one attempt where it was sent or refused."""
    group = Group.objects.get_or_create(
        team=of.team,
        key=f"key-{of.name}",
        defaults={
            "route": "{}",
            "receiver": to.receiver,
            "labels": {"alertname": of.name},
            "group_interval_s": 300,
            "repeat_interval_s": 14_400,
        },
    )[0]
    GroupMember.objects.get_or_create(group=group, alert=of)
    episode = of.episodes.get()
    is_over = state != MessageState.QUEUED
    made = OutboxMessage.objects.create(
        team=of.team,
        destination=to,
        group=group,
        kind=MessageKind.FIRING,
        dedupe_key=f"{group.pk}-{to.pk}-{of.pk}-{OutboxMessage.objects.count()}",
        body={"note": "", "group_key": "{}", "group_labels": {"alertname": of.name}, "alerts": [_line(of, episode)]},
        created_at=START,
        due_at=START,
        state=state,
        finished_at=START if is_over else None,
        tries=1 if is_over else 0,
        **fields,
    )
    if state in (MessageState.SENT, MessageState.DEAD):
        _attempt(made, episode, is_delivered=state == MessageState.SENT)
    return made


def _attempt(made: OutboxMessage, episode: Episode, *, is_delivered: bool) -> None:
    tried = Attempt.objects.create(
        message=made,
        fence=1,
        sending_at=START,
        finished_at=START,
        is_delivered=is_delivered,
        status=200 if is_delivered else 404,
        answer="ok" if is_delivered else "no such hook",
    )
    tried.episodes.add(episode)
    assert made.group is not None
    Told.objects.create(
        group=made.group,
        destination=made.destination,
        episode=episode,
        firing_queued_at=START,
        firing_attempted_at=START,
        firing_delivered_at=START if is_delivered else None,
    )


def _line(of: Alert, episode: Episode) -> dict[str, Any]:
    return {
        "alert_id": of.pk,
        "episode_id": episode.pk,
        "fingerprint": of.fingerprint,
        "status": "firing",
        "labels": of.labels,
        "annotations": of.annotations,
        "starts_at": of.starts_at.isoformat(),
        "ends_at": None,
        "generator_url": of.generator_url,
        "is_acknowledged": False,
        "is_stale": False,
    }
