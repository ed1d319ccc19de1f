"""Rows per bucket of a window. Counts add up: an hour is the sum of its batches, a day the sum of its hours."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import xxhash

from drift.measures.columns import Column, Labels, Numbers, level_name
from drift.measures.errors import OtherBucketsError
from drift.measures.robust.buckets import Buckets, hash_bucket

NEW_LEVELS_KEPT = 50
FARTHEST = 1e6  # deviations: what lies beyond counts as this far, so that sums stay finite


@dataclass(frozen=True, slots=True)
class Counts:
    """Addition is associative and commutative, in every field but the two sums of floats exactly.

    `new_levels` keeps the new categories with the lowest hashes, each with its full count: the same ones in whatever
    order windows are added. `misfits` are values of another type and infinities. `total` and `squares` are of
    (value - center) / scale.
    """

    name: str
    inside: tuple[int, ...]
    rows: int = 0
    nulls: int = 0
    misfits: int = 0
    below: int = 0
    above: int = 0
    new: int = 0
    new_levels: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Self) -> Self:
        if (self.name, len(self.inside)) != (other.name, len(other.inside)):
            raise OtherBucketsError(self.name)
        return type(self)(
            self.name,
            tuple(mine + theirs for mine, theirs in zip(self.inside, other.inside, strict=True)),
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            misfits=self.misfits + other.misfits,
            below=self.below + other.below,
            above=self.above + other.above,
            new=self.new + other.new,
            new_levels=_lowest_hashes(self.new_levels, other.new_levels),
            low=min(_known(self.low, other.low), default=None),
            high=max(_known(self.high, other.high), default=None),
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    @property
    def present(self) -> int:
        """Rows with a value of the right type."""
        return sum(self.inside) + self.below + self.above + self.new

    @property
    def mean(self) -> float:
        """In deviations of the reference from its mean."""
        counted = sum(self.inside) + self.below + self.above
        return self.total / counted if counted else 0.0

    @property
    def distinct_buckets(self) -> int:
        return sum(count > 0 for count in (*self.inside, self.below, self.above, self.new))


def nothing(buckets: Buckets) -> Counts:
    """The counts of no rows, to add others to."""
    return Counts(buckets.name, (0,) * buckets.size)


def count(buckets: Buckets, column: Column) -> Counts:
    """Count a column, read by the kind of its buckets; what has another kind is all misfits."""
    if isinstance(column, Numbers) and buckets.edges:
        return _count_numbers(buckets, column)
    if isinstance(column, Labels) and (buckets.levels or buckets.hashed):
        return _count_labels(buckets, column)
    if buckets.edges or buckets.levels or buckets.hashed:
        inside, misfits = (0,) * buckets.size, column.present
    else:
        inside, misfits = (column.present,), 0
    return Counts(buckets.name, inside, rows=column.rows, nulls=column.nulls, misfits=misfits)


def _count_numbers(buckets: Buckets, column: Numbers) -> Counts:
    """By comparisons with each edge: over a million rows five times as fast as a search in the edges."""
    values, edges = column.values, buckets.edges
    from_edge = [int(np.count_nonzero(values >= edge)) for edge in edges[:-1]]
    above = int(np.count_nonzero(values > edges[-1]))
    inside = tuple(here - beyond for here, beyond in zip(from_edge, [*from_edge[1:], above], strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.clip((values - buckets.center) / buckets.scale, -FARTHEST, FARTHEST)
    return Counts(
        buckets.name,
        inside,
        rows=column.rows,
        nulls=column.nulls,
        misfits=column.misfits + column.infinite,
        below=column.present - from_edge[0],
        above=above,
        low=float(values.min()) if column.present else None,
        high=float(values.max()) if column.present else None,
        total=float(scaled.sum()),
        squares=float(np.dot(scaled, scaled)),
    )


def _count_labels(buckets: Buckets, column: Labels) -> Counts:
    places = {level: place for place, level in enumerate(buckets.levels)}
    inside, new = [0] * buckets.size, dict[str, int]()
    for level, found in column.counts().items():
        name = level_name(level)
        place = hash_bucket(name, buckets.hashed) if buckets.hashed else places.get(name)
        if place is None:
            new[name] = new.get(name, 0) + found
        else:
            inside[place] += found
    kept = _lowest_hashes(tuple(new.items()), ())
    return Counts(
        buckets.name, tuple(inside), rows=column.rows, nulls=column.nulls, new=sum(new.values()), new_levels=kept
    )


def _lowest_hashes(
    mine: tuple[tuple[str, int], ...], theirs: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """A level among the lowest hashes of a sum is among them in each part that has it: so its count is whole."""
    both = dict(mine)
    for level, found in theirs:
        both[level] = both.get(level, 0) + found
    kept = sorted(both, key=lambda level: (xxhash.xxh64_intdigest(level.encode()), level))[:NEW_LEVELS_KEPT]
    return tuple((level, both[level]) for level in kept)


def _known(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]
