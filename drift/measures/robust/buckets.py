"""Buckets that the reference fixes once: by its quantiles or its categories, and one each for what it never had."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xxhash

from drift.measures.columns import (
    Column,
    Kind,
    Labels,
    Numbers,
    Texts,
    Values,
    Vectors,
    has_more_levels_than,
    level_name,
)

QUANTILES = 10
DISCRETE_UP_TO = 20  # distinct numbers of the reference: up to here each has its own bucket
LEVELS_UP_TO = 1000  # categories of the reference: beyond, they share buckets by their hash
UNSEEN_SHARE = 0.005  # of the reference's rows with a category of their own: so many rows are new in any window
UNSEEN_ROWS = 5
HASH_BUCKETS = 64


@dataclass(frozen=True, slots=True)
class Buckets:
    """How to count a column. Immutable: counts by two versions never mix.

    `edges` e0...ek make the bins [e0, e1) ... [ek-1, ek]. `levels` are categories as text; `hashed` says that there
    were too many of them for the reference to know all, so that new ones mean nothing and are not told. `center` and
    `scale` keep sums of squares exact. Text, embeddings and empty columns have one bucket: that there is a value.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    hashed: int = 0
    center: float = 0.0
    scale: float = 1.0

    @property
    def size(self) -> int:
        return self.hashed or len(self.levels) or max(len(self.edges) - 1, 1)

    @property
    def is_ordered(self) -> bool:
        return self.kind is Kind.NUMERICAL


def fix_buckets(reference: Column) -> Buckets:
    if isinstance(reference, Numbers) and reference.present:
        return _of_numbers(reference)
    if isinstance(reference, Labels) and reference.present:
        return _of_labels(reference)
    return Buckets(reference.name, reference.kind if isinstance(reference, Texts | Vectors) else Kind.UNKNOWN)


def hash_bucket(level: str, buckets: int) -> int:
    return xxhash.xxh64_intdigest(level.encode()) % buckets


def labels_of_buckets(buckets: Buckets) -> tuple[str, ...]:
    """What a person reads below the bars of a histogram, inner buckets only."""
    if buckets.hashed:
        return tuple(f"hash {place}" for place in range(buckets.hashed))
    if not buckets.edges:
        return buckets.levels or ("any value",)
    return tuple(f"{low:.4g}" if low == high else f"{low:.4g} ... {high:.4g}" for low, high in pairwise(buckets.edges))


def _of_numbers(reference: Numbers) -> Buckets:
    values = reference.values
    if has_more_levels_than(reference, DISCRETE_UP_TO):
        edges = _quantile_edges(values)
    else:
        distinct = np.unique(values).astype(np.float64)
        edges = [*distinct.tolist(), float(distinct[-1])]
    with np.errstate(over="ignore", invalid="ignore"):
        center, spread = float(np.mean(values)), float(np.std(values))
    if not (np.isfinite(spread) and spread > 0):
        center, spread = 0.0, 1.0
    return Buckets(reference.name, Kind.NUMERICAL, edges=tuple(edges), center=center, scale=spread)


def _quantile_edges(values: Values) -> list[float]:
    """Deciles; a value that fills more than one of them gets a bucket of its own."""
    found = np.quantile(values, np.linspace(0, 1, QUANTILES + 1)).astype(np.float64)
    edges = set(found.tolist())
    repeated = {low for low, high in pairwise(found.tolist()) if low == high and low < found[-1]}
    edges |= {float(np.nextafter(value, np.inf)) for value in repeated}
    ordered = sorted(edges)
    return [*ordered, ordered[-1]] if found[-1] == found[-2] else ordered


def _of_labels(reference: Labels) -> Buckets:
    counts = reference.counts()
    levels = sorted({level_name(level) for level in counts})
    unseen = sum(found == 1 for found in counts.values())
    if len(levels) > LEVELS_UP_TO or unseen > max(UNSEEN_SHARE * reference.present, UNSEEN_ROWS):
        return Buckets(reference.name, Kind.CATEGORICAL, hashed=HASH_BUCKETS)
    return Buckets(reference.name, Kind.CATEGORICAL, levels=tuple(levels))
