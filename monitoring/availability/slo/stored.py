"""What is stored of an objective, as figures compute with it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from monitoring.availability.models import SloState, SloVerdict
from monitoring.availability.slo.burn import Counted

NAMES = ("bad", "total", "covered_s", "expected_s")


def counted_of(row: Any, prefix: str = "") -> Counted:
    """From columns of these names; what increase() guesses may lie a little beside the truth, never below zero."""
    bad, total, covered, expected = (exact(getattr(row, f"{prefix}{name}")) for name in NAMES)
    return counted(bad, total, covered, expected)


def counted(bad: Fraction, total: Fraction, covered_s: Fraction, expected_s: Fraction) -> Counted:
    zero = Fraction(0)
    total = max(total, zero)
    return Counted(min(max(bad, zero), total), total, min(max(covered_s, zero), expected_s), max(expected_s, zero))


def month_of(state: SloState) -> Counted:
    return counted_of(state, "month_")


def long_of(row: SloVerdict) -> Counted:
    return counted_of(row, "long_")


def short_of(row: SloVerdict) -> Counted:
    return counted_of(row, "short_")


def exact(value: float | Decimal) -> Fraction:
    """To a millionth: what floating-point adds beyond that says nothing."""
    return Fraction(round(Fraction(value) * 10**6), 10**6)
