"""Samples become seconds that add up: holds, hand-overs, slices, sharing, replicas, bridging and energy."""

from hypothesis import given
from hypothesis import strategies as st

from monitoring.telemetry.energy import Counter
from monitoring.telemetry.integrate import FREE, Fact, integrate
from monitoring.telemetry.plain import PlainGpu
from monitoring.telemetry.sources.readings import Field, Holder, Series
from tests.telemetry.samples import ALICE, BOB, NAN, SECOND_US, UUID, accounted, at, bucket, every, series

S = SECOND_US
NO_COUNTER = Counter()


def _facts(rows: list[Series], counter: Counter = NO_COUNTER, **terms: object) -> list[Fact]:
    return integrate(bucket(**terms), UUID, rows, counter).facts  # type: ignore[arg-type]


def test_a_sample_holds_until_the_next_one_and_at_most_twice_the_scrape_interval() -> None:
    [held, lost] = _facts([series([0, 30, 60, 240, 270], 0.5)])
    assert (held.holder, held.allocated_us, held.busy_us, held.measured_us) == (ALICE, 180 * S, 90 * S, 180 * S)
    assert (lost.holder, lost.unknown_us, lost.busy_us) == (None, 120 * S, 0)


def test_a_sample_before_the_bucket_holds_into_it_and_one_at_its_end_belongs_to_the_next() -> None:
    [held, lost] = _facts([series([-15, 300], 1.0)])
    assert (held.allocated_us, lost.unknown_us) == (45 * S, 255 * S)


def test_a_gpu_that_moves_is_billed_to_each_for_its_own_time() -> None:
    rows = [series(every(30, 0, 150), 0.8), series(every(30, 150, 300), 0.2, holder=BOB)]
    assert [(fact.holder, fact.allocated_us, fact.busy_us) for fact in _facts(rows)] == [
        (ALICE, 150 * S, 120 * S),
        (BOB, 150 * S, 30 * S),
    ]


def test_three_lost_scrapes_are_unknown_and_their_energy_belongs_to_nobody() -> None:
    times = [time for time in every(30, 0, 330) if time not in (90, 120, 150)]
    counter = Counter.read([(at(time), round(time * 300e6)) for time in times], 700)
    [held, lost] = _facts([series(times, 0.5)], counter)
    assert (held.observed_us, lost.unknown_us) == (240 * S, 60 * S)
    assert (held.energy_uj, lost.energy_uj) == (240 * 300_000_000, 60 * 300_000_000)


def test_one_garbage_value_keeps_its_hold_for_allocation_but_not_for_the_mean() -> None:
    values = [50.0] * 10
    values[4] = NAN
    reading = integrate(bucket(), UUID, [series(every(30, 0, 300), values, field=Field.UTIL)])
    [fact] = reading.facts
    assert (fact.allocated_us, fact.measured_us, fact.busy_us) == (300 * S, 270 * S, 135 * S)
    assert reading.rejected_samples == 1


def test_four_time_sliced_pods_share_equally_and_say_that_it_is_an_estimate() -> None:
    pods = [Holder("team-a", f"pod-{number}") for number in range(4)]
    rows = [series(every(30, 0, 300), 0.6, holder=pod) for pod in pods]
    facts = _facts([*rows, series(every(30, 0, 300), 0.6, holder=None)])
    assert [(fact.holder, fact.allocated_us, fact.busy_us, fact.estimated) for fact in facts] == [
        (pod, 75 * S, 45 * S, True) for pod in pods
    ]


def test_one_replica_is_read_and_the_other_is_never_added() -> None:
    one = series(every(30, 0, 120), 0.4, replica="A")
    two = series(every(30, 15, 300), 0.4, replica="B")
    reading = integrate(bucket(), UUID, [one, two])
    assert reading.replica == "B"
    assert [(fact.allocated_us, fact.unknown_us) for fact in reading.facts] == [(285 * S, 0), (0, 15 * S)]


def test_labels_that_vanish_for_a_moment_are_bridged_and_counted() -> None:
    times = every(30, -300, 600)
    gap = [time for time in times if 60 <= time < 180]
    rows = [series([time for time in times if time not in gap], 0.5), series(gap, 0.5, holder=None)]
    [fact] = _facts(rows)
    assert (fact.holder, fact.allocated_us, fact.bridged_us, fact.busy_us) == (ALICE, 300 * S, 120 * S, 150 * S)


def test_labels_that_vanish_for_longer_mean_that_nobody_held_the_gpu() -> None:
    times = every(30, -600, 900)
    gap = [time for time in times if -60 <= time < 360]
    rows = [series([time for time in times if time not in gap], 0.5), series(gap, 0.0, holder=None)]
    assert [(fact.holder, fact.unallocated_us) for fact in _facts(rows)] == [(None, 300 * S)]


def test_slices_hold_their_share_and_the_rest_of_the_gpu_is_free() -> None:
    times = every(30, 0, 300)
    rows = [
        series(times, 1.0, gi_id=7, profile="1g.5gb"),
        series(times, 0.25, gi_id=2, profile="3g.20gb", holder=BOB),
        series(times, 0.9, holder=None),
    ]
    facts = _facts(rows, slices={7: 1, 2: 3})
    assert [(fact.unit.gi_id, fact.holder, fact.allocated_us, fact.unallocated_us) for fact in facts] == [
        (FREE, None, 0, 128_571_429),
        (2, BOB, 128_571_428, 0),
        (7, ALICE, 42_857_143, 0),
    ]
    assert accounted(facts) == 300 * S


