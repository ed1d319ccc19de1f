"""Factories for tests of delivery: a tree whose receivers are real, messages, and what became of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from fleetledger.fleet.models import Team
from monitoring.alerts import claims, clock, flush, outbox, sweep, trees
from monitoring.alerts.claims import Claim
from monitoring.alerts.message import FIRING, RESOLVED, AlertLine, Body
from monitoring.alerts.models import Destination, MessageKind, MessageState, OutboxMessage
from monitoring.alerts.suppression import suppressors
from tests.alerts import world

_numbers = count(1)


def hook(url: str, name: str = "default", **more: Any) -> dict[str, Any]:
    """A receiver with one webhook; `more` beside its name, as fallback="x"."""
    return {"name": name, "webhook": [{"url": url}], **more}


def line(name: str = "Hot", status: str = FIRING, **more: Any) -> AlertLine:
    """A line of no stored alert."""
    values: dict[str, Any] = {
        "alert_id": 0,
        "episode_id": 0,
        "fingerprint": f"{next(_numbers):016x}",
        "labels": {"alertname": name, "severity": "warning", "instance": "node-a"},
        "annotations": {"summary": f"{name} it is"},
        "starts_at": world.START,
        "ends_at": world.START + timedelta(minutes=5) if status == RESOLVED else None,
        "generator_url": "http://prometheus:9090/graph?g0.expr=x",
    }
    return AlertLine(**values | {"status": status} | more)


def destination(receiver: str = "default", team: Team | None = None, place: int = 0) -> Destination:
    """A place of a receiver of the tree in force."""
    tree = trees.tree_for(team.pk if team else None)
    return trees.destinations(tree.tree_id, receiver)[place]


def queue(
    to: Destination | None = None,
    kind: MessageKind = MessageKind.FIRING,
    lines: Sequence[AlertLine] | None = None,
    *,
    team: Team | None = None,
    key: str = "",
) -> OutboxMessage:
    """A message of no group."""
    row = outbox.enqueue(
        team_id=team.pk if team else None,
        destination=to or destination(team=team),
        kind=kind,
        body=Body(tuple(lines if lines is not None else [line()]), group_key='{}:{alertname="Hot"}'),
        dedupe_key=key or f"test:{next(_numbers)}",
        now=clock.now(),
    )
    assert row is not None
    return row


def look_until(seconds: float) -> None:
    """Look at groups and reports at each due instant until START + seconds; nothing is sent."""
    end = world.after(seconds)
    while (due_at := flush.next_due()) is not None and due_at <= end:
        now = world.set_clock(max(due_at, clock.now()))
        sweep.sweep(now)
        flush.flush_due(now)
    world.set_clock(end)


def states() -> list[str]:
    """The states of all messages, in the order in which they were queued."""
    return list(OutboxMessage.objects.order_by("pk").values_list("state", flat=True))


def notes(kind: str, name: str = "Hot") -> list[str]:
    """What the history of an alert says under one kind."""
    events = world.alert(name).events.filter(kind=kind).order_by("pk")
    return list(events.values_list("note", flat=True))


def said(told: Mapping[str, Any]) -> list[str]:
    """A webhook's alerts as status:name."""
    return [f"{alert['status']}:{alert['labels']['alertname']}" for alert in told["alerts"]]


SENT, DEAD, QUEUED = MessageState.SENT.value, MessageState.DEAD.value, MessageState.QUEUED.value


def take(row: OutboxMessage) -> Claim | None:
    return claims.claim(row.pk, suppressors(clock.now()))


def only() -> OutboxMessage:
    return OutboxMessage.objects.get()
