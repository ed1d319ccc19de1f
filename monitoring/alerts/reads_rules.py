"""What we evaluate ourselves: rules with their instances, and heartbeats, within the reader's teams."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.models import Heartbeat, Rule, RuleInstance
from monitoring.alerts.reads import of_team, visible

LIMIT = 10_000
INSTANCES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is now. `state`: firing, pending, inactive, failing, waiting (never evaluated) or disabled."""

    id: int
    team: str | None
    name: str
    kind: str
    source: str | None
    expr: str
    fact: str
    for_s: float
    keep_firing_for_s: float
    interval_s: float
    labels: dict[str, Any]
    annotations: dict[str, Any]
    is_enabled: bool
    state: str
    pending: int
    firing: int
    evaluated_at: datetime | None
    duration_s: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One set of labels for which a rule holds. `state` is pending or firing."""

    rule: str
    team: str | None
    state: str
    labels: dict[str, str]
    value: float | None
    active_at: datetime
    fired_at: datetime | None
    keep_until: datetime | None
    for_s: float

    @property
    def fires_at(self) -> datetime:
        """When a pending one will fire, if it goes on."""
        return self.active_at + timedelta(seconds=self.for_s)


@dataclass(frozen=True, slots=True)
class HeartbeatRow:
    """An address that must be called. `state`: alive, late, missed or waiting (never called)."""

    id: int
    team_id: int | None
    team: str | None
    name: str
    state: str
    interval_s: float
    grace_s: float
    last_at: datetime | None
    due_at: datetime
    key: str = field(repr=False, default="")


def rules(*, teams: TeamScope, team: str = "") -> tuple[RuleRow, ...]:
    """Every rule, those in trouble and those that fire first."""
    firing = Q(instances__fired_at__isnull=False)
    rows = (
        Rule.objects.filter(visible(teams), of_team(team))
        .select_related("team", "source")
        .annotate(firing=Count("instances", filter=firing), pending=Count("instances", filter=~firing))
        .order_by("name", "pk")[:LIMIT]
    )
    order = ("failing", "firing", "pending", "waiting", "inactive", "disabled")
    found = [_rule(row, row.pending, row.firing) for row in rows]
    return tuple(sorted(found, key=lambda rule: (order.index(rule.state), rule.name)))


def instances(*, teams: TeamScope, rule: str = "", pending_only: bool = False) -> tuple[InstanceRow, ...]:
    """What rules see, what began last first; the first hundred."""
    rows = RuleInstance.objects.filter(visible(teams), rule__is_enabled=True)
    if rule:
        rows = rows.filter(rule__name=rule)
    if pending_only:
        rows = rows.filter(fired_at__isnull=True)
    shown = rows.select_related("rule", "team").order_by("-active_at", "pk")[:INSTANCES_SHOWN]
    return tuple(
        InstanceRow(
            rule=row.rule.name,
            team=row.team.slug if row.team else None,
            state="firing" if row.fired_at else "pending",
            labels=row.labels,
            value=row.value,
            active_at=row.active_at,
            fired_at=row.fired_at,
            keep_until=row.keep_until,
            for_s=row.rule.for_s,
        )
        for row in shown
    )


def heartbeats(*, teams: TeamScope, at: datetime, team: str = "") -> tuple[HeartbeatRow, ...]:
    rows = Heartbeat.objects.filter(visible(teams), of_team(team)).select_related("team").order_by("name", "pk")
    return tuple(_heartbeat(row, at) for row in rows[:LIMIT])


def heartbeat(heartbeat_id: int, *, teams: TeamScope, at: datetime) -> HeartbeatRow | None:
    row = Heartbeat.objects.filter(visible(teams), pk=heartbeat_id).select_related("team").first()
    return _heartbeat(row, at) if row else None


def _rule(row: Rule, pending: int, firing: int) -> RuleRow:
    return RuleRow(
        id=row.pk,
        team=row.team.slug if row.team else None,
        name=row.name,
        kind=row.kind,
        source=row.source.name if row.source else None,
        expr=row.expr,
        fact=row.fact,
        for_s=row.for_s,
        keep_firing_for_s=row.keep_firing_for_s,
        interval_s=row.interval_s,
        labels=row.labels,
        annotations=row.annotations,
        is_enabled=row.is_enabled,
        state=_state(row, pending, firing),
        pending=pending,
        firing=firing,
        evaluated_at=row.evaluated_at,
        duration_s=row.duration_s,
        last_error=row.last_error,
    )


def _state(row: Rule, pending: int, firing: int) -> str:
    if not row.is_enabled:
        return "disabled"
    if row.last_error:
        return "failing"
    if row.evaluated_at is None:
        return "waiting"
    return "firing" if firing else "pending" if pending else "inactive"


def _heartbeat(row: Heartbeat, at: datetime) -> HeartbeatRow:
    due_at = (row.last_at or row.created_at) + timedelta(seconds=row.interval_s)
    missed_at = due_at + timedelta(seconds=row.grace_s)
    state = "missed" if at >= missed_at else "late" if at >= due_at else "alive" if row.last_at else "waiting"
    return HeartbeatRow(
        id=row.pk,
        team_id=row.team_id,
        team=row.team.slug if row.team else None,
        name=row.name,
        state=state,
        interval_s=row.interval_s,
        grace_s=row.grace_s,
        last_at=row.last_at,
        due_at=due_at,
        key=row.key,
    )
