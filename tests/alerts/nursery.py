"""Raises notifiers by fork, so that one starts in a blink and a test can kill them by the dozen; and fills the outbox.

A process of its own, told what to do by lines of JSON on stdin: {"do": "start"} gives {"pid": ...}.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleetledger.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402 after the settings are there

from fleetledger.fleet.models import User  # noqa: E402
from monitoring.alerts import clock, ingest, notifier, outbox, trees  # noqa: E402
from monitoring.alerts.message import FIRING, AlertLine, Body  # noqa: E402
from monitoring.alerts.models import (  # noqa: E402
    Alert,
    AlertState,
    Attempt,
    Clock,
    ContactMethod,
    Destination,
    Episode,
    Escalation,
    Group,
    MessageKind,
    OutboxMessage,
    Page,
    Run,
    Told,
)
from monitoring.alerts.sources.posted import Posted  # noqa: E402
from monitoring.alerts.tenants import PLATFORM  # noqa: E402


def start() -> dict[str, Any]:
    """A notifier that ends with us, or by a signal."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        ending = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ending.set())
        try:
            notifier.run(ending, notifier.Steps(evaluate=None, ping=None, beside={}))
        finally:
            os._exit(0)
    return {"pid": pid}


def configure(receivers: list[dict[str, Any]]) -> dict[str, Any]:
    trees.store(None, {"receiver": receivers[0]["name"]}, receivers, (), clock.now())
    return {}


def fill(receiver: str, first: int, count: int) -> dict[str, Any]:
    """Queue notifications of one new alert each, once however often it is asked; gives their keys."""
    tree = trees.tree_for(None)
    (destination,) = trees.destinations(tree.tree_id, receiver)
    return {"keys": [_fill_one(destination, number) for number in range(first, first + count)]}


@transaction.atomic
def _fill_one(destination: Destination, number: int) -> str:
    name = f"chaos:{destination.pk}:{number}"
    if known := OutboxMessage.objects.filter(dedupe_key=name).first():
        return str(known.key)
    now = clock.now()
    labels = {"alertname": "Hot", "number": str(number), "receiver": destination.receiver}
    alert = Alert.objects.create(
        fingerprint=f"{number:08x}{destination.pk:08x}",
        name="Hot",
        labels=labels,
        state=AlertState.FIRING,
        starts_at=now,
        changed_at=now,
    )
    episode = Episode.objects.create(alert=alert, number=1, started_at=now, opened_at=now)
    group = Group.objects.create(
        key=alert.fingerprint,
        route="{}",
        receiver=destination.receiver,
        labels=labels,
        group_interval_s=300,
        repeat_interval_s=3600,
    )
    Told.objects.create(group=group, destination=destination, episode=episode, firing_queued_at=now)
    line = AlertLine(alert.pk, episode.pk, alert.fingerprint, FIRING, labels, {}, now)
    row = outbox.enqueue(
        team_id=None,
        destination=destination,
        kind=MessageKind.FIRING,
        body=Body((line,), group_labels=labels),
        dedupe_key=name,
        now=now,
        group=group,
    )
    assert row is not None
    return str(row.key)


def escalate(url: str, alerts: int, steps: int) -> dict[str, Any]:
    """Alerts that nobody acknowledges, each in a group and a run of its own, with a step for mira every second."""
    now = clock.now()
    mira = User.objects.create(username="mira", email="mira@example.org")
    method = ContactMethod.objects.create(user=mira, kind="webhook", label="Phone", created_at=now, verified_at=now)
    Destination.objects.create(contact=method, receiver="mira", kind="webhook", config={"url": url})
    Escalation.objects.create(name="chaos", steps=[{"person": "mira"}, {"wait": "1s"}] * steps)
    route = {"receiver": "none", "group_by": ["..."], "group_wait": "0s", "escalation": "chaos"}
    trees.store(None, route, [{"name": "none"}], (), now)
    posted = [Posted({"alertname": "Hot", "gpu": str(number)}, {}, now, None) for number in range(alerts)]
    ingest.receive(PLATFORM, "chaos", posted)
    return {}


def tell_pages() -> dict[str, Any]:
    """Every page that was written, by run and step, with the keys of its messages; and what is still to be done."""
    pages = Page.objects.order_by("pk").values_list("run_id", "done__round", "done__step", "messages__key")
    return {
        "pages": [f"{run}:{round_}.{step}" for run, round_, step, _ in pages],
        "keys": [str(key) for *_, key in pages],
        "going": Run.objects.filter(due_at__isnull=False).count(),
        "runs": Run.objects.count(),
        "waiting": OutboxMessage.objects.filter(state="queued").count(),
    }


def pass_time(seconds: float) -> dict[str, Any]:
    """Shift the clock of alerting: leases of the killed run out."""
    known = Clock.objects.filter(pk=1).first()
    shift = timedelta(seconds=seconds) + (known.shift if known and known.shift else timedelta())
    Clock.objects.update_or_create(pk=1, defaults={"shift": shift})
    return {}


def tell() -> dict[str, Any]:
    """How everything stands."""
    rows = OutboxMessage.objects.order_by("pk")
    return {
        "states": list(rows.values_list("state", flat=True)),
        "keys": [str(key) for key in rows.values_list("key", flat=True)],
        "attempts": Attempt.objects.count(),
        "delivered": Told.objects.exclude(firing_delivered_at=None).count(),
        "waiting": rows.filter(state="queued").count(),
    }


ACTS: dict[str, Callable[..., dict[str, Any]]] = {
    "start": start,
    "configure": configure,
    "fill": fill,
    "escalate": escalate,
    "tell_pages": tell_pages,
    "pass_time": pass_time,
    "tell": tell,
}


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    for line in sys.stdin:
        wish = json.loads(line)
        try:
            answer = ACTS[wish.pop("do")](**wish)
        except Exception as error:  # noqa: BLE001 the test reads it
            connection.close()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
