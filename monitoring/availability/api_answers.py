"""The shapes of availability's API answers: shares in percent, always with their bounds."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from monitoring.availability.figures import Redundancy, Seconds, Tally
from monitoring.availability.reads import ORDER, ComponentRow, Status
from monitoring.availability.reads_component import ComponentDetail, Period, SeriesRow
from monitoring.availability.reads_parts import Change, DayRow, EvidenceRow, NewFact, ProbeRow, Work

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class FiguresAnswer:
    """Percent, null where nothing was expected: no verdict. The truth lies from `lower` to `upper`."""

    availability: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    expected_seconds: float
    up_seconds: float
    degraded_seconds: float
    down_seconds: float
    unknown_seconds: float
    maintenance_seconds: float
    idle_seconds: float

    @classmethod
    def of(cls, tally: Tally) -> "FiguresAnswer":
        found = tally.availability
        return cls(
            availability=percent(found.observed),
            coverage=percent(found.coverage),
            lower=percent(found.lower),
            upper=percent(found.upper),
            expected_seconds=seconds(tally.expected_s),
            up_seconds=seconds(tally.up_s),
            degraded_seconds=seconds(tally.degraded_s),
            down_seconds=seconds(tally.down_s),
            unknown_seconds=seconds(tally.unknown_s),
            maintenance_seconds=seconds(tally.maintenance_s),
            idle_seconds=seconds(tally.idle_s),
        )


@dataclass(frozen=True, slots=True)
class ComponentAnswer:
    """A component as it is now. Shares are percent over the last 30 days; `team` null is the platform's own."""

    name: str
    title: str
    kind: str
    team: str | None
    parent: str | None
    zone: str
    needs: int | None
    state: str
    why: str
    since: datetime | None
    seen_at: datetime | None
    healthy: int
    members: int
    availability: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    runbook_url: str

    @classmethod
    def of(cls, row: ComponentRow) -> "ComponentAnswer":
        shares = row.availability
        return cls(
            row.name,
            row.title,
            row.kind,
            row.team,
            row.parent,
            row.zone,
            row.needs,
            row.state.value,
            row.why,
            row.since,
            row.seen_at,
            row.healthy,
            row.members,
            percent(shares.observed),
            percent(shares.coverage),
            percent(shares.lower),
            percent(shares.upper),
            row.runbook_url,
        )


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """One thing that a probe sees, with its own figures over the window."""

    id: int
    probe: str
    labels: dict[str, str]
    state: str
    detail: str
    interval_seconds: int
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    end_reason: str
    figures: FiguresAnswer

    @classmethod
    def of(cls, row: SeriesRow) -> "SeriesAnswer":
        return cls(
            row.id,
            row.probe,
            row.labels,
            row.state.value,
            row.detail,
            row.interval_s,
            row.first_at,
            row.last_at,
            row.ended_at,
            row.end_reason,
            FiguresAnswer.of(row.tally),
        )


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """A change of state, as it was seen."""

    at: datetime
    from_state: str
    to_state: str
    why: str

    @classmethod
    def of(cls, row: Change) -> "ChangeAnswer":
        return cls(row.at, row.from_state.value, row.to_state.value, row.why)


@dataclass(frozen=True, slots=True)
class StatePeriodAnswer:
    """A stretch of the past in one state."""

    from_at: datetime
    until_at: datetime
    state: str
    why: str

    @classmethod
    def of(cls, row: Period) -> "StatePeriodAnswer":
        return cls(row.from_at, row.until_at, row.state.value, row.why)


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A day in UTC."""

    day: date
    figures: FiguresAnswer

    @classmethod
    def of(cls, row: DayRow) -> "DayAnswer":
        return cls(row.day, FiguresAnswer.of(row.tally))


@dataclass(frozen=True, slots=True)
class RedundancyAnswer:
    """Whether it goes on without its largest zone; `survives` null where that cannot be said."""

    survives: bool | None
    ready: int
    needs: int
    zones: dict[str, int]
    sentence: str

    @classmethod
    def of(cls, found: Redundancy) -> "RedundancyAnswer":
        return cls(found.survives, found.ready, found.needs, dict(found.zones), found.sentence)


@dataclass(frozen=True, slots=True)
class WorkAnswer:
    """Planned work."""

    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str

    @classmethod
    def of(cls, row: Work) -> "WorkAnswer":
        return cls(row.id, row.from_at, row.until_at, row.reason, row.created_by)


@dataclass(frozen=True, slots=True)
class ComponentDetailAnswer:
    """A component in full; `figures`, `series`, `periods`, `changes` and `days` are of [from, to)."""

    component: ComponentAnswer
    description: str
    from_: datetime
    to: datetime
    figures: FiguresAnswer
    probes: tuple[ProbeRow, ...]
    series: tuple[SeriesAnswer, ...]
    children: tuple[ComponentAnswer, ...]
    evidence: tuple[EvidenceRow, ...]
    redundancy: RedundancyAnswer | None
    periods: tuple[StatePeriodAnswer, ...]
    changes: tuple[ChangeAnswer, ...]
    days: tuple[DayAnswer, ...]
    maintenance: tuple[WorkAnswer, ...]
    new_facts: tuple[NewFact, ...]

    @classmethod
    def of(cls, found: ComponentDetail) -> "ComponentDetailAnswer":
        return cls(
            component=ComponentAnswer.of(found.row),
            description=found.description,
            from_=found.window.start,
            to=found.window.end,
            figures=FiguresAnswer.of(found.row.tally),
            probes=found.probes,
            series=tuple(map(SeriesAnswer.of, found.series)),
            children=tuple(map(ComponentAnswer.of, found.children)),
            evidence=found.evidence,
            redundancy=RedundancyAnswer.of(found.redundancy) if found.redundancy else None,
            periods=tuple(map(StatePeriodAnswer.of, found.periods)),
            changes=tuple(map(ChangeAnswer.of, found.changes)),
            days=tuple(map(DayAnswer.of, found.days)),
            maintenance=tuple(map(WorkAnswer.of, found.maintenance)),
            new_facts=found.new_facts,
        )


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """The whole picture. `state`: the worst of what has nothing above it; `own`: the product's own parts."""

    at: datetime
    state: str
    sentence: str
    counts: dict[str, int]
    components: tuple[ComponentAnswer, ...]
    own: tuple[ComponentAnswer, ...]

    @classmethod
    def of(cls, found: Status) -> "StatusAnswer":
        return cls(
            at=found.at,
            state=found.state.value,
            sentence=found.sentence,
            counts={state.value: found.counts.get(state, 0) for state in ORDER},
            components=tuple(map(ComponentAnswer.of, found.components)),
            own=tuple(map(ComponentAnswer.of, found.own)),
        )


def percent(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share * 100), DECIMALS)


def seconds(found: Seconds) -> float:
    return round(float(found), DECIMALS)
