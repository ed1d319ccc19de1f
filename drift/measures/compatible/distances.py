"""Distances between two windows as Evidently 0.7.23 computes them: large means drift."""

from math import sqrt

import numpy as np

from drift.measures.columns import Labels, Numbers, Values
from drift.measures.compatible import binning

SMALLEST_STD = 0.001


def psi(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    p, q = (binning.fill_zeroes(side) for side in binning.shares(reference, current))
    return float(np.sum((p - q) * np.log(p / q)))


def kl_div(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    p, q = (binning.fill_zeroes(side) for side in binning.shares(reference, current))
    return _relative_entropy(p / p.sum(), q / q.sum())


def jensenshannon(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """The distance (a root) with natural logarithms; empty bins are not filled here."""
    p, q = binning.shares(reference, current)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2.0
    return sqrt(max((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2.0, 0.0))


def hellinger(reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """Bins come from the distinct values of both windows, not from the rows: repeated values do not make more."""
    if isinstance(reference, Labels) or isinstance(current, Labels):
        p, q = binning.shares(reference, current)
        return _from_overlap(float(np.sum(np.sqrt(p * q))))
    low, high = binning.span(reference.values, current.values)
    count = _distinct(reference.values, current.values)
    whole = binning.is_whole(reference.values) and binning.is_whole(current.values)
    bins = binning.sturges_bins(low, high, count, whole=whole)
    p, q = (binning.histogram(side.values, low, high, bins) for side in (reference, current))
    return _from_overlap(float(np.sum(np.sqrt(p * q))))


def wasserstein(reference: Numbers, current: Numbers) -> float:
    """The first Wasserstein distance in standard deviations of the reference."""
    norm = max(float(np.std(reference.values)), SMALLEST_STD)
    return _earth_moved(reference.values, current.values) / norm


def energy(reference: Numbers, current: Numbers) -> float:
    from scipy.stats import (
        energy_distance,
    )  # late: scipy.stats costs 80 MB and a second, the web part has no use for it

    return float(energy_distance(reference.values, current.values))


def _earth_moved(first: Values, second: Values) -> float:
    """The area between both distribution functions; for windows of one size the mean gap between sorted values."""
    mine, theirs = np.sort(first), np.sort(second)
    if len(mine) == len(theirs):
        return float(np.mean(np.abs(np.subtract(mine, theirs, dtype=np.float64))))
    both = np.concatenate([mine, theirs]).astype(np.float64, copy=False)
    both.sort()
    gaps = np.diff(both)
    below = np.searchsorted(mine, both[:-1], side="right") / len(mine)
    below -= np.searchsorted(theirs, both[:-1], side="right") / len(theirs)
    return float(np.sum(np.abs(below) * gaps))


def _distinct(first: Values, second: Values) -> int:
    return len(np.union1d(first, second))


def _from_overlap(overlap: float) -> float:
    return sqrt(1 - min(max(overlap, 0.0), 1.0))


def _relative_entropy(p: binning.Shares, q: binning.Shares) -> float:
    held = p > 0
    return float(np.sum(p[held] * np.log(p[held] / q[held])))
