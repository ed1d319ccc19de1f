"""The error budget: how much was allowed to fail, how much of that is left, and what is known for certain."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from monitoring.availability.figures import SHOWN_WITHOUT_BOUNDS
from monitoring.availability.slo.burn import Counted, Terms

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Budget:
    """Shares from 0 to 1; the truth about `attained` lies from `lower` to `upper`. None: nothing was counted.

    `left` is 1 where nothing failed, 0 where all that may fail did, and below 0 after that.
    """

    counted: Counted
    allowed_bad: Fraction
    attained: Fraction | None
    coverage: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    left: Fraction | None

    @property
    def used(self) -> Fraction | None:
        return None if self.left is None else 1 - self.left

    @property
    def is_exhausted(self) -> bool:
        return self.left is not None and self.left <= 0

    @property
    def needs_bounds(self) -> bool:
        """Whether the attained share alone would say more than is known."""
        return self.coverage is not None and self.coverage < SHOWN_WITHOUT_BOUNDS


def budget(counted: Counted, allowed: Fraction) -> Budget:
    """Of all that was counted in a period; `allowed`: the share that may fail, from 0 to 1."""
    attained = None if counted.ratio is None else 1 - counted.ratio
    coverage = counted.coverage
    lower, upper = attained, attained
    if attained is not None and coverage is not None:
        lower = attained * coverage
        upper = lower + 1 - coverage
    allowed_bad = counted.total * allowed
    left = None if not allowed_bad else 1 - counted.bad / allowed_bad
    return Budget(counted, allowed_bad, attained, coverage, lower, upper, left)


def total(parts: Iterable[Counted]) -> Counted:
    return sum(parts, start=Counted())


def lasts_s(left: Fraction, rate: Fraction, terms: Terms) -> Fraction | None:
    """For how long what is left lasts while errors come `rate` times faster than allowed; None: nothing runs out."""
    if rate <= 0 or left <= 0:
        return None
    return left * terms.period_days * DAY_S / rate
