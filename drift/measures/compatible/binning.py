"""Shares of rows per bin, cut as Evidently cuts them: over both windows, so one outlier stretches every bin."""

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from drift.measures.columns import Labels, Level, Numbers, Values, as_labels, has_more_levels_than

Shares = NDArray[np.float64]
DISCRETE_UP_TO = 20  # distinct values of the reference
SMALL_SHARE = 0.0001


def shares(reference: Numbers | Labels, current: Numbers | Labels) -> tuple[Shares, Shares]:
    """Shares per bin in both windows; a bin for each value where the reference has few of them."""
    if isinstance(reference, Labels) or isinstance(current, Labels):
        return label_shares(as_labels(reference), as_labels(current))
    if not has_more_levels_than(reference, DISCRETE_UP_TO):
        return label_shares(as_labels(reference), as_labels(current))
    low, high = span(reference.values, current.values)
    whole = is_whole(reference.values) and is_whole(current.values)
    bins = sturges_bins(low, high, reference.present + current.present, whole=whole)
    return histogram(reference.values, low, high, bins), histogram(current.values, low, high, bins)


def label_shares(reference: Labels, current: Labels) -> tuple[Shares, Shares]:
    mine, theirs = label_counts(reference, current)
    return mine / reference.present, theirs / current.present


def label_counts(reference: Labels, current: Labels) -> tuple[Shares, Shares]:
    """Counts of the levels of either window, in one order."""
    mine, theirs = reference.counts(), current.counts()
    levels: list[Level] = sorted({*mine, *theirs}, key=_order)
    return (
        np.array([mine.get(level, 0) for level in levels], dtype=np.float64),
        np.array([theirs.get(level, 0) for level in levels], dtype=np.float64),
    )


def fill_zeroes(given: Shares) -> Shares:
    """Empty bins get a small share, so that logarithms stay finite."""
    smallest = given[given != 0].min()
    return np.where(given == 0, smallest / 10**6 if smallest <= SMALL_SHARE else SMALL_SHARE, given)


def span(first: Values, second: Values) -> tuple[float, float]:
    """The lowest and the highest value of both; a single value gets a width of one, as in numpy."""
    low = min(first.min(), second.min()).item()
    high = max(first.max(), second.max()).item()
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def sturges_bins(low: float, high: float, count: int, *, whole: bool) -> int:
    """How many bins numpy's `sturges` makes of `count` values; bins of integers are at least one wide."""
    width = (high - low) / (log2(count) + 1.0)
    if width == 0:
        return 1
    return ceil((high - low) / (max(width, 1.0) if whole else width))


def histogram(values: Values, low: float, high: float, bins: int) -> Shares:
    counted: Shares = np.histogram(values, bins=bins, range=(low, high))[0] / len(values)
    return counted


def is_whole(values: Values) -> bool:
    return values.dtype.kind in "iu"


def _order(level: Level) -> tuple[bool, str, float]:
    return (True, level, 0.0) if isinstance(level, str) else (False, "", float(level))
