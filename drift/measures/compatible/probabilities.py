"""P-values of two windows as Evidently 0.7.23 computes them: small means drift.

scipy is imported inside the functions: `scipy.stats` costs 80 MB and a second, which the web part must not pay.
"""

from math import sqrt

import numpy as np

from drift.measures.columns import Labels, Level, Numbers, as_labels
from drift.measures.compatible.binning import label_counts
from drift.measures.errors import NotApplicableError

PERMUTATIONS = 1000
BINARY = 2


def ks(reference: Numbers, current: Numbers) -> float:
    """Kolmogorov-Smirnov, exact up to 10,000 values in the larger window."""
    from scipy.stats import ks_2samp

    return float(ks_2samp(reference.values, current.values).pvalue)


def chisquare(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """One-sample chi-square: the reference counts as exact, so a category that it lacks gives 0."""
    from scipy.special import chdtrc

    mine, observed = label_counts(as_labels(reference), as_labels(current))
    if len(mine) == 1:
        return 1.0
    expected = mine * (current.present / reference.present)
    statistic = float(np.sum((observed - expected) ** 2 / expected))
    return float(chdtrc(len(mine) - 1, statistic))


def z(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """Two proportions: the first value in order against all others."""
    from scipy.special import ndtr

    mine, theirs = label_counts(as_labels(reference), as_labels(current))
    if len(mine) == 1:
        return 1.0
    n1, n2 = reference.present, current.present
    p1, p2 = float(n1 - mine[0]) / n1, float(n2 - theirs[0]) / n2
    pooled = (p1 * n1 + p2 * n2) / (n1 + n2)
    score = (p1 - p2) / sqrt(pooled * (1 - pooled) * (1.0 / n1 + 1.0 / n2))
    return float(2 * (1 - ndtr(abs(score))))


def g_test(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """Evidently does not scale the reference to the current window, so both need as many values."""
    from scipy.stats import power_divergence

    if reference.present != current.present:
        raise NotApplicableError("g_test", reference.name, "both windows need the same number of values.")
    expected, observed = label_counts(as_labels(reference), as_labels(current))
    return float(power_divergence(observed, expected, lambda_="log-likelihood").pvalue)


def fisher_exact(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    from scipy.stats import fisher_exact as exact

    mine, theirs = label_counts(as_labels(reference), as_labels(current))
    if len(mine) > BINARY:
        raise NotApplicableError("fisher_exact", reference.name, "it takes two categories.")
    if reference.present != current.present:
        raise NotApplicableError("fisher_exact", reference.name, "both windows need the same number of values.")
    if len(mine) == 1:
        return 1.0
    return float(exact(np.array([theirs, mine]).astype(np.int64)).pvalue)


def total_variation(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """The share of 1,000 permutations (seed 0) whose total variation distance is at least the observed one."""
    mine, theirs = as_labels(reference), as_labels(current)
    places: dict[Level, int] = {level: place for place, level in enumerate({**mine.counts(), **theirs.counts()})}
    rows = np.concatenate([_placed(mine, places), _placed(theirs, places)])
    total = np.bincount(rows, minlength=len(places))
    observed = _variation(np.bincount(rows[: mine.present], minlength=len(places)), total)
    chance = np.random.RandomState(0)  # the old generator, which Evidently seeds
    drawn = (chance.choice(rows, mine.present, replace=False) for _ in range(PERMUTATIONS))
    as_far = sum(observed <= _variation(np.bincount(one, minlength=len(places)), total) for one in drawn)
    return as_far / PERMUTATIONS


def t_test(reference: Numbers, current: Numbers) -> float:
    from scipy.stats import ttest_ind

    return float(ttest_ind(reference.values, current.values).pvalue)


def mann_whitney(reference: Numbers, current: Numbers) -> float:
    """One-sided, as Evidently asks it: a current window that moved down is not seen."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(reference.values, current.values, alternative="less").pvalue)


def anderson_darling(reference: Numbers, current: Numbers) -> float:
    """Clipped by scipy to 0.001 ... 0.25, as its table ends there."""
    from scipy.stats import anderson_ksamp

    return float(anderson_ksamp([reference.values, current.values], variant="midrank").pvalue)


def epps_singleton(reference: Numbers, current: Numbers) -> float:
    from scipy.stats import epps_singleton_2samp, iqr

    if iqr(np.hstack([reference.values, current.values])) == 0:
        raise NotApplicableError("es", reference.name, "the middle half of its values is one value.")
    return float(epps_singleton_2samp(reference.values, current.values).pvalue)


def cramer_von_mises(reference: Numbers, current: Numbers) -> float:
    """Up to 20 values in a window the exact count differs from Evidently's in the eighth digit: it rounds ties away."""
    from scipy.stats import cramervonmises_2samp

    return float(cramervonmises_2samp(reference.values, current.values).pvalue)


def _placed(column: Labels, places: dict[Level, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    order = np.array([places.get(level, 0) for level in column.levels], dtype=np.int64)
    return order[column.codes]


def _variation(first: np.ndarray, total: np.ndarray) -> float:
    second = total - first
    return float(0.5 * np.sum(np.abs(first / first.sum() - second / second.sum())))
