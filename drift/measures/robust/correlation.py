"""Columns that move together in the reference, so that one cause opens one finding."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from drift.measures.columns import Kind, Labels, Numbers
from drift.measures.windows.events import EventWindow

STRONG = 0.7  # of Spearman's rank correlation, and of Cramér's V where a column has categories
LEVELS_COMPARED = 50
COLUMNS_COMPARED = 300
ROWS_NEEDED = 50
MANY_NULLS = 0.5


def correlated_groups(sample: EventWindow, kinds: dict[str, Kind]) -> tuple[tuple[str, ...], ...]:
    """Connected columns, each group in the order of the columns; columns on their own are in no group."""
    if sample.rows < ROWS_NEEDED:
        return ()
    names = [name for name in sample.names if kinds.get(name) in {Kind.NUMERICAL, Kind.CATEGORICAL}][:COLUMNS_COMPARED]
    ranked = {name: ranks for name in names if (ranks := _ranks(sample, name, kinds[name])) is not None}
    pairs = [(a, b) for a, b in combinations(ranked, 2) if _association(ranked[a], ranked[b]) >= STRONG]
    return _connected(tuple(ranked), pairs)


def _ranks(sample: EventWindow, name: str, kind: Kind) -> "_Ranks | None":
    """Ranks by row; nulls lie in the middle. None for what has one value or is mostly null."""
    places = [place for place, event in enumerate(sample.events) if event.get(name) is not None]
    values = EventWindow([{name: sample.events[place][name]} for place in places]).column(name, kind)
    if not isinstance(values, Numbers | Labels) or values.present != len(places):
        return None
    codes = values.codes if isinstance(values, Labels) else values.values
    levels, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(levels) == 1 or len(places) < MANY_NULLS * sample.rows:
        return None
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks = np.full(sample.rows, (len(places) + 1) / 2)
    ranks[places] = middle[inverse]
    return _Ranks(ranks, is_ordered=kind is Kind.NUMERICAL)


class _Ranks:
    def __init__(self, ranks: NDArray[np.float64], *, is_ordered: bool) -> None:
        self.is_ordered = is_ordered
        self.standard = (ranks - ranks.mean()) / ranks.std()
        self.codes = np.unique(ranks, return_inverse=True)[1]
        if is_ordered and self.codes.max() >= LEVELS_COMPARED:
            self.codes = (ranks * 10 / (ranks.max() + 1)).astype(np.int64)


def _association(mine: _Ranks, theirs: _Ranks) -> float:
    if mine.is_ordered and theirs.is_ordered:
        return abs(float(np.mean(mine.standard * theirs.standard)))
    return _cramers_v(mine.codes, theirs.codes)


def _cramers_v(mine: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """Corrected for its bias, so that many levels in few rows are no association."""
    width, rows = int(theirs.max()) + 1, len(mine)
    table = np.bincount(mine * width + theirs, minlength=(int(mine.max()) + 1) * width).reshape(-1, width).astype(float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, k = table.shape
    if min(r, k) < 2 or max(r, k) > LEVELS_COMPARED:  # noqa: PLR2004 - one level goes with nothing
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    phi = max(0.0, float(np.sum((table - expected) ** 2 / expected)) / rows - (r - 1) * (k - 1) / (rows - 1))
    smaller = min(r - (r - 1) ** 2 / (rows - 1), k - (k - 1) ** 2 / (rows - 1)) - 1
    return float(np.sqrt(phi / smaller)) if smaller > 0 else 0.0


def _connected(names: tuple[str, ...], pairs: list[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    root = {name: name for name in names}
    for first, second in pairs:
        old, new = root[second], root[first]
        root = {name: new if at == old else at for name, at in root.items()}
    groups = {at: tuple(name for name in names if root[name] == at) for at in root.values()}
    return tuple(group for group in groups.values() if len(group) > 1)
