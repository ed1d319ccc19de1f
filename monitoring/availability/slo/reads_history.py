"""An objective's past: its budget hour by hour or day by day, its days, and when it burned."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, groupby

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import DAY, Window
from monitoring.availability.models import Slo, SloBurn, SloPoint
from monitoring.availability.slo.budget import Budget, budget, total
from monitoring.availability.slo.burn import Counted, Severity, span_text
from monitoring.availability.slo.reads import visible
from monitoring.availability.slo.stored import counted, counted_of

FINEST = 10**6
MOST_BURNS = 500


class Step(StrEnum):
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Point:
    """[at, until): what was counted within, and what was left of the rolling budget at its end.

    `left` is by the objective of that time; None while nothing was counted. It may lie below 0.
    """

    at: datetime
    until: datetime
    objective: Decimal
    counted: Counted
    left: Fraction | None


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day in UTC; `share_of_budget`: of all that may fail in the whole stretch that was asked for."""

    day: date
    budget: Budget
    share_of_budget: Fraction | None


@dataclass(frozen=True, slots=True)
class BurnTime:
    """A stretch of time in which a pair fired; `until_at` None: it still does."""

    severity: Severity
    long_s: int
    from_at: datetime
    until_at: datetime | None

    @property
    def name(self) -> str:
        return span_text(self.long_s)


def points(name: str, window: Window, step: Step, *, teams: TeamScope) -> tuple[Point, ...] | None:
    """In order; None where the reader sees no such objective. Hours in which nothing was ever seen have none."""
    row = visible(teams).filter(name=name).first()
    if row is None:
        return None
    period = timedelta(days=row.period_days)
    stored = list(SloPoint.objects.filter(slo=row, at__gte=window.start - period, at__lt=window.end).order_by("at"))
    hours = [point for point in _with_budgets(stored, period) if point.at >= window.start]
    return tuple(hours if step is Step.HOUR else map(_joined, _by_day(hours)))


def burns(name: str, window: Window, *, teams: TeamScope) -> tuple[BurnTime, ...]:
    """Those that touch the window, the newest first."""
    rows = SloBurn.objects.filter(slo__in=visible(teams).filter(name=name), from_at__lt=window.end)
    shown = rows.exclude(until_at__lte=window.start).order_by("-from_at", "-pk")[:MOST_BURNS]
    return tuple(BurnTime(Severity(row.severity), row.long_s, row.from_at, row.until_at) for row in shown)


def days(row: Slo, window: Window) -> tuple[DayRow, ...]:
    """The days of the window of which anything was counted."""
    stored = SloPoint.objects.filter(slo=row, at__gte=window.start, at__lt=window.end).order_by("at")
    return days_of([(point.at.astimezone(UTC).date(), counted_of(point)) for point in stored], 1 - share(row.objective))


def days_of(parts: Sequence[tuple[date, Counted]], allowed: Fraction) -> tuple[DayRow, ...]:
    """From what was counted at days, in order; `allowed`: the share that may fail."""
    whole = budget(total(part for _, part in parts), allowed)
    found = []
    for day, some in groupby(parts, key=lambda part: part[0]):
        own = budget(total(part for _, part in some), allowed)
        used = own.counted.bad / whole.allowed_bad if whole.allowed_bad else None
        found.append(DayRow(day, own, used))
    return tuple(found)


def share(objective: Decimal) -> Fraction:
    return Fraction(objective) / 100


def _with_budgets(stored: Sequence[SloPoint], period: timedelta) -> Iterator[Point]:
    """Each hour with what was left at its end, by sums of whole millionths."""
    starts = [row.at for row in stored]
    bad = [0, *accumulate(round(row.bad * FINEST) for row in stored)]
    amount = [0, *accumulate(round(row.total * FINEST) for row in stored)]
    for place, row in enumerate(stored):
        first = bisect_left(starts, row.until_at - period)
        failed, all_of_them = (Fraction(sums[place + 1] - sums[first], FINEST) for sums in (bad, amount))
        known = counted(failed, all_of_them, Fraction(0), Fraction(0))
        left = budget(known, 1 - share(row.objective)).left
        yield Point(row.at, row.until_at, row.objective, counted_of(row), left)


def _by_day(hours: Sequence[Point]) -> Iterator[list[Point]]:
    for _, some in groupby(hours, key=lambda point: point.at.astimezone(UTC).date()):
        yield list(some)


def _joined(hours: Sequence[Point]) -> Point:
    last = hours[-1]
    start = hours[0].at.astimezone(UTC).replace(hour=0)
    return Point(start, min(last.until, start + DAY), last.objective, total(p.counted for p in hours), last.left)
