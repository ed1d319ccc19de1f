"""A series of a service's process: its labels, and its value at each scrape by what is wrong then."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fleetledger.demo.outages import Fault
from fleetledger.demo.targets import Target, troubles
from fleetledger.demo.work import GRID_S

Faults = Sequence[Fault | None]
Says = Callable[[int, Faults], str | None]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """The scrapes of [start, end), in which no fault begins or ends."""

    start: int
    end: int
    value: Callable[[int], str | None]


@dataclass(frozen=True)
class Signal:
    """`says` gives the value at a scrape by the faults of `targets` then; None where there is no sample."""

    cluster: str
    labels: Labels
    targets: tuple[Target, ...]
    says: Says

    @property
    def name(self) -> str:
        return self.labels[0][1]

    def segments(self, start: int, end: int) -> Iterator[Segment]:
        """[start, end) from one change of its targets to the next."""
        found = [troubles(target, start, end) for target in self.targets]
        edges = {start, end} | {at for some in found for one in some for at in (one.start, one.end) if start < at < end}
        for first, last in pairwise(sorted(edges)):
            faults = [next((one.fault for one in some if one.start <= first < one.end), None) for some in found]
            yield Segment(first, last, self._during(faults))

    def samples(self, grid: range) -> list[tuple[float, str]]:
        """Those of these instants, which are multiples of the scrape interval."""
        if not grid:
            return []
        found = (
            (at, one.value(at))
            for one in self.segments(grid[0], grid[-1] + GRID_S)
            for at in range(one.start, one.end, GRID_S)
        )
        return [(at, value) for at, value in found if value is not None]

    def _during(self, faults: Faults) -> Callable[[int], str | None]:
        return lambda at: self.says(at, faults)


def signal(name: str, target: Target, says: Says, **labels: str) -> Signal:
    """A series that one process gives."""
    return Signal(target.cluster, labelled(name, target.labels | labels), (target,), says)


def labelled(name: str, labels: Mapping[str, str]) -> Labels:
    """Sorted, with the name first; empty labels are none."""
    return (("__name__", name), *sorted((label, value) for label, value in labels.items() if value))
