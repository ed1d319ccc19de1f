"""Burn rates: how much faster than allowed errors come, by two windows at once, and whether that is worth a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import models

from fleetledger.lib.durations import duration_text

REFERENCE_DAYS = 30
ENOUGH_COVERAGE = Fraction(9, 10)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


class Severity(models.TextChoices):
    """What a pair of windows asks for: somebody at once, or somebody some day."""

    PAGE = "page", "Page"
    TICKET = "ticket", "Ticket"


class Outcome(models.TextChoices):
    """What a pair says. All but the first two are no verdict, for want of seen time, of events or of errors."""

    FIRES = "fires", "Fires"
    QUIET = "quiet", "Quiet"
    GAP = "gap", "No verdict: not enough was seen"
    FEW_EVENTS = "few_events", "No verdict: too few events"
    FEW_ERRORS = "few_errors", "No verdict: too few errors"

    @property
    def is_verdict(self) -> bool:
        return self in (Outcome.FIRES, Outcome.QUIET)


class Unit(models.TextChoices):
    """What is counted."""

    EVENTS = "events", "events"
    TIME = "time", "seconds"


@dataclass(frozen=True, slots=True)
class Pair:
    """It fires while errors in both windows come more than `factor` times faster than allowed."""

    severity: Severity
    factor: Fraction
    long_s: int
    short_s: int

    @property
    def name(self) -> str:
        """The long window, by which the pair is known."""
        return span_text(self.long_s)


PAIRS = (
    Pair(Severity.PAGE, Fraction(144, 10), HOUR_S, 5 * MINUTE_S),
    Pair(Severity.PAGE, Fraction(6), 6 * HOUR_S, 30 * MINUTE_S),
    Pair(Severity.TICKET, Fraction(3), DAY_S, 2 * HOUR_S),
    Pair(Severity.TICKET, Fraction(1), 3 * DAY_S, 6 * HOUR_S),
)
"""For a budget over 30 days: 2 % of it in 1 h, 5 % in 6 h, 10 % in 1 d or in 3 d."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted within a stretch of time, and how much of that time was seen."""

    bad: Fraction = Fraction(0)
    total: Fraction = Fraction(0)
    covered_s: Fraction = Fraction(0)
    expected_s: Fraction = Fraction(0)

    @property
    def ratio(self) -> Fraction | None:
        """The share that failed, from 0 to 1; None where nothing was counted."""
        return self.bad / self.total if self.total else None

    @property
    def coverage(self) -> Fraction | None:
        """The share of the time that was seen; None where none was expected."""
        return self.covered_s / self.expected_s if self.expected_s else None

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            self.bad + other.bad,
            self.total + other.total,
            self.covered_s + other.covered_s,
            self.expected_s + other.expected_s,
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """With less than this in the long window a few errors would shout. For time both are seconds."""

    min_events: int = 100
    min_errors: int = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised: `objective` in percent, above 0 and below 100, over a period of whole days."""

    objective: Decimal
    period_days: int
    guard: Guard = Guard()
    unit: Unit = Unit.EVENTS

    @property
    def allowed(self) -> Fraction:
        """The share that may fail."""
        return 1 - Fraction(self.objective) / 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pair says of its two windows."""

    pair: Pair
    outcome: Outcome
    long: Counted
    short: Counted


def pairs(period_days: int) -> tuple[Pair, ...]:
    """The pairs for a budget over so many days: the windows stay, the factors grow with the period."""
    scale = Fraction(period_days, REFERENCE_DAYS)
    return tuple(Pair(pair.severity, pair.factor * scale, pair.long_s, pair.short_s) for pair in PAIRS)


def windows(of: Sequence[Pair] = PAIRS) -> tuple[int, ...]:
    """Every window that some pair looks at, in seconds, each once, the shortest first."""
    return tuple(sorted({seconds for pair in of for seconds in (pair.long_s, pair.short_s)}))


def judge(pair: Pair, long: Counted, short: Counted, terms: Terms) -> Verdict:
    """1. Too little of a window was seen: no verdict. 2. Hardly anything happened: none.

    3. One of the two does not exceed: quiet. 4. Both do, by too few errors: none. 5. It fires.
    """
    return Verdict(pair, _outcome(pair, long, short, terms), long, short)


def exceeds(counted: Counted, pair: Pair, terms: Terms) -> bool:
    """Strictly: exactly the factor times what is allowed is not too much yet."""
    return counted.ratio is not None and counted.ratio > pair.factor * terms.allowed


def rate(counted: Counted, terms: Terms) -> Fraction | None:
    """How many times faster than allowed errors come: at 1 the budget lasts exactly its period."""
    return None if counted.ratio is None else counted.ratio / terms.allowed


def can_fire(pair: Pair, terms: Terms) -> bool:
    """Whether there is a share of errors that exceeds: for low objectives not even all is enough."""
    return pair.factor * terms.allowed < 1


def span_text(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))


def _outcome(pair: Pair, long: Counted, short: Counted, terms: Terms) -> Outcome:
    if not (_is_seen(long) and _is_seen(short)):
        return Outcome.GAP
    if not long.total or long.total < terms.guard.min_events:
        return Outcome.FEW_EVENTS
    if not (exceeds(long, pair, terms) and exceeds(short, pair, terms)):
        return Outcome.QUIET
    return Outcome.FIRES if long.bad >= terms.guard.min_errors else Outcome.FEW_ERRORS


def _is_seen(counted: Counted) -> bool:
    """Planned work and time without traffic are not expected, so a window of them alone lacks nothing."""
    return counted.coverage is None or counted.coverage >= ENOUGH_COVERAGE
