"""Figures of availability: the worked cases, and the fast way against a slow one that looks at every second."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.availability import slots, timelines
from monitoring.availability.figures import Availability, Member, Tally, redundancy
from monitoring.availability.slots import Seen, Stretch, Terms
from monitoring.availability.states import State

UP, DEGRADED, DOWN, UNKNOWN = State.UP, State.DEGRADED, State.DOWN, State.UNKNOWN
IDLE, WORK = State.IDLE, State.MAINTENANCE
SECOND = slots.SECOND_US
DAY = 86_400 * SECOND
STORED = (UP, DEGRADED, DOWN, WORK, IDLE)


def percent(share: Fraction | None, digits: int = 3) -> float | None:
    return None if share is None else round(float(share * 100), digits)


def shown(found: Availability) -> tuple[float | None, ...]:
    return (
        percent(found.observed),
        percent(found.coverage, 2),
        percent(found.lower),
        percent(found.upper),
    )


def stretches(*parts: tuple[int, int, State]) -> list[Stretch]:
    return [Stretch(start * SECOND, end * SECOND, state) for start, end, state in parts]


def test_eighty_thousand_up_and_six_thousand_missing_give_a_share_with_bounds() -> None:
    seen = stretches((0, 40_000, UP), (40_000, 40_400, DOWN), (46_400, 86_400, UP))
    tally = slots.tally(Terms(0, SECOND, DAY), seen, 0, DAY)
    assert tally == Tally(up_s=80_000, down_s=400, unknown_s=6_000)
    assert shown(tally.availability) == (99.502, 93.06, 92.593, 99.537)
    assert tally.availability.needs_bounds


def test_a_short_series_weighs_by_its_slots_and_not_as_one_of_two() -> None:
    step = 30 * SECOND
    day = slots.tally(Terms(0, step, DAY), stretches((0, 86_400, UP)), 0, DAY)
    short = slots.tally(Terms(7 * SECOND, step, 307 * SECOND), stretches((7, 307, DOWN)), 0, DAY)
    assert shown((day + short).availability) == (99.654, 100.0, 99.654, 99.654)


def test_three_replicas_never_down_together_make_a_service_that_never_is() -> None:
    out = [(index * 10_000, index * 10_000 + 2_592) for index in range(3)]
    replicas = [stretches((0, start, UP), (start, end, DOWN), (end, 86_400, UP)) for start, end in out]
    each = [shown(timelines.tally(replica, 0, DAY).availability)[0] for replica in replicas]
    service = timelines.combined(replicas, timelines.service(1))
    assert each == [97.0, 97.0, 97.0]
    assert service == stretches((0, 86_400, UP))
    assert timelines.tally(service, 0, DAY) == Tally(up_s=Fraction(86_400))


def test_without_traffic_there_is_no_verdict() -> None:
    tally = slots.tally(Terms(0, SECOND, DAY), stretches((0, 86_400, IDLE)), 0, DAY)
    assert tally.availability == Availability(None, None, None, None)
    assert not tally.availability.has_verdict


def test_unknown_time_alone_gives_bounds_and_nothing_observed() -> None:
    assert Tally(unknown_s=10).availability == Availability(None, Fraction(0), Fraction(0), Fraction(1))


def test_a_window_counts_slots_whose_nominal_instant_lies_in_it() -> None:
    step = 30 * SECOND
    terms = Terms(20 * SECOND, step, DAY)
    seen = stretches((20, 110, UP))
    assert [slots.tally(terms, seen, 0, end * SECOND).up_s for end in (20, 21, 50, 51)] == [0, 30, 30, 60]


@pytest.mark.parametrize(
    ("states", "needs", "expected"),
    [
        ((UP, DOWN, DOWN), 1, UP),
        ((UP, DEGRADED, DOWN), 2, DEGRADED),
        ((UP, UNKNOWN, DOWN), 2, UNKNOWN),
        ((UP, DOWN, DOWN), 2, DOWN),
        ((WORK, WORK), 1, WORK),
        ((WORK, UP), 1, UP),
        ((WORK, DOWN), 1, DOWN),
        ((IDLE, IDLE), 1, IDLE),
        ((), 1, None),
    ],
)
def test_a_service_is_what_enough_of_its_children_are(
    states: tuple[State, ...], needs: int, expected: State | None
) -> None:
    assert timelines.service(needs)(timelines.count(states)) is expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((UP, UP), UP),
        ((UP, DOWN), DEGRADED),
        ((DOWN, DOWN), DOWN),
        ((DOWN, UNKNOWN), UNKNOWN),
        ((UP, UNKNOWN), UNKNOWN),
        ((UP, DEGRADED), DEGRADED),
        ((UP, IDLE), UP),
        ((), None),
    ],
)
def test_what_one_probe_sees_is_up_only_as_a_whole(states: tuple[State, ...], expected: State | None) -> None:
    assert timelines.all_alike(timelines.count(states)) is expected


def test_a_service_survives_the_loss_of_its_largest_zone_or_does_not_or_nobody_knows() -> None:
    def of(*members: tuple[str, State], needs: int = 1) -> tuple[bool | None, str]:
        found = redundancy([Member(f"r{place}", zone, state) for place, (zone, state) in enumerate(members)], needs)
        return found.survives, found.sentence

    assert of(("a", UP), ("a", UP), ("b", UP)) == (True, "Without a 1 are left, 1 needed.")
    assert of(("a", UP), ("a", UP), ("b", UP), needs=2) == (False, "Without a 1 would be left, 2 needed.")
    assert of(("a", UP), ("b", DOWN)) == (False, "Without a 0 would be left, 1 needed.")
    assert of(("a", UP), ("b", UNKNOWN)) == (None, "Nobody knows: 1 cannot be seen.")
    assert of(("a", UP), ("", UP)) == (None, "Nobody knows: r1 has no zone.")
    assert of(("a", DOWN)) == (False, "None is ready, 1 needed.")
    assert of() == (None, "There is nothing below it.")


Slots = dict[int, State]
slot_maps = st.dictionaries(st.integers(-20, 40), st.sampled_from(STORED), max_size=40)
spans = st.lists(st.tuples(st.integers(-20, 60), st.integers(1, 20)), max_size=3)


@given(known=slot_maps, new=slot_maps, step=st.integers(1, 7), phase=st.integers(-5, 5))
def test_merging_gives_the_worse_of_each_slot(known: Slots, new: Slots, step: int, phase: int) -> None:
    def laid(found: Slots) -> list[Stretch]:
        return slots.joined({phase + number * step: Seen(state) for number, state in found.items()}, step)

    both = dict(known)
    for number, state in new.items():
        held = both.get(number, IDLE)
        both[number] = state if slots.SEVERITY[state] > slots.SEVERITY[held] else held
    assert slots.merged(laid(known), laid(new)) == laid(both)
    assert slots.merged(laid(both), laid(new)) == laid(both)


@given(
    seen=st.dictionaries(st.integers(0, 40), st.sampled_from(STORED), max_size=40),
    grid=st.tuples(st.integers(1, 5), st.integers(-10, 10)),
    length=st.integers(0, 45),
    cut=st.tuples(st.integers(-30, 200), st.integers(0, 200)),
    work=spans,
)
def test_counting_slots_is_what_looking_at_each_would_give(
    seen: Slots, grid: tuple[int, int], length: int, cut: tuple[int, int], work: list[tuple[int, int]]
) -> None:
    step, first = grid
    start, end = cut[0], cut[0] + cut[1]
    planned = _apart(work)
    expected: Counter[State] = Counter()
    for number in range(length):
        at = first + number * step
        if start <= at < end:
            is_work = any(low <= at < high for low, high in planned)
            expected[WORK if is_work else seen.get(number, UNKNOWN)] += step
    laid = slots.joined({first + number * step: Seen(state) for number, state in seen.items()}, step)
    terms = Terms(first, step, first + length * step)
    found = slots.tally(terms, laid, start, end, planned)
    scaled = {state: Fraction(seconds, SECOND) for state, seconds in expected.items()}
    assert found == Tally.of(scaled)


@given(lines=st.lists(st.lists(st.sampled_from([*State, None]), max_size=12), max_size=4), needs=st.integers(1, 4))
def test_a_sweep_is_what_looking_at_each_instant_would_give(lines: list[list[State | None]], needs: int) -> None:
    def laid(line: list[State | None]) -> list[Stretch]:
        return [Stretch(at, at + 1, state) for at, state in enumerate(line) if state is not None]

    for judge in (timelines.service(needs), timelines.all_alike, timelines.worst):
        each = [
            judge(timelines.count(state for line in lines for state in line[at : at + 1] if state)) for at in range(12)
        ]
        found = timelines.combined([laid(line) for line in lines], judge)
        by_instant = [
            next((item.state for item in found if item.from_us <= at < item.until_us), None) for at in range(12)
        ]
        assert by_instant == each
        assert all(one.until_us < two.from_us or one.state is not two.state for one, two in pairwise(found))


@given(
    up=st.integers(0, 10**6),
    degraded=st.integers(0, 10**6),
    down=st.integers(0, 10**6),
    unknown=st.integers(0, 10**6),
)
def test_the_truth_lies_between_the_bounds_whatever_the_unknown_time_was(
    up: int, degraded: int, down: int, unknown: int
) -> None:
    found = Tally(up, degraded, down, unknown_s=unknown).availability
    if found.lower is None or found.upper is None:
        assert (up, degraded, down, unknown) == (0, 0, 0, 0)
        return
    for was_up in {0, unknown // 2, unknown}:
        truth = Tally(up + was_up, degraded, down + unknown - was_up).availability.observed
        assert truth is not None
        assert found.lower <= truth <= found.upper
    if found.observed is not None:
        assert found.lower <= found.observed <= found.upper


def _apart(work: list[tuple[int, int]]) -> list[tuple[int, int]]:
    planned: list[tuple[int, int]] = []
    for low, length in sorted(work):
        if not planned or low >= planned[-1][1]:
            planned.append((low, low + length))
    return planned
