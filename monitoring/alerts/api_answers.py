"""The shapes of alerting's API answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.alerts.reads import AlertRow
from monitoring.alerts.reads_alert import AlertDetail, EpisodeRow, Happening, Holding, SenderWord, WasTold
from monitoring.alerts.reads_deliveries import Delivery, DeliveryDetail, Try
from monitoring.alerts.reads_groups import AlertGroup
from monitoring.alerts.reads_quiet import Quiet
from monitoring.alerts.reads_routing import Place, Way
from monitoring.alerts.reads_rules import HeartbeatRow, RuleRow


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """An alert as it is now. `team` null is the platform's own; `state` is firing, unknown or resolved."""

    id: int
    fingerprint: str
    name: str
    severity: str
    team: str | None
    state: str
    withheld: bool
    flapping: bool
    started_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    assigned_to: str
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str

    @classmethod
    def of(cls, row: AlertRow) -> "AlertAnswer":
        return cls(
            row.id,
            row.fingerprint,
            row.name,
            row.severity,
            row.team,
            row.state,
            row.is_withheld,
            row.is_flapping,
            row.started_at,
            row.changed_at,
            row.ended_at,
            row.acknowledged_at,
            row.acknowledged_by,
            row.assigned_to,
            row.summary,
            row.labels,
            row.annotations,
            row.generator_url,
        )


@dataclass(frozen=True, slots=True)
class AlertDetailAnswer:
    """An alert with its senders, what withholds it, who was told, its timeline and its episodes, the latest first."""

    alert: AlertAnswer
    runbook_url: str
    senders: tuple[SenderWord, ...]
    withheld_by: tuple[Holding, ...]
    told: tuple[WasTold, ...]
    timeline: tuple[Happening, ...]
    episodes: tuple[EpisodeRow, ...]

    @classmethod
    def of(cls, found: AlertDetail) -> "AlertDetailAnswer":
        return cls(
            alert=AlertAnswer.of(found.row),
            runbook_url=found.runbook_url,
            senders=found.senders,
            withheld_by=found.holdings,
            told=found.told,
            timeline=found.timeline,
            episodes=found.episodes,
        )


@dataclass(frozen=True, slots=True)
class ActAnswer:
    """What an act did: the alert as it is afterwards, and whom a message had begun to reach before."""

    alert: AlertAnswer
    changed: bool
    already_on_its_way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """Open alerts with a value in common. `alerts` are the first five of `count`."""

    key: str
    count: int
    firing: int
    unknown: int
    acknowledged: int
    withheld: int
    oldest_at: datetime
    alerts: tuple[AlertAnswer, ...]

    @classmethod
    def of(cls, group: AlertGroup) -> "GroupAnswer":
        return cls(
            group.key,
            group.count,
            group.firing,
            group.unknown,
            group.acknowledged,
            group.withheld,
            group.oldest_at,
            tuple(map(AlertAnswer.of, group.alerts)),
        )


@dataclass(frozen=True, slots=True)
class MatcherAnswer:
    """As Alertmanager's API has it."""

    name: str
    value: str
    isRegex: bool  # noqa: N815 Alertmanager's word
    isEqual: bool  # noqa: N815 Alertmanager's word


