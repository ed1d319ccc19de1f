"""Incidents with all that belongs to them, as frozen rows for pages and the API."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident. `team` None is the platform's own; `opened_by` is empty where a rule opened it."""

    id: int
    team_id: int | None
    team: str | None
    team_name: str
    title: str
    severity: str
    state: str
    opened_at: datetime
    mitigated_at: datetime | None
    resolved_at: datetime | None
    opened_by: str
    rule: str
    is_public: bool
    public_title: str
    public_text: str
    components: tuple[str, ...]
    alerts: int
    commander: str
    open_follow_ups: int

    @property
    def seconds_to_mitigate(self) -> float | None:
        return (self.mitigated_at - self.opened_at).total_seconds() if self.mitigated_at else None

    @property
    def seconds_to_resolve(self) -> float | None:
        return (self.resolved_at - self.opened_at).total_seconds() if self.resolved_at else None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline. `actor` is empty where it wrote itself."""

    at: datetime
    kind: str
    text: str
    actor: str
    tone: str
    alert_id: int | None

    @property
    def is_public(self) -> bool:
        return self.kind == "update"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role with who has it; `username` is empty where nobody has."""

    role: str
    label: str
    username: str
    name: str
    since_at: datetime | None


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """Something to be done."""

    id: int
    text: str
    owner: str
    owner_name: str
    due_on: date | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str


@dataclass(frozen=True, slots=True)
class LinkedAlert:
    """An alert's episode that belongs to it. `alert_id` is None where it was forgotten."""

    alert_id: int | None
    name: str
    labels: dict[str, str]
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Linkable:
    """An alert for which an incident may be opened."""

    id: int
    name: str
    summary: str
    team: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class PostmortemRow:
    """`version` 0: nobody has written one."""

    text: str
    version: int
    changed_at: datetime | None
    changed_by: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Detail:
    """An incident in full, its timeline from the beginning."""

    row: IncidentRow
    timeline: tuple[Line, ...]
    roles: tuple[Assigned, ...]
    follow_ups: tuple[FollowUpRow, ...]
    alerts: tuple[LinkedAlert, ...]
    postmortem: PostmortemRow


@dataclass(frozen=True, slots=True)
class Counts:
    """Of all that the reader may see; means over those resolved since `since_at`, None without any."""

    open: int
    mitigated: int
    resolved: int
    since_at: datetime
    recent: int
    mean_to_mitigate: timedelta | None
    mean_to_resolve: timedelta | None
    overdue_follow_ups: int
