"""How likely the same buckets came by chance: a gate before effects, never a measure of how bad it is."""

from math import sqrt

import numpy as np

from drift.measures.robust.counts import Counts
from drift.measures.robust.effects import (
    SMALL_EXPECTED,
    Table,
    all_buckets,
    expected_counts,
    on_a_line,
    with_tails_joined,
)

TWO_TESTS = 2


def p_value(reference: Counts, window: Counts, *, is_ordered: bool) -> float:
    """Two-sample chi-square over all buckets; ordered columns have a rank test too, which sees a shift much earlier.

    The smaller of both p-values counts twice (Bonferroni), so false alarms stay as rare as with one test.
    """
    mine, theirs = all_buckets(reference), all_buckets(window)
    if not is_ordered:
        return chi_square(mine, theirs)
    mine, theirs = with_tails_joined(mine, theirs)
    return min(1.0, TWO_TESTS * min(chi_square(mine, theirs), rank_test(on_a_line(mine), on_a_line(theirs))))


def chi_square(reference: Table, window: Table) -> float:
    """Buckets with an expected count below 5 on either side go to one bucket, tested even where that one is small."""
    from scipy.special import chdtrc  # late: workers compute, the web part never does

    table = np.array([reference, window])
    table = table[:, table.sum(axis=0) > 0]
    expected = expected_counts(table)
    is_small = (expected < SMALL_EXPECTED).any(axis=0)
    merged = np.column_stack([table[:, ~is_small], table[:, is_small].sum(axis=1)]) if is_small.any() else table
    if merged.shape[1] < TWO_TESTS or (merged.sum(axis=1) == 0).any():
        return 1.0
    expected = expected_counts(merged)
    return float(chdtrc(merged.shape[1] - 1, np.sum((merged - expected) ** 2 / expected)))


def rank_test(reference: Table, window: Table) -> float:
    """Mann-Whitney over ordered buckets with its correction for ties, two-sided, by the normal approximation."""
    from scipy.special import ndtr

    m, n, both = reference.sum(), window.sum(), reference + window
    total = m + n
    if not m or not n:
        return 1.0
    middle_ranks = np.cumsum(both) - (both - 1) / 2
    variance = m * n / 12 * ((total + 1) - np.sum(both**3 - both) / (total * max(total - 1, 1)))
    if variance <= 0:
        return 1.0
    off = abs(float(window @ middle_ranks - n * (total + 1) / 2))
    return float(2 * ndtr(-max(off - 0.5, 0.0) / sqrt(variance)))
