"""The shapes of objectives' past in API answers: hours, days and months, with their bounds."""

from dataclasses import dataclass
from datetime import date, datetime

from monitoring.availability.slo.api_answers import number, percent
from monitoring.availability.slo.budget import Budget
from monitoring.availability.slo.reads_history import DayRow, Point
from monitoring.availability.slo.reads_report import MonthRow


@dataclass(frozen=True, slots=True)
class SloPointAnswer:
    """What was counted within [at, until), and what was then left of the rolling budget, in percent."""

    at: datetime
    until: datetime
    objective: float
    bad: float
    total: float
    attained: float | None
    coverage: float | None
    budget_left: float | None

    @classmethod
    def of(cls, point: Point) -> "SloPointAnswer":
        ratio = point.counted.ratio
        return cls(
            at=point.at,
            until=point.until,
            objective=float(point.objective),
            bad=number(point.counted.bad),
            total=number(point.counted.total),
            attained=percent(None if ratio is None else 1 - ratio),
            coverage=percent(point.counted.coverage),
            budget_left=percent(point.left),
        )


@dataclass(frozen=True, slots=True)
class SloMonthAnswer:
    """One objective in one calendar month. `is_met` null: nothing was counted. `worst_day` used most of the budget."""

    name: str
    title: str
    team: str | None
    component: str | None
    month: str
    objective: float
    attained: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    is_met: bool | None
    budget_used: float | None
    bad: float
    total: float
    pages: int
    tickets: int
    worst_day: date | None
    worst_day_bad: float | None
    worst_day_share_of_budget: float | None
    is_complete: bool
    is_removed: bool

    @classmethod
    def of(cls, row: MonthRow) -> "SloMonthAnswer":
        worst, whole = row.worst_day, row.budget
        return cls(
            name=row.name,
            title=row.title,
            team=row.team,
            component=row.component,
            month=str(row.month),
            objective=float(row.objective),
            is_met=row.is_met,
            budget_used=percent(whole.used),
            bad=number(whole.counted.bad),
            total=number(whole.counted.total),
            pages=row.pages,
            tickets=row.tickets,
            worst_day=worst.day if worst else None,
            worst_day_bad=number(worst.budget.counted.bad) if worst else None,
            worst_day_share_of_budget=percent(worst.share_of_budget) if worst else None,
            is_complete=row.is_complete,
            is_removed=row.is_removed,
            **_shares(whole),
        )


@dataclass(frozen=True, slots=True)
class SloDayAnswer:
    """A day in UTC; `share_of_budget`: in percent of all that may fail in the month, by what was counted so far."""

    day: date
    bad: float
    total: float
    attained: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    share_of_budget: float | None

    @classmethod
    def of(cls, row: DayRow) -> "SloDayAnswer":
        counted = row.budget.counted
        return cls(
            day=row.day,
            bad=number(counted.bad),
            total=number(counted.total),
            share_of_budget=percent(row.share_of_budget),
            **_shares(row.budget),
        )


@dataclass(frozen=True, slots=True)
class SloReportAnswer:
    """The monthly report of one objective with its days; as CSV the days alone."""

    summary: SloMonthAnswer
    rows: tuple[SloDayAnswer, ...]

    @classmethod
    def of(cls, row: MonthRow) -> "SloReportAnswer":
        return cls(SloMonthAnswer.of(row), tuple(map(SloDayAnswer.of, row.days)))


def _shares(whole: Budget) -> dict[str, float | None]:
    return {name: percent(getattr(whole, name)) for name in ("attained", "coverage", "lower", "upper")}
