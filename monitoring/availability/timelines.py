"""States over time: of one series, and of many together by a rule, as a component and a service have them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from monitoring.availability.figures import Seconds, Tally
from monitoring.availability.slots import SECOND_US, Span, Stretch, Terms
from monitoring.availability.states import State

Counts = Mapping[State, int]
Judge = Callable[[Counts], State | None]
Timeline = Sequence[Stretch]
"""In order, without overlaps; where it has nothing, nothing was expected."""
_WORST = (State.DOWN, State.UNKNOWN, State.DEGRADED, State.UP, State.MAINTENANCE, State.IDLE)


def of_series(
    terms: Terms, stretches: Sequence[Stretch], from_us: int, until_us: int, maintenance: Sequence[Span] = ()
) -> list[Stretch]:
    """A series in [from, until): its gaps are unknown, before its first slot and after its end there is nothing."""
    start, end = max(from_us, terms.first_us), min(until_us, terms.until_us)
    found: list[Stretch] = []
    at = start
    for item in stretches:
        low, high = max(item.from_us, start), min(item.until_us, end)
        if low >= high:
            continue
        if low > at:
            found.append(Stretch(at, low, State.UNKNOWN))
        found.append(Stretch(low, high, item.state, item.detail))
        at = high
    if at < end:
        found.append(Stretch(at, end, State.UNKNOWN))
    return overlaid(found, maintenance)


def overlaid(timeline: Timeline, maintenance: Sequence[Span]) -> list[Stretch]:
    """With planned work on top of whatever was seen."""
    if not maintenance:
        return list(timeline)
    return list(_with_work(timeline, sorted(maintenance)))


def combined(timelines: Sequence[Timeline], judge: Judge) -> list[Stretch]:
    """What `judge` makes, at each instant, of how many are in which state; details are lost."""
    changes: dict[int, list[tuple[State, int]]] = defaultdict(list)
    for timeline in timelines:
        for item in timeline:
            changes[item.from_us].append((item.state, 1))
            changes[item.until_us].append((item.state, -1))
    counts: dict[State, int] = dict.fromkeys(State, 0)
    found: list[Stretch] = []
    before: tuple[int, State] | None = None
    for at in sorted(changes):
        for state, step in changes[at]:
            counts[state] += step
        now = judge(counts)
        if before is not None and before[1] is not now and before[0] < at:
            found.append(Stretch(before[0], at, before[1]))
        if now is None:
            before = None
        elif before is None or before[1] is not now:
            before = (at, now)
    return found


def service(needs: int) -> Judge:
    """N of M: while enough are healthy it is up. Those in maintenance, or without traffic, do not count."""

    def judge(counts: Counts) -> State | None:
        healthy, degraded, unknown = counts[State.UP], counts[State.DEGRADED], counts[State.UNKNOWN]
        if not healthy + degraded + unknown + counts[State.DOWN]:
            return _nothing_counts(counts)
        if healthy >= needs:
            return State.UP
        if healthy + degraded >= needs:
            return State.DEGRADED
        return State.UNKNOWN if healthy + degraded + unknown >= needs else State.DOWN

    return judge


def all_alike(counts: Counts) -> State | None:
    """The things that one probe sees: up while all are, down while none is, degraded in between."""
    good, down, unknown = counts[State.UP] + counts[State.DEGRADED], counts[State.DOWN], counts[State.UNKNOWN]
    if not good + down + unknown:
        return _nothing_counts(counts)
    if down:
        return State.DEGRADED if good else (State.UNKNOWN if unknown else State.DOWN)
    if unknown:
        return State.UNKNOWN
    return State.DEGRADED if counts[State.DEGRADED] else State.UP


def worst(counts: Counts) -> State | None:
    """Probes that look at one thing from several sides: each of them can say that it is down."""
    return next((state for state in _WORST if counts[state]), None)


def count(states: Iterable[State]) -> dict[State, int]:
    counts = dict.fromkeys(State, 0)
    for state in states:
        counts[state] += 1
    return counts


def tally(timeline: Timeline, from_us: int, until_us: int) -> Tally:
    """Seconds by state within [from, until)."""
    found: dict[State, int] = defaultdict(int)
    for item in timeline:
        found[item.state] += max(0, min(item.until_us, until_us) - max(item.from_us, from_us))
    return Tally.of({state: _seconds(microseconds) for state, microseconds in found.items()})


def _seconds(microseconds: int) -> Seconds:
    return Fraction(microseconds, SECOND_US)


def _nothing_counts(counts: Counts) -> State | None:
    if counts[State.MAINTENANCE]:
        return State.MAINTENANCE
    return State.IDLE if counts[State.IDLE] else None


def _with_work(timeline: Timeline, spans: Sequence[Span]) -> Iterator[Stretch]:
    for item in timeline:
        at = item.from_us
        for low, high in spans:
            start, end = max(at, low), min(item.until_us, high)
            if start >= end:
                continue
            if start > at:
                yield Stretch(at, start, item.state, item.detail)
            yield Stretch(start, end, State.MAINTENANCE)
            at = end
        if at < item.until_us:
            yield Stretch(at, item.until_us, item.state, item.detail)
