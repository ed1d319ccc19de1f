"""Says an allocation line's fraction the way people check it: 3/7, or a percentage of the GPU-hours."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from costs.reads_lines import LineRow
from fleetledger.lib import money

LARGEST_DENOMINATOR = 999
WHOLE, GPU_TIME = "whole", "GPU-microseconds"
US_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its fraction in words; `detail` names what was measured."""

    line: LineRow
    fraction: str
    detail: str


def line_views(lines: Iterable[LineRow]) -> tuple[LineView, ...]:
    return tuple(LineView(line, fraction_text(line.numerator, line.denominator), _detail(line)) for line in lines)


def fraction_text(numerator: Decimal, denominator: Decimal) -> str:
    """All of it, 3/7, or 14.29%."""
    share = Fraction(numerator) / Fraction(denominator)
    if share == 1:
        return "all"
    if share.denominator <= LARGEST_DENOMINATOR:
        return f"{share.numerator}/{share.denominator}"
    return f"{float(share) * 100:.4g}%"


def _detail(line: LineRow) -> str:
    """As in: 36.00 of 84.00 GPU-hours."""
    if line.unit == WHOLE:
        return "the whole row"
    what = "GPU-hours" if line.unit == GPU_TIME else "hours"
    return f"{_hours(line.numerator)} of {_hours(line.denominator)} {what}"


def _hours(microseconds: Decimal) -> str:
    hours = money.EXACT.divide(microseconds, Decimal(US_PER_HOUR))
    return f"{hours:,.2f}" if hours >= 1 or not hours else f"{hours:,.4f}"
