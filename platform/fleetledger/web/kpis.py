"""Key figures as a page shows them: value, change against the period before, a sparkline."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delta:
    """A change in words and how to take it: `good`, `bad` or empty for neither. `trend` is up, down or empty."""

    text: str
    tone: str = ""
    trend: str = ""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One card. `color` is k1 to k10; `href` leads to what the figure sums."""

    label: str
    value: str
    unit: str = ""
    spark: Sequence[float | None] = ()
    color: str = "k1"
    delta: Delta | None = None
    note: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, in a stacked bar and its list."""

    label: str
    amount: float
    color: str
    value: str = ""
    note: str = ""
    href: str = ""


def change_in_points(now: float | None, before: float | None, *, up_is_good: bool | None) -> Delta | None:
    """Between two percentages, in percentage points."""
    if now is None or before is None:
        return None
    return _delta(now - before, f"{abs(now - before):.1f} pt", up_is_good)


def change_in_percent(now: float, before: float, *, up_is_good: bool | None) -> Delta | None:
    """Between two amounts; None where there was nothing before."""
    if not before:
        return None
    percent = (now - before) / abs(before) * 100
    return _delta(percent, f"{abs(percent):,.1f}%" if abs(percent) < 1000 else "> 999%", up_is_good)  # noqa: PLR2004


def _delta(difference: float, size: str, up_is_good: bool | None) -> Delta:  # noqa: FBT001 private
    if abs(difference) < 0.05:  # noqa: PLR2004 shows as 0.0
        return Delta("no change")
    is_up = difference > 0
    tone = "" if up_is_good is None else ("good" if is_up == up_is_good else "bad")
    sign = "+" if is_up else "\N{MINUS SIGN}"
    return Delta(f"{sign}{size}", tone, "up" if is_up else "down")
