"""The shapes of objectives as they are now in API answers: shares in percent, always with their bounds."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from monitoring.availability.slo.burn import Unit
from monitoring.availability.slo.reads import BurnRow, Definition, SloRow
from monitoring.availability.slo.reads_history import BurnTime

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class SloAnswer:
    """An objective as it is now. Shares are percent over the window, null where nothing was counted.

    The truth about `attained` lies from `lower` to `upper`. `burn_rate`: over the last hour; at 1 the budget lasts its
    window. `firing`: the long windows of the pairs that fire. `team` null is the platform's own.
    """

    name: str
    title: str
    team: str | None
    component: str | None
    kind: str
    objective: float
    window_days: int
    source: str | None
    state: str
    sentence: str
    attained: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    budget_left: float | None
    bad: float
    total: float
    month_attained: float | None
    month_budget_left: float | None
    burn_rate: float | None
    firing: tuple[str, ...]
    is_alerting: bool
    is_behind: bool
    since_at: datetime | None
    evaluated_at: datetime | None

    @classmethod
    def of(cls, row: SloRow) -> "SloAnswer":
        return cls(
            name=row.name,
            title=row.title,
            team=row.team,
            component=row.component,
            kind=row.kind.value,
            objective=float(row.objective),
            window_days=row.period_days,
            source=row.source,
            state=row.health.value,
            sentence=row.sentence,
            attained=percent(row.budget.attained),
            coverage=percent(row.budget.coverage),
            lower=percent(row.budget.lower),
            upper=percent(row.budget.upper),
            budget_left=percent(row.budget.left),
            bad=number(row.budget.counted.bad),
            total=number(row.budget.counted.total),
            month_attained=percent(row.month.attained),
            month_budget_left=percent(row.month.left),
            burn_rate=number_or_none(row.burn_now),
            firing=tuple(one.name for one in row.firing),
            is_alerting=row.is_alerting,
            is_behind=row.is_behind,
            since_at=row.since_at,
            evaluated_at=row.evaluated_at,
        )


@dataclass(frozen=True, slots=True)
class SloWindowAnswer:
    """What was counted in a window: events, or seconds. Shares in percent."""

    window_seconds: int
    bad: float
    total: float
    error_ratio: float | None
    coverage: float | None
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class SloBurnAnswer:
    """A pair of windows. It fires while the burn rate of both exceeds `factor`; `outcome` null: not judged yet."""

    severity: str
    factor: float
    outcome: str | None
    sentence: str
    fires: bool
    fired_at: datetime | None
    long: SloWindowAnswer
    short: SloWindowAnswer

    @classmethod
    def of(cls, row: BurnRow) -> "SloBurnAnswer":
        long, short = (
            SloWindowAnswer(
                window_seconds=seconds,
                bad=number(counted.bad),
                total=number(counted.total),
                error_ratio=percent(counted.ratio),
                coverage=percent(counted.coverage),
                burn_rate=number_or_none(rate),
            )
            for seconds, counted, rate in (
                (row.long_s, row.long, row.long_rate),
                (row.short_s, row.short, row.short_rate),
            )
        )
        outcome = row.outcome.value if row.outcome is not None else None
        return cls(row.severity.value, number(row.factor), outcome, row.sentence, row.fires, row.fired_at, long, short)


@dataclass(frozen=True, slots=True)
class SloBurnTimeAnswer:
    """A stretch of time in which a pair fired; `until_at` null: it still does."""

    severity: str
    window: str
    from_at: datetime
    until_at: datetime | None

    @classmethod
    def of(cls, row: BurnTime) -> "SloBurnTimeAnswer":
        return cls(row.severity.value, row.name, row.from_at, row.until_at)


@dataclass(frozen=True, slots=True)
class SloDetailAnswer:
    """An objective in full. `good`, `bad` and `total` are PromQL; `burned` is of its window."""

    slo: SloAnswer
    description: str
    good: str | None
    bad: str | None
    total: str | None
    min_events: int
    min_errors: int
    interval_seconds: int
    allowed_bad: float
    budget_lasts_seconds: float | None
    labels: dict[str, str]
    annotations: dict[str, str]
    runbook_url: str
    pairs: tuple[SloBurnAnswer, ...]
    burned: tuple[SloBurnTimeAnswer, ...]

    @classmethod
    def of(cls, row: SloRow, known: Definition, burned: tuple[BurnTime, ...]) -> "SloDetailAnswer":
        is_events = row.kind is Unit.EVENTS
        return cls(
            slo=SloAnswer.of(row),
            description=known.description,
            good=known.expr if is_events and not known.counts_bad else None,
            bad=known.expr if is_events and known.counts_bad else None,
            total=known.total if is_events else None,
            min_events=known.guard.min_events,
            min_errors=known.guard.min_errors,
            interval_seconds=known.interval_s,
            allowed_bad=number(row.budget.allowed_bad),
            budget_lasts_seconds=number_or_none(row.lasts_s),
            labels=dict(known.labels),
            annotations=dict(known.annotations),
            runbook_url=known.runbook_url,
            pairs=tuple(map(SloBurnAnswer.of, row.burns)),
            burned=tuple(map(SloBurnTimeAnswer.of, burned)),
        )


def percent(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share * 100), DECIMALS)


def number(value: Fraction) -> float:
    return round(float(value), DECIMALS)


def number_or_none(value: Fraction | None) -> float | None:
    return None if value is None else number(value)
