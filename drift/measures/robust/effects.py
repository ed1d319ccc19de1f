"""How far a window is from its reference: effect sizes between 0 and 1 that do not grow with the number of rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.measures.robust.counts import Counts

Table = NDArray[np.float64]
UNORDERED = 3  # new, null, misfit come last
SMALL_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Effect:
    """`shape` is the Jensen-Shannon distance over all buckets (natural logarithms); `location`, for ordered columns,
    the chance that a value of the window lies above one of the reference minus that it lies below.
    """

    shape: float
    location: float

    @property
    def size(self) -> float:
        return max(self.shape, abs(self.location))


def effect(reference: Counts, window: Counts, *, is_ordered: bool) -> Effect:
    if not (reference.rows and window.rows):
        return Effect(shape=0.0, location=0.0)
    mine, theirs = all_buckets(reference), all_buckets(window)
    if is_ordered:
        mine, theirs = with_tails_joined(mine, theirs)
    p, q = mine[np.newaxis], theirs[np.newaxis]
    location = float(_locations(on_a_line(p), on_a_line(q))[0]) if is_ordered else 0.0
    return Effect(shape=float(_shapes(p, q)[0]), location=location)


def effect_sizes(p: Table, q: Table, *, is_ordered: bool) -> NDArray[np.float64]:
    """The sizes of many effects at once: a row of `all_buckets` for each pair of windows."""
    sizes = _shapes(p, q)
    if not is_ordered:
        return sizes
    return np.maximum(sizes, np.abs(_locations(on_a_line(p), on_a_line(q))))


def all_buckets(counts: Counts) -> Table:
    """below, the bins, above, new, null, misfit: the ordered ones first."""
    cells = (counts.below, *counts.inside, counts.above, counts.new, counts.nulls, counts.misfits)
    return np.array(cells, dtype=np.float64)


def on_a_line(table: Table) -> Table:
    """The buckets that are ordered: below, the bins, above."""
    return table[..., :-UNORDERED]


def with_tails_joined(reference: Table, window: Table) -> tuple[Table, Table]:
    """A few values out of range count with the outermost bin: the reference has none there by construction, not by
    chance, so a bucket of their own would raise false alarms. The facts about data tell of them.
    """
    table = np.array([reference, window])
    below, above = 0, table.shape[1] - UNORDERED - 1
    for tail, neighbour in ((below, below + 1), (above, above - 1)):
        if (expected_counts(table)[:, tail] < SMALL_EXPECTED).any():
            table[:, neighbour] += table[:, tail]
            table[:, tail] = 0
    return table[0], table[1]


def expected_counts(table: Table) -> Table:
    """Of each cell, were both rows of one distribution."""
    outer: Table = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
    return outer


def _shapes(p: Table, q: Table) -> NDArray[np.float64]:
    p, q = _as_shares(p), _as_shares(q)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(p > 0, p * np.log(p / middle), 0) + np.where(q > 0, q * np.log(q / middle), 0)
    distances: NDArray[np.float64] = np.sqrt(np.maximum(parts.sum(axis=1) / 2, 0))
    return distances


def _locations(p: Table, q: Table) -> NDArray[np.float64]:
    """Cliff's delta over buckets: ties within a bucket count for neither side."""
    p, q = _as_shares(p), _as_shares(q)
    lower = np.cumsum(p, axis=1) - p
    higher = 1 - lower - p
    found: NDArray[np.float64] = (q * (lower - higher)).sum(axis=1)
    found[(q.sum(axis=1) == 0) | (p.sum(axis=1) == 0)] = 0
    return found


def _as_shares(table: Table) -> Table:
    sums = table.sum(axis=1, keepdims=True)
    shares: Table = np.divide(table, sums, out=np.zeros_like(table), where=sums > 0)
    return shares
