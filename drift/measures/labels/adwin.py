"""ADWIN: a window over a stream of numbers that drops its past as soon as the mean has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Self

DELTA = 1e-5  # of a false alarm at one check: fewer than with the usual 0.002, for some rows more to see a change
BUCKETS_PER_ROW = 5
CHECK_EVERY = 16  # rows
SHORTEST = 10  # rows on either side of a cut


@dataclass(frozen=True, slots=True)
class Cut:
    """A change of the mean, and the row (from 0) at which it was seen; `since` is where the new window begins."""

    row: int
    since: int
    before: float
    after: float

    @property
    def is_rise(self) -> bool:
        return self.after > self.before


class Adwin:
    """Buckets of 1, 2, 4, ... rows with their sums, the newest first: a million rows are about a hundred buckets.

    Values lie in 0 ... 1. Source: Bifet and Gavalda, Learning from Time-Changing Data with Adaptive Windowing (2007),
    with the bound that uses the variance.
    """

    def __init__(self, delta: float = DELTA) -> None:
        self.delta = delta
        self.seen = 0
        self._sizes: list[int] = []  # from the newest to the oldest
        self._sums: list[float] = []
        self._squares: list[float] = []

    @property
    def width(self) -> int:
        return sum(self._sizes)

    @property
    def mean(self) -> float:
        return sum(self._sums) / self.width if self._sizes else 0.0

    def add(self, value: float) -> Cut | None:
        """Take one value in; the change that it reveals, if any."""
        self._sizes.insert(0, 1)
        self._sums.insert(0, value)
        self._squares.insert(0, value * value)
        self._merge_full_rows()
        self.seen += 1
        return self._cut() if self.seen % CHECK_EVERY == 0 else None

    def to_state(self) -> dict[str, Any]:
        """Plain values to store between batches; `from_state` goes on as if there had been no pause."""
        buckets = [list(bucket) for bucket in zip(self._sizes, self._sums, self._squares, strict=True)]
        return {"delta": self.delta, "seen": self.seen, "buckets": buckets}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        restored = cls(state["delta"])
        restored.seen = state["seen"]
        restored._sizes, restored._sums, restored._squares = (
            [bucket[part] for bucket in state["buckets"]] for part in range(3)
        )
        return restored

    def _merge_full_rows(self) -> None:
        """Where six buckets have one size, the two oldest of them become one of twice that size."""
        first = 0
        while (last := self._end_of_size(first)) - first > BUCKETS_PER_ROW:
            self._sizes[last - 2] += self._sizes.pop(last - 1)
            self._sums[last - 2] += self._sums.pop(last - 1)
            self._squares[last - 2] += self._squares.pop(last - 1)
            first = last - 2

    def _end_of_size(self, first: int) -> int:
        last = first
        while last < len(self._sizes) and self._sizes[last] == self._sizes[first]:
            last += 1
        return last

    def _cut(self) -> Cut | None:
        """Forget what lies before the cut whose two means differ most, if that is more than chance allows."""
        kept = self._clearest_cut()
        if kept is None:
            return None
        older = sum(self._sizes[kept:])
        before = sum(self._sums[kept:]) / older
        for held in (self._sizes, self._sums, self._squares):
            del held[kept:]
        return Cut(self.seen - 1, self.seen - self.width, before, self.mean)

    def _clearest_cut(self) -> int | None:
        """How many of the newest buckets lie after it."""
        width, total = self.width, sum(self._sums)
        variance = max(sum(self._squares) / width - (total / width) ** 2, 0.0)
        certainty = log(2 * log(max(width, SHORTEST)) / self.delta)
        newer, newer_sum, clearest, place = 0, 0.0, 1.0, None
        for kept, (size, part) in enumerate(zip(self._sizes[:-1], self._sums[:-1], strict=True), start=1):
            newer, newer_sum = newer + size, newer_sum + part
            older = width - newer
            if min(newer, older) < SHORTEST:
                continue
            gap = abs(newer_sum / newer - (total - newer_sum) / older)
            allowed = _allowed(1 / (1 / newer + 1 / older), variance, certainty)
            if gap / allowed > clearest:
                clearest, place = gap / allowed, kept
        return place


def _allowed(rows: float, variance: float, certainty: float) -> float:
    """The gap of two means that chance explains; `rows` is the harmonic size of both sides."""
    return sqrt(2 / rows * variance * certainty) + 2 / (3 * rows) * certainty


def cuts(values: Iterable[float], delta: float = DELTA) -> list[Cut]:
    """Every change in a stream."""
    detector = Adwin(delta)
    return [cut for value in values if (cut := detector.add(value)) is not None]
