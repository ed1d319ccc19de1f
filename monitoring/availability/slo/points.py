"""The one writer of what was counted hour by hour: which hours are to be counted, and what came of them.

increase() guesses at the edges of its range. So what is asked for is always the amount since midnight in UTC, and an
hour is the difference of two such: hours add up to their day, and a day is guessed at no more than by one sample.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from fleetledger.lib.buckets import DAY, HOUR, Month, floor, to_us
from monitoring.availability.models import Slo, SloPoint, SloState
from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import Counted, Unit
from monitoring.availability.slots import SECOND_US

SETTLED = timedelta(minutes=5)
"""So long after its end an hour is counted for good, but for what comes late."""
AGAIN = {Unit.EVENTS: timedelta(hours=2), Unit.TIME: timedelta(hours=26)}
"""So much is counted once more every hour: samples come late after an outage."""
MOST_HOURS = 96
KEPT = timedelta(days=800)
CHANGING = ["until_at", "bad", "total", "covered_s", "expected_s"]
SUMS = ("bad", "total", "covered_s", "expected_s")


@dataclass(frozen=True, slots=True)
class Hour:
    """The hour from `at`, counted to `until`: its end, or now."""

    at: datetime
    until: datetime

    @property
    def ask(self) -> Ask:
        midnight = floor(self.at, DAY)
        return Ask(_seconds(self.until), _span(self.until - midnight), _span(self.until - self.at))

    @property
    def ask_before(self) -> Ask | None:
        """What the day had when the hour began; None at midnight."""
        midnight = floor(self.at, DAY)
        return None if self.at == midnight else Ask(_seconds(self.at), _span(self.at - midnight), 0)


def due(slo: Slo, state: SloState, at: datetime) -> tuple[list[Hour], bool]:
    """The hours to be counted at `at`, the oldest first, and whether there are more than can be done at once."""
    hours = list(_hours(_first(slo, state, at), at))
    return hours[:MOST_HOURS], len(hours) > MOST_HOURS


def asks(hours: Sequence[Hour]) -> list[Ask]:
    wanted = [ask for hour in hours for ask in (hour.ask_before, hour.ask) if ask is not None]
    # What the day had when an hour began is what it had when the one before ended.
    known = {(ask.until, ask.counts_s) for ask in wanted if ask.coverage_s}
    return list(dict.fromkeys(ask for ask in wanted if ask.coverage_s or (ask.until, ask.counts_s) not in known))


def keep(slo: Slo, state: SloState, hours: Sequence[Hour], answers: Answers) -> None:
    """Write hours; those before anything was ever seen are left out. Changes `state` without saving it.

    An hour of which nothing is seen any more, as its samples are too old, keeps what was counted of it.
    """
    amounts = {(ask.until, ask.counts_s): counted for ask, counted in answers.items()}
    rows = []
    for hour in hours:
        counted = _of_hour(hour, answers[hour.ask], amounts)
        if counted.covered_s or state.since_at is not None:
            state.since_at = min(state.since_at or hour.at, hour.at)
            rows.append(_row(slo, hour, counted))
    _write(slo, rows)
    if hours:
        state.counted_until = max(hour.until for hour in hours)


def add_up(slo: Slo, state: SloState, at: datetime) -> None:
    """The sums over the rolling window and of this month. Changes `state` without saving it."""
    for prefix, start in (("", at - timedelta(days=slo.period_days)), ("month_", Month.of(at).start)):
        rows = SloPoint.objects.filter(slo=slo, at__gte=start, until_at__lte=at)
        sums = rows.aggregate(**{f"{name}_sum": Sum(name) for name in SUMS})
        for name in SUMS:
            setattr(state, f"{prefix}{name}", max(sums[f"{name}_sum"] or 0.0, 0.0))


def forget(now: datetime) -> int:
    """Drop what is too old for any report; gives how many hours that were."""
    return SloPoint.objects.filter(at__lt=now - KEPT).delete()[0]


def start_anew(slo: Slo, now: datetime) -> None:
    """Forget what was counted within the window: it was something else. Months before it keep what was reported."""
    SloPoint.objects.filter(slo=slo, at__gte=_oldest(slo, now)).delete()
    SloState.objects.filter(slo=slo).update(
        counted_until=None, since_at=None, is_behind=False, evaluated_at=None, **_nothing("", "month_")
    )


def _write(slo: Slo, rows: Sequence[SloPoint]) -> None:
    seen, unseen = [row for row in rows if row.covered_s], [row for row in rows if not row.covered_s]
    SloPoint.objects.bulk_create(seen, update_conflicts=True, unique_fields=["slo", "at"], update_fields=CHANGING)
    SloPoint.objects.filter(slo=slo, at__in=[row.at for row in unseen], covered_s=0).delete()
    SloPoint.objects.bulk_create(unseen, ignore_conflicts=True)


def _nothing(*prefixes: str) -> dict[str, float]:
    return {f"{prefix}{name}": 0.0 for prefix in prefixes for name in SUMS}


def _first(slo: Slo, state: SloState, at: datetime) -> datetime:
    """The hour from which on it is to be counted."""
    oldest = _oldest(slo, at)
    if state.counted_until is None:
        return oldest
    first = floor(state.counted_until - SETTLED, HOUR)
    if floor(state.counted_until, HOUR) != floor(at, HOUR):
        first = min(first, floor(at, HOUR) - AGAIN[Unit(slo.kind)])
    return max(first, oldest)


def _oldest(slo: Slo, at: datetime) -> datetime:
    """The first hour of the rolling window or of this month."""
    return floor(min(at - timedelta(days=slo.period_days), Month.of(at).start), HOUR)


def _hours(first: datetime, at: datetime) -> Iterator[Hour]:
    while first < at:
        yield Hour(first, min(first + HOUR, at))
        first += HOUR


def _of_hour(hour: Hour, whole: Counted, amounts: dict[tuple[int, int], Counted]) -> Counted:
    before = hour.ask_before
    had = amounts[before.until, before.counts_s] if before else Counted()
    return Counted(whole.bad - had.bad, whole.total - had.total, whole.covered_s, whole.expected_s)


def _row(slo: Slo, hour: Hour, counted: Counted) -> SloPoint:
    values = {name: float(getattr(counted, name)) for name in SUMS}
    return SloPoint(slo=slo, at=hour.at, until_at=hour.until, objective=slo.objective, **values)


def _seconds(at: datetime) -> int:
    return to_us(at) // SECOND_US


def _span(span: timedelta) -> int:
    return int(span.total_seconds())
