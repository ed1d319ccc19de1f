"""Slots of one series: which one a sample belongs to, how they join to stretches, and how many a window holds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from monitoring.availability.figures import Seconds, Tally
from monitoring.availability.states import State

SECOND_US = 1_000_000
_WORSE = (State.IDLE, State.MAINTENANCE, State.UP, State.DEGRADED, State.DOWN)
SEVERITY: Mapping[State, int] = {state: place for place, state in enumerate(_WORSE)}
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sample says."""

    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """[from, until) in microseconds: whole slots that say the same."""

    from_us: int
    until_us: int
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """A series' grid and how long it is expected: `until_us` is its end, or until when slots are due by now."""

    first_us: int
    step_us: int
    until_us: int

    def count(self, from_us: int, until_us: int) -> int:
        """Slots whose nominal instant lies in [from, until)."""
        return max(0, self._before(until_us) - self._before(from_us))

    def _before(self, at_us: int) -> int:
        return max(0, -((self.first_us - at_us) // self.step_us))


def nominal(first_us: int, step_us: int, at_us: int) -> int:
    """The nominal instant nearest to a sample."""
    return first_us + (at_us - first_us + step_us // 2) // step_us * step_us


def worse(one: Seen, other: Seen) -> Seen:
    """The worse of two samples in one slot; the first where they say the same."""
    return other if SEVERITY[other.state] > SEVERITY[one.state] else one


def joined(slots: Mapping[int, Seen], step_us: int) -> list[Stretch]:
    """Slots by their nominal instants, as stretches."""
    found = (Stretch(at, at + step_us, slots[at].state, slots[at].detail) for at in sorted(slots))
    return _joined(found)


def merged(known: Sequence[Stretch], new: Sequence[Stretch]) -> list[Stretch]:
    """Both together, in order; where they lie on each other the worse counts. Neither overlaps itself."""
    edges = sorted({edge for item in (*known, *new) for edge in (item.from_us, item.until_us)})
    return _joined(_pieces(edges, known, new))


def tally(
    terms: Terms, stretches: Iterable[Stretch], from_us: int, until_us: int, maintenance: Sequence[Span] = ()
) -> Tally:
    """Seconds by state of the slots in [from, until); what is expected and not covered is unknown.

    `maintenance`: spans that do not overlap; a slot whose nominal instant lies in one is maintenance, whatever it says.
    """
    until_us = min(until_us, terms.until_us)
    counts: dict[State, int] = defaultdict(int)
    covered = in_work = 0
    for item in stretches:
        start, end = max(item.from_us, from_us), min(item.until_us, until_us)
        here = terms.count(start, end)
        work = sum(terms.count(max(start, low), min(end, high)) for low, high in maintenance)
        counts[item.state] += here - work
        covered, in_work = covered + here, in_work + work
    work = sum(terms.count(max(from_us, low), min(until_us, high)) for low, high in maintenance)
    counts[State.MAINTENANCE] += work
    counts[State.UNKNOWN] = terms.count(from_us, until_us) - covered - (work - in_work)
    return Tally.of({state: _seconds(count * terms.step_us) for state, count in counts.items()})


def _seconds(microseconds: int) -> Seconds:
    whole, rest = divmod(microseconds, SECOND_US)
    return whole if not rest else Fraction(microseconds, SECOND_US)


def _pieces(edges: Sequence[int], known: Sequence[Stretch], new: Sequence[Stretch]) -> Iterator[Stretch]:
    mine, others = iter(known), iter(new)
    one, other = next(mine, None), next(others, None)
    for start, end in pairwise(edges):
        while one is not None and one.until_us <= start:
            one = next(mine, None)
        while other is not None and other.until_us <= start:
            other = next(others, None)
        here = [Seen(item.state, item.detail) for item in (one, other) if item is not None and item.from_us <= start]
        if here:
            seen = worse(here[0], here[-1])
            yield Stretch(start, end, seen.state, seen.detail)


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for item in stretches:
        last = found[-1] if found else None
        if last is not None and last.until_us == item.from_us and last.state == item.state:
            found[-1] = Stretch(last.from_us, item.until_us, last.state, last.detail or item.detail)
        else:
            found.append(item)
    return found
