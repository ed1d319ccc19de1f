"""The shapes of the API's answers about incidents."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from monitoring.availability.incidents.impact import Impact
from monitoring.availability.incidents.rows import Detail, FollowUpRow, IncidentRow, Line, PostmortemRow

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class IncidentAnswer:
    """An incident. `team` null is the platform's own; `state` is open, mitigated or resolved."""

    id: int
    team: str | None
    title: str
    severity: str
    state: str
    opened_at: datetime
    mitigated_at: datetime | None
    resolved_at: datetime | None
    seconds_to_mitigate: float | None
    seconds_to_resolve: float | None
    opened_by: str
    rule: str
    public: bool
    public_title: str
    public_text: str
    components: list[str]
    alerts: int
    commander: str
    open_follow_ups: int

    @classmethod
    def of(cls, row: IncidentRow) -> "IncidentAnswer":
        renamed: dict[str, Any] = {"public": row.is_public, "components": list(row.components)}
        names = [item.name for item in fields(cls) if item.name not in renamed]
        return cls(**{name: getattr(row, name) for name in names}, **renamed)


@dataclass(frozen=True, slots=True)
class TimelineEntryAnswer:
    """A line of the timeline. `actor` is empty where it wrote itself."""

    at: datetime
    kind: str
    actor: str
    text: str
    alert: int | None

    @classmethod
    def of(cls, line: Line) -> "TimelineEntryAnswer":
        return cls(line.at, line.kind, line.actor, line.text, line.alert_id)


@dataclass(frozen=True, slots=True)
class RoleAnswer:
    """Who has a role; `person` null: nobody."""

    role: str
    person: str | None
    since_at: datetime | None


@dataclass(frozen=True, slots=True)
class FollowUpAnswer:
    """Something to be done. `owner` null: nobody yet."""

    id: int
    text: str
    owner: str | None
    due_on: date | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str

    @classmethod
    def of(cls, row: FollowUpRow) -> "FollowUpAnswer":
        return cls(
            row.id,
            row.text,
            row.owner or None,
            row.due_on,
            row.created_at,
            row.created_by,
            row.done_at,
            row.done_by,
        )


@dataclass(frozen=True, slots=True)
class IncidentAlertAnswer:
    """An alert that belongs to an incident; `alert` is null where it was forgotten."""

    alert: int | None
    name: str
    labels: dict[str, str]
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class IncidentCostAnswer:
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class ImpactAnswer:
    """What it cost. Hours of GPUs; what the caller may not see is null; models without a price are named."""

    places: list[str]
    from_: datetime
    until: datetime
    scope: str
    gpus: int
    gpu_hours: float
    allocated_gpu_hours: float
    unallocated_gpu_hours: float | None
    unknown_gpu_hours: float | None
    costs: list[IncidentCostAnswer]
    models_without_price: list[str]

    @classmethod
    def of(cls, found: Impact) -> "ImpactAnswer":
        return cls(
            places=list(found.places),
            from_=found.from_at,
            until=found.until_at,
            scope=found.scope,
            gpus=found.gpus,
            gpu_hours=_hours(found.gpu_us) or 0.0,
            allocated_gpu_hours=_hours(found.allocated_us) or 0.0,
            unallocated_gpu_hours=_hours(found.unallocated_us),
            unknown_gpu_hours=_hours(found.unknown_us),
            costs=[IncidentCostAnswer(f"{cost.amount:.6f}", cost.currency) for cost in found.costs],
            models_without_price=list(found.unpriced),
        )


@dataclass(frozen=True, slots=True)
class PostmortemAnswer:
    """Markdown; `version` 0: nobody has written one. `published_at` null: a draft."""

    text: str
    version: int
    changed_at: datetime | None
    changed_by: str
    published_at: datetime | None

    @classmethod
    def of(cls, row: PostmortemRow) -> "PostmortemAnswer":
        return cls(row.text, row.version, row.changed_at, row.changed_by, row.published_at)


@dataclass(frozen=True, slots=True)
class IncidentDetailAnswer:
    """An incident in full, its timeline from the beginning; `impact` null: no machine is named."""

    incident: IncidentAnswer
    roles: list[RoleAnswer]
    timeline: list[TimelineEntryAnswer]
    alerts: list[IncidentAlertAnswer]
    follow_ups: list[FollowUpAnswer]
    impact: ImpactAnswer | None
    postmortem: PostmortemAnswer

    @classmethod
    def of(cls, found: Detail, cost: Impact | None) -> "IncidentDetailAnswer":
        return cls(
            incident=IncidentAnswer.of(found.row),
            roles=[RoleAnswer(one.role, one.username or None, one.since_at) for one in found.roles],
            timeline=[*map(TimelineEntryAnswer.of, found.timeline)],
            alerts=[
                IncidentAlertAnswer(one.alert_id, one.name, one.labels, one.started_at, one.ended_at)
                for one in found.alerts
            ],
            follow_ups=[*map(FollowUpAnswer.of, found.follow_ups)],
            impact=ImpactAnswer.of(cost) if cost else None,
            postmortem=PostmortemAnswer.of(found.postmortem),
        )


def _hours(microseconds: int | None) -> float | None:
    return None if microseconds is None else round(microseconds / _US / 3600, 6)
