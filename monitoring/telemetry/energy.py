"""Energy counters become microjoules of any range: steps spread evenly, resets and impossible steps seen."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

IMPOSSIBLE = 3


class Step(NamedTuple):
    """Energy used over (start, end], in microjoules."""

    start_us: int
    end_us: int
    energy_uj: int

    def until(self, at_us: int) -> int:
        """The energy from the step's start to `at_us`; floors, so that adjoining ranges sum to the whole."""
        if at_us <= self.start_us:
            return 0
        if at_us >= self.end_us:
            return self.energy_uj
        return self.energy_uj * (at_us - self.start_us) // (self.end_us - self.start_us)


@dataclass(frozen=True, slots=True)
class Counter:
    """One GPU's counter over a window: its steps in order of time, and the ends of impossible ones."""

    steps: tuple[Step, ...] = ()
    rejected_at: tuple[int, ...] = ()
    _ends: tuple[int, ...] = field(default=())
    _sums: tuple[int, ...] = field(default=())

    @classmethod
    def read(cls, samples: Sequence[tuple[int, int]], board_watts: float) -> "Counter":
        """From (microseconds, microjoules), ascending. A negative step is a reset: the new value is added."""
        steps, rejected = [], []
        for (before_us, before), (after_us, after) in pairwise(samples):
            used = after - before if after >= before else after
            if used > IMPOSSIBLE * board_watts * (after_us - before_us):  # watts x microseconds are microjoules
                rejected.append(after_us)
            else:
                steps.append(Step(before_us, after_us, used))
        sums, total = [], 0
        for step in steps:
            sums.append(total)
            total += step.energy_uj
        return cls(tuple(steps), tuple(rejected), tuple(step.end_us for step in steps), tuple(sums))

    def within(self, start_us: int, end_us: int) -> int:
        """Microjoules used in [start, end) as far as steps tell."""
        return self._until(end_us) - self._until(start_us)

    def covers(self, start_us: int, end_us: int) -> bool:
        """Whether any step reaches into [start, end)."""
        place = bisect_right(self._ends, start_us)
        return place < len(self.steps) and self.steps[place].start_us < end_us

    def counted_until(self, at_us: int) -> int | None:
        """Until when, up to `at_us`, steps have counted; None where no step starts before."""
        place = bisect_left(self._ends, at_us)
        if place < len(self.steps) and self.steps[place].start_us < at_us:
            return at_us
        return self._ends[place - 1] if place else None

    def _until(self, at_us: int) -> int:
        place = bisect_right(self._ends, at_us)
        if place == len(self.steps):
            return self._sums[-1] + self.steps[-1].energy_uj if self.steps else 0
        return self._sums[place] + self.steps[place].until(at_us)
