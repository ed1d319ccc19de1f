"""Alerting's clock for tests, and factories on top of tests.world."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fleetledger.fleet.models import Team
from monitoring.alerts import clock, flush, grouping, ingest, sweep, trees
from monitoring.alerts.labels import fingerprint
from monitoring.alerts.message import AlertLine, Body
from monitoring.alerts.models import Alert, Clock, Episode, Event, IntakeSpan, MessageState, OutboxMessage, Told
from monitoring.alerts.sources.posted import Posted
from monitoring.alerts.tenants import PLATFORM, Tenant, of_team

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
QUICK: dict[str, Any] = {
    "receiver": "default",
    "group_by": ["alertname"],
    "group_wait": "2s",
    "group_interval": "5s",
    "repeat_interval": "20s",
}
HOOK: dict[str, Any] = {"name": "default", "webhook": [{"url": "http://127.0.0.1:9/x"}]}
PROM = "fl_token http://prometheus:9090"


def set_clock(at: datetime = START) -> datetime:
    """Stop `app_now()` at an instant, for every process on this database."""
    Clock.objects.update_or_create(id=1, defaults={"fixed_at": at, "shift": None})
    return at


def advance(seconds: float) -> datetime:
    """Move a clock that was stopped."""
    clock_row = Clock.objects.get(id=1)
    assert clock_row.fixed_at is not None
    return set_clock(clock_row.fixed_at + timedelta(seconds=seconds))


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tenant(team: Team | None = None) -> Tenant:
    return of_team(team) if team else PLATFORM


def tree(
    team: Team | None = None,
    route: Mapping[str, Any] = QUICK,
    receivers: Sequence[Mapping[str, Any]] = (HOOK,),
    inhibit_rules: Sequence[Mapping[str, Any]] = (),
    time_intervals: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Apply a tree for a tenant as the configuration would."""
    team_id = team.pk if team else None
    trees.store(team_id, route, receivers, inhibit_rules, clock.now(), time_intervals=time_intervals)
    grouping.regroup(trees.followers(team_id))


def post(
    name: str = "Hot",
    *,
    team: Team | None = None,
    sender: str = PROM,
    start: datetime | None = None,
    end: datetime | None = None,
    annotations: Mapping[str, str] | None = None,
    **labels: str,
) -> str:
    """Report one alert as Prometheus does, firing for four minutes unless `end` is given; gives its fingerprint."""
    now = clock.now()
    all_labels = {"alertname": name, **labels}
    ends_at = end or now + timedelta(minutes=4)
    ingest.receive(tenant(team), sender, [Posted(all_labels, dict(annotations or {}), start or now, ends_at)])
    return fingerprint(all_labels)


def resolve(name: str = "Hot", *, team: Team | None = None, sender: str = PROM, **labels: str) -> None:
    """Report that an alert ended now."""
    now = clock.now()
    known = alert(name, team=team, **labels)
    ingest.receive(
        tenant(team), sender, [Posted({"alertname": name, **labels}, known.annotations, known.starts_at, now)]
    )


def alert(name: str = "Hot", *, team: Team | None = None, **labels: str) -> Alert:
    return Alert.objects.get(team=team, fingerprint=fingerprint({"alertname": name, **labels}))


def episodes(name: str = "Hot", **labels: str) -> list[Episode]:
    return list(alert(name, team=None, **labels).episodes.order_by("number"))


def history(name: str = "Hot", **labels: str) -> list[str]:
    """The kinds of an alert's events, in their order."""
    return list(
        Event.objects.filter(alert=alert(name, team=None, **labels)).order_by("id").values_list("kind", flat=True)
    )


def run_until(seconds: float) -> None:
    """Let the notifier's eye pass over groups and reports, at each due instant, until START + seconds."""
    end = after(seconds)
    while True:
        due = flush.next_due()
        if due is None or due > end:
            break
        now = set_clock(max(due, clock.now()))
        _look(now)
    _look(set_clock(end))


def _look(now: datetime) -> None:
    """What the notifier does at one instant; every message arrives."""
    sweep.sweep(now)
    flush.flush_due(now)
    Told.objects.filter(firing_attempted_at=None).update(firing_attempted_at=now, firing_delivered_at=now)
    OutboxMessage.objects.filter(state=MessageState.QUEUED).update(state=MessageState.SENT, finished_at=now)


def queued() -> list[tuple[float, str, list[str]]]:
    """Every message that was queued: (seconds since START, kind, its alerts as status:name)."""
    found = []
    for row in OutboxMessage.objects.order_by("id"):
        lines = Body.unpacked(row.body).alerts
        found.append(((row.created_at - START).total_seconds(), str(row.kind), [_said(line) for line in lines]))
    return found


def intake_was_up(since: float = -3600, until: float = 36_000) -> None:
    """Say that this stretch had a web process that could take alerts."""
    IntakeSpan.objects.create(instance="test", from_at=after(since), until_at=after(until))


def _said(line: AlertLine) -> str:
    told = line.labels.get("gpu") or line.labels["alertname"]
    return f"{line.status}:{told}"
