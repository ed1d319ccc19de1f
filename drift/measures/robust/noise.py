"""How large an effect chance alone makes at a window's size: a seeded bootstrap of the reference."""

from functools import lru_cache

import numpy as np
import xxhash

from drift.measures.robust.counts import Counts
from drift.measures.robust.effects import all_buckets, effect_sizes

DRAWS = 500
DEVIATIONS = 4.0
CELLS = 200_000  # drawn at most: columns with many categories make do with fewer draws
FEWEST_DRAWS = 100


def noise_band(reference: Counts, rows: int, *, is_ordered: bool) -> float:
    """The mean effect between two samples of the reference plus four standard deviations.

    Both samples are drawn, as the reference itself was: one of its own size, one of `rows`. The same every time.
    """
    cells = tuple(int(cell) for cell in all_buckets(reference))
    return _band(reference.name, cells, _rounded(rows), is_ordered)


@lru_cache(maxsize=4096)
def _band(name: str, cells: tuple[int, ...], rows: int, is_ordered: bool) -> float:  # noqa: FBT001 - a key of the cache
    held = np.asarray(cells, dtype=np.float64)
    shares = held / held.sum()
    draws = max(FEWEST_DRAWS, min(DRAWS, CELLS // len(cells)))
    chance = np.random.default_rng(xxhash.xxh64_intdigest(f"{name} {rows}".encode()))
    mine = chance.multinomial(int(held.sum()), shares, size=draws).astype(np.float64)
    theirs = chance.multinomial(rows, shares, size=draws).astype(np.float64)
    sizes = effect_sizes(mine, theirs, is_ordered=is_ordered)
    return float(sizes.mean() + DEVIATIONS * sizes.std())


def _rounded(rows: int) -> int:
    """Down to two digits: windows of nearly one size share a band, which is never too narrow."""
    step = int(10 ** max(len(str(rows)) - 2, 0))
    return max(rows // step * step, 1)