def test_a_known_slice_that_is_not_seen_is_unknown_while_its_device_is() -> None:
    facts = _facts([series(every(30, 0, 300), 1.0, gi_id=7, profile="1g.5gb")], slices={7: 1, 2: 3})
    lost = next(fact for fact in facts if fact.unit.gi_id == 2)
    assert (lost.holder, lost.unknown_us) == (None, 128_571_428)
    assert accounted(facts) == 300 * S


def test_energy_is_counted_once_for_the_device_and_split_by_slices() -> None:
    times = every(30, 0, 330)
    counter = Counter.read([(at(time), round(time * 300e6)) for time in times], 500)
    rows = [series(times, 1.0, gi_id=7, profile="1g.5gb"), series(times, 1.0, gi_id=2, profile="3g.20gb", holder=BOB)]
    facts = _facts(rows, counter, slices={7: 1, 2: 3})
    assert sum(fact.energy_uj or 0 for fact in facts) == 300 * 300_000_000


def test_without_a_counter_energy_is_not_known_rather_than_zero() -> None:
    assert [fact.energy_uj for fact in _facts([series(every(30, 0, 300), 0.5)])] == [None]


UNITS: list[list[tuple[int | None, str]]] = [[(None, "")], [(1, "1g.5gb"), (2, "3g.20gb")], [(3, "7g.40gb")]]
HOLDERS = st.sampled_from([None, ALICE, BOB])
VALUES = st.one_of(st.floats(0, 1, width=32), st.just(NAN))


@st.composite
def _device_rows(draw: st.DrawFn) -> list[Series]:
    """Rows of whole GPUs and slices, with gaps, hand-overs and two replicas."""
    rows = []
    for gi_id, profile in draw(st.sampled_from(UNITS)):
        for replica in draw(st.sampled_from([("",), ("a", "b")])):
            times = sorted(draw(st.sets(st.integers(-400, 700), min_size=1, max_size=30)))
            holder = draw(HOLDERS)
            cut = draw(st.integers(0, len(times)))
            for part, owner in ((times[:cut], holder), (times[cut:], draw(HOLDERS))):
                if part:
                    numbers = draw(st.lists(VALUES, min_size=len(part), max_size=len(part)))
                    rows.append(series(part, numbers, holder=owner, replica=replica, gi_id=gi_id, profile=profile))
    return rows


@given(rows=_device_rows(), start=st.integers(0, 299), seen=st.booleans())
def test_allocated_unallocated_and_unknown_are_the_existence_to_the_microsecond(
    rows: list[Series], start: int, *, seen: bool
) -> None:
    slices = {row.unit.gi_id: int(row.profile[0]) for row in rows if row.unit.gi_id is not None}
    span = bucket(start, 300, slices=slices if seen or slices else {5: 2})
    facts = integrate(span, UUID, rows).facts
    assert accounted(facts) == span.length_us
    assert all(min(fact.allocated_us, fact.unallocated_us, fact.unknown_us) >= 0 for fact in facts)
    assert all(fact.busy_us <= fact.measured_us + 1 for fact in facts)
    assert integrate(span, UUID, rows).facts == facts


@given(rows=_device_rows())
def test_a_bucket_read_in_two_parts_holds_what_it_holds_in_one(rows: list[Series]) -> None:
    slices = {row.unit.gi_id: int(row.profile[0]) for row in rows if row.unit.gi_id is not None}
    rows = [row for row in rows if row.replica in ("", "a")]
    whole = integrate(bucket(0, 300, slices=slices), UUID, rows).facts
    parts = [integrate(bucket(*edges, slices=slices), UUID, rows).facts for edges in ((0, 100), (100, 300))]
    for name in ("allocated_us", "unallocated_us", "unknown_us"):
        added = sum(getattr(fact, name) for facts in parts for fact in facts)
        assert abs(sum(getattr(fact, name) for fact in whole) - added) <= len(whole) + sum(map(len, parts))


@st.composite
def _plain_rows(draw: st.DrawFn) -> list[Series]:
    times = sorted(draw(st.sets(st.integers(-400, 700), min_size=1, max_size=40)))
    holder = draw(HOLDERS)
    fields = draw(st.sets(st.sampled_from([Field.GR_ACTIVE, Field.UTIL, Field.FB_USED, Field.DRAM, Field.POWER])))
    return [
        series(times, draw(st.lists(VALUES, min_size=len(times), max_size=len(times))), field=field, holder=holder)
        for field in sorted(fields or {Field.UTIL})
    ]


@given(
    rows=_plain_rows(), start=st.integers(0, 200), counted=st.lists(st.integers(-300, 600), max_size=12, unique=True)
)
def test_the_quick_road_gives_what_the_general_one_gives(rows: list[Series], start: int, counted: list[int]) -> None:
    counter = Counter.read([(at(time), 10**12 + time * 250_000_000) for time in sorted(counted)], 700)
    plain = PlainGpu.of(rows)
    assert plain is not None
    span = bucket(start, 300)
    quick, general = plain.read(span, counter), integrate(span, UUID, rows, counter)
    assert quick.facts == general.facts
    assert (quick.observed_us, quick.rejected_samples) == (general.observed_us, general.rejected_samples)


def test_what_is_not_plain_takes_the_general_road() -> None:
    times = every(30, 0, 300)
    assert PlainGpu.of([series(times, 1.0), series(times, 1.0, holder=BOB)]) is None
    assert PlainGpu.of([series(times, 1.0), series(times[1:], 1.0, field=Field.UTIL)]) is None
    assert PlainGpu.of([series(times, 1.0, gi_id=1, profile="1g.5gb")]) is None
    assert PlainGpu.of([]) is None