@dataclass(frozen=True, slots=True)
class SilenceAnswer:
    """`state` is active, pending or expired; `withholds` open alerts now, null where it is not in force."""

    id: str
    team: str | None
    state: str
    matchers: tuple[MatcherAnswer, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime | None
    withholds: int | None

    @classmethod
    def of(cls, row: Quiet) -> "SilenceAnswer":
        return cls(
            str(row.id),
            row.team,
            row.state,
            matchers(row.matchers),
            row.starts_at,
            row.ends_at,
            row.created_by,
            row.comment,
            row.updated_at,
            row.withholds,
        )


@dataclass(frozen=True, slots=True)
class MaintenanceAnswer:
    """Planned work, which withholds as a silence does."""

    id: str
    team: str | None
    name: str
    state: str
    matchers: tuple[MatcherAnswer, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    withholds: int | None

    @classmethod
    def of(cls, row: Quiet) -> "MaintenanceAnswer":
        return cls(
            str(row.id),
            row.team,
            row.name,
            row.state,
            matchers(row.matchers),
            row.starts_at,
            row.ends_at,
            row.created_by,
            row.comment,
            row.withholds,
        )


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """A message for one destination. `key` is its Idempotency-Key, equal on each try."""

    id: int
    key: str
    team: str | None
    receiver: str
    channel: str
    kind: str
    state: str
    alerts: int
    title: str
    tries: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    last_error: str
    fallback_at: datetime | None

    @classmethod
    def of(cls, row: Delivery) -> "DeliveryAnswer":
        return cls(
            row.id,
            str(row.key),
            row.team,
            row.receiver,
            row.channel,
            row.kind,
            row.state,
            row.alerts,
            row.title,
            row.tries,
            row.created_at,
            row.due_at,
            row.finished_at,
            row.last_error,
            row.fallback_at,
        )


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """An alert in a message, as it was when the message was queued."""

    alert: int
    fingerprint: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryDetailAnswer:
    """A message with its alerts and attempts."""

    delivery: DeliveryAnswer
    group_key: str
    group_labels: dict[str, str]
    note: str
    alerts: tuple[ToldAnswer, ...]
    attempts: tuple[Try, ...]

    @classmethod
    def of(cls, found: DeliveryDetail) -> "DeliveryDetailAnswer":
        return cls(
            delivery=DeliveryAnswer.of(found.delivery),
            group_key=found.group_key,
            group_labels=dict(found.group_labels),
            note=found.note,
            alerts=tuple(
                ToldAnswer(
                    line.alert_id,
                    line.fingerprint,
                    line.status,
                    dict(line.labels),
                    dict(line.annotations),
                    line.starts_at,
                    line.ends_at,
                )
                for line in found.lines
            ),
            attempts=found.attempts,
        )


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """A rule that we evaluate. `state`: firing, pending, inactive, failing, waiting (not evaluated yet) or disabled."""

    id: int
    team: str | None
    name: str
    kind: str
    source: str | None
    expr: str
    fact: str
    for_seconds: float
    keep_firing_for_seconds: float
    interval_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]
    enabled: bool
    state: str
    pending: int
    firing: int
    evaluated_at: datetime | None
    duration_seconds: float | None
    last_error: str

    @classmethod
    def of(cls, row: RuleRow) -> "RuleAnswer":
        return cls(
            row.id,
            row.team,
            row.name,
            row.kind,
            row.source,
            row.expr,
            row.fact,
            row.for_s,
            row.keep_firing_for_s,
            row.interval_s,
            row.labels,
            row.annotations,
            row.is_enabled,
            row.state,
            row.pending,
            row.firing,
            row.evaluated_at,
            row.duration_s,
            row.last_error,
        )


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    """`state`: alive, late, missed or waiting (never called). `url` is told to those who may act for its team."""

    id: int
    team: str | None
    name: str
    state: str
    interval_seconds: float
    grace_seconds: float
    last_at: datetime | None
    due_at: datetime
    url: str | None

    @classmethod
    def of(cls, row: HeartbeatRow, url: str | None) -> "HeartbeatAnswer":
        return cls(row.id, row.team, row.name, row.state, row.interval_s, row.grace_s, row.last_at, row.due_at, url)


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """A receiver of a tenant's tree with the places that it tells and their health."""

    team: str | None
    name: str
    fallback: str | None
    destinations: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class RouteTestAnswer:
    """Where an alert would go; `deliveries` are the test messages, where sending was asked for."""

    labels: dict[str, str]
    routes: tuple[Way, ...]
    deliveries: tuple[int, ...]


def matchers(stored: Sequence[dict[str, Any]]) -> tuple[MatcherAnswer, ...]:
    return tuple(
        MatcherAnswer(item["name"], item["value"], item["isRegex"], item.get("isEqual", True)) for item in stored
    )
