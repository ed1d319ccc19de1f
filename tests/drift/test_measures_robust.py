"""The recipe `robust` sees what equal-width bins hide, and is quiet about what does not matter."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, mannwhitneyu

from drift.measures.columns import Column, Kind, Level, labels, numbers
from drift.measures.errors import OtherBucketsError
from drift.measures.robust.buckets import fix_buckets, labels_of_buckets
from drift.measures.robust.counts import Counts, count, nothing
from drift.measures.robust.effects import effect
from drift.measures.robust.probability import chi_square, rank_test
from drift.measures.robust.profile import Profile, WindowCounts, count_window, make_profile, profile_column
from drift.measures.robust.quality import Fact, FactKind, facts, facts_of_window
from drift.measures.robust.scoring import Move, RobustScore, Severity, score
from drift.measures.windows import EventWindow


def scored(reference: Column, current: Column) -> RobustScore:
    profile = profile_column(reference)
    return score(profile, count(profile.buckets, current))


def facts_of(reference: Column, current: Column) -> list[Fact]:
    profile = profile_column(reference)
    return facts(profile, count(profile.buckets, current))


def test_an_outlier_does_not_hide_a_shift() -> None:
    reference = np.arange(2000) / 200
    current = reference[:1000] + 3
    before = scored(numbers("a", reference), numbers("a", current))
    current[-1] = 1e6
    after = scored(numbers("a", reference), numbers("a", current))
    assert before.is_drifted
    assert after.is_drifted
    assert after.effect == pytest.approx(before.effect, abs=0.01)
    assert after.severity is before.severity is Severity.HIGH


def test_an_outlier_is_listed_with_its_value() -> None:
    values = np.arange(2000) / 200
    current = values.copy()
    current[0] = 1e6
    assert facts_of(numbers("a", values), numbers("a", current)) == [
        Fact(FactKind.OUT_OF_RANGE, "a", 0.0005, "0 below 0, 1 above 9.995; from 0.005 to 1e+06", opens=False)
    ]


def test_every_second_value_null_is_a_finding_about_missing_values() -> None:
    values = np.random.default_rng(1).normal(size=500)
    half = np.where(np.arange(500) % 2, np.nan, values)
    assert facts_of(numbers("a", values), numbers("a", half)) == [
        Fact(FactKind.MISSING, "a", 0.5, "missing share 0.5, before 0", opens=True)
    ]
    found = scored(numbers("a", values), numbers("a", half))
    assert found.is_drifted
    assert found.moves[0] == Move("null", 0.0, 0.5)


def test_an_all_null_column_is_a_finding_and_the_others_are_scored() -> None:
    chance = np.random.default_rng(2)
    reference = EventWindow([{"a": float(a), "b": float(b)} for a, b in chance.normal(size=(400, 2))])
    current = EventWindow([{"a": None, "b": float(b)} for b in chance.normal(size=400)])
    profile = make_profile(reference)
    counted = count_window(profile, current)
    assert [fact for fact in facts_of_window(profile, counted.columns) if fact.opens] == [
        Fact(FactKind.ALL_MISSING, "a", 1.0, "all 400 values are missing", opens=True)
    ]
    assert [score(column, counted.columns[column.name]).is_drifted for column in profile.columns] == [True, False]


def test_one_row_of_a_new_category_is_listed_and_is_no_drift() -> None:
    reference = labels("plan", ["a"] * 600 + ["b"] * 400)
    current = labels("plan", ["a"] * 300 + ["b"] * 199 + ["c"])
    found = scored(reference, current)
    assert found.p_value == pytest.approx(0.36726579754208294, rel=1e-12)
    assert (found.is_drifted, found.severity) == (False, Severity.NONE)
    assert facts_of(reference, current) == [Fact(FactKind.NEW, "plan", 0.002, 'new: "c" (1)', opens=False)]


@pytest.mark.parametrize("rows", [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000])
def test_a_shift_of_a_twentieth_of_a_deviation_is_no_drift_at_any_size(rows: int) -> None:
    chance = np.random.default_rng(5)
    found = scored(numbers("a", chance.normal(size=rows)), numbers("a", chance.normal(0.05, 1, size=rows)))
    assert (found.is_drifted, found.severity) == (False, Severity.NONE)


def test_the_size_of_an_effect_does_not_grow_with_rows() -> None:
    chance = np.random.default_rng(6)
    sizes = [
        scored(numbers("a", chance.normal(size=rows)), numbers("a", chance.normal(0.5, 1, size=rows))).effect
        for rows in (5_000, 50_000, 500_000)
    ]
    assert scored(numbers("a", [1.0, 2.0, 3.0] * 99), numbers("a", [3.0] * 99)).shift == pytest.approx(np.sqrt(1.5))
    assert sizes == pytest.approx([0.276] * 3, abs=0.03)  # 2 * normal distribution at 0.5 / sqrt(2), less 1


def test_a_wider_spread_is_seen_without_a_shift() -> None:
    chance = np.random.default_rng(7)
    found = scored(numbers("a", chance.normal(size=2000)), numbers("a", chance.normal(0, 2, size=1000)))
    assert found.is_drifted
    assert abs(found.location) < 0.05
    assert abs(found.shift) < 0.1
    assert found.shape > 0.2


def test_a_value_that_fills_most_of_a_column_has_a_bucket_of_its_own() -> None:
    values = [0.0] * 600 + [float(value) for value in range(1, 401)]
    buckets = fix_buckets(numbers("clicks", values))
    counted = count(buckets, numbers("clicks", [*[0.0] * 300, *[1e-9] * 300, -1.0, 500.0]))
    assert counted.inside[0] == 300
    assert counted.inside[1] == 300
    assert (counted.below, counted.above) == (1, 1)


def test_few_distinct_numbers_have_a_bucket_each() -> None:
    buckets = fix_buckets(numbers("stars", [1.0, 2.0, 5.0, 5.0]))
    assert labels_of_buckets(buckets) == ("1 ... 2", "2 ... 5", "5")
    assert count(buckets, numbers("stars", [1.0, 2.0, 2.0, 5.0, 6.0])).inside == (1, 2, 1)


def test_categories_are_the_same_as_numbers_text_or_whole_floats() -> None:
    buckets = fix_buckets(labels("code", [1, 2, True]))
    assert buckets.levels == ("1", "2")  # True is 1 to Python, and came first as 1
    assert count(buckets, labels("code", ["1", 2.0, "2", None, "3"])) == Counts(
        "code", (1, 2), rows=5, nulls=1, new=1, new_levels=(("3", 1),)
    )


def test_too_many_categories_share_buckets_by_their_hash_and_none_is_new() -> None:
    reference = labels("user", [f"u{place}" for place in range(3000)])
    buckets = fix_buckets(reference)
    same, other = count(buckets, reference), count(buckets, labels("user", ["one"] * 3000))
    assert (buckets.levels, len(same.inside), same.new, other.new) == ((), 64, 0, 0)
    assert scored(reference, labels("user", [f"v{place}" for place in range(3000)])).is_drifted is False
    assert scored(reference, labels("user", ["one"] * 3000)).is_drifted is True


def test_a_column_that_became_constant_or_another_type_opens_at_once() -> None:
    reference = numbers("a", np.random.default_rng(8).normal(size=500))
    constant = facts_of(reference, numbers("a", [0.25] * 500))
    assert constant == [Fact(FactKind.CONSTANT, "a", 1.0, "every value is the same; before, they differed", opens=True)]
    words = facts_of(reference, labels("a", ["n/a"] * 200))
    assert words == [Fact(FactKind.OTHER_TYPE, "a", 1.0, "200 values are not numerical", opens=True)]
    once = facts_of(labels("b", ["x", "y"] * 100), labels("b", ["z"] * 200))
    assert [(fact.kind, fact.opens) for fact in once] == [(FactKind.NEW, True), (FactKind.CONSTANT, True)]


def test_many_values_out_of_range_open_and_as_many_as_chance_gives_do_not() -> None:
    chance = np.random.default_rng(9)
    reference = numbers("a", chance.normal(size=1000))
    far = chance.normal(size=500)
    far[:30] += 10
    assert [fact.opens for fact in facts_of(reference, numbers("a", far))] == [True]
    opened = [
        fact
        for _ in range(200)
        for fact in facts_of(numbers("a", chance.normal(size=1000)), numbers("a", chance.normal(size=500)))
        if fact.opens
    ]
    assert opened == []


def test_a_reference_that_cannot_know_all_categories_calls_none_new() -> None:
    chance = np.random.default_rng(10)
    words = [str(place) for place in chance.zipf(1.5, size=1500).tolist()]
    reference, current = labels("word", words[:1000]), labels("word", words[1000:])
    assert fix_buckets(reference).hashed == 64
    assert facts_of(reference, current) == []
    assert scored(reference, current).is_drifted is False


def test_a_window_without_a_rare_category_is_not_called_constant() -> None:
    rare = labels("flag", ["no"] * 998 + ["yes"] * 2)
    assert [fact.opens for fact in facts_of(rare, labels("flag", ["no"] * 500))] == [False]
    common = labels("flag", ["no"] * 900 + ["yes"] * 100)
    assert [fact.opens for fact in facts_of(common, labels("flag", ["no"] * 500))] == [True]


def test_an_absent_column_opens_and_a_small_window_opens_nothing() -> None:
    profile = make_profile(EventWindow([{"a": place, "b": place % 7} for place in range(200)]))
    without = count_window(profile, EventWindow([{"a": place} for place in range(200)]))
    assert [(fact.kind, fact.column, fact.opens) for fact in facts_of_window(profile, without.columns)] == [
        (FactKind.ABSENT, "b", True)
    ]
    small = count_window(profile, EventWindow([{"a": None, "b": 900}] * 20))
    assert [fact.opens for fact in facts_of_window(profile, small.columns)] == [False] * 3
    scores = [score(column, small.columns[column.name]) for column in profile.columns]
    assert [(one.is_sufficient, one.is_drifted) for one in scores] == [(False, False)] * 2


def test_text_and_times_are_watched_for_missing_values() -> None:
    words: list[Level | None] = [f"sentence {place}" for place in range(300)]
    reference = EventWindow([{"words": word} for word in words]).column("words")
    profile = profile_column(reference)
    current = EventWindow([{"words": word if place % 3 else None} for place, word in enumerate(words)])
    found = score(profile, count(profile.buckets, current.column("words", Kind.TEXT)))
    assert found.moves == (Move("any value", 1.0, 2 / 3), Move("null", 0.0, 1 / 3))
    assert found.is_drifted


def test_empty_windows_have_no_effect_and_no_certainty() -> None:
    profile = profile_column(numbers("a", np.arange(500)))
    found = score(profile, nothing(profile.buckets))
    assert (found.effect, found.p_value, found.is_sufficient, found.rows) == (0.0, 1.0, False, 0)


def test_p_values_are_scipys() -> None:
    chance = np.random.default_rng(11)
    mine, theirs = chance.integers(20, 90, size=(2, 12)).astype(float)
    assert chi_square(mine, theirs) == pytest.approx(chi2_contingency([mine, theirs], correction=False).pvalue)
    rows = [np.repeat(np.arange(12), side.astype(int)) for side in (mine, theirs)]
    expected = mannwhitneyu(*rows, method="asymptotic", use_continuity=True).pvalue
    assert rank_test(mine, theirs) == pytest.approx(expected)


def test_false_alarms_of_one_test_are_as_rare_as_its_p_value_says() -> None:
    chance = np.random.default_rng(12)
    p_values = [
        scored(numbers("a", one[:1000]), numbers("a", one[1000:])).p_value for one in chance.normal(size=(600, 1500))
    ]
    assert sum(p_value <= 0.05 for p_value in p_values) <= 40
    assert sum(p_value <= 0.01 for p_value in p_values) <= 12


def test_a_profile_is_the_same_after_a_trip_through_json() -> None:
    events = [
        {"a": place / 7, "b": "xyz"[place % 3], "c": None, "d": f"text {place}", "e": place / 3} for place in range(500)
    ]
    profile = make_profile(EventWindow(events), leave_out=["c"])
    again = Profile.from_json(orjson.loads(orjson.dumps(profile.to_json())))
    assert again == profile
    assert profile.names == ("a", "b", "d", "e")
    assert profile.groups == (("a", "e"),)
    counted = count_window(profile, EventWindow([*events, {"b": "new"}]))
    assert WindowCounts.from_json(orjson.loads(orjson.dumps(counted.to_json()))) == counted


def test_a_day_is_the_sum_of_batches_of_events_even_where_one_lacks_a_column() -> None:
    events = [{"a": place / 7, "b": "xyz"[place % 3]} for place in range(300)]
    profile = make_profile(EventWindow(events))
    parts = [events[:100], [{"a": event["a"]} for event in events[100:200]], events[200:]]
    batches = [count_window(profile, EventWindow(part)) for part in parts]
    whole = count_window(profile, EventWindow([event for part in parts for event in part]))
    added = batches[0] + batches[1] + batches[2]
    assert added.rows == whole.rows
    assert {name: without_sums(one) for name, one in added.columns.items()} == {
        name: without_sums(one) for name, one in whole.columns.items()
    }
    assert added.columns["b"].nulls == 100


def test_columns_that_move_together_are_grouped_and_others_are_not() -> None:
    chance = np.random.default_rng(13)
    events = []
    for x, y, noise in chance.normal(size=(600, 3)):
        band = "low" if x < 0 else "high"
        events.append(
            {"x": x, "x2": x * 2 + noise * 0.2, "y": y, "band": band, "side": band[0], "other": "pq"[int(y > 0)]}
        )
    profile = make_profile(EventWindow(events))
    assert profile.groups == (("x", "x2", "band", "side"), ("y", "other"))


numbers_or_null = st.lists(st.one_of(st.none(), st.integers(-20, 20).map(float)), max_size=40)
levels_or_null = st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), max_size=40)
REFERENCES: dict[str, Column] = {
    "n": numbers("n", [float(value) for value in range(-10, 11)] * 3),
    "c": labels("c", ["a", "b", "c"]),
}


def without_sums(counts: Counts) -> Counts:
    return replace(counts, total=0.0, squares=0.0)


@settings(deadline=None)
@given(parts=st.lists(numbers_or_null, min_size=3, max_size=3))
def test_a_window_of_numbers_is_the_sum_of_its_parts_in_any_order(parts: list[list[float | None]]) -> None:
    buckets = fix_buckets(REFERENCES["n"])
    first, second, third = (count(buckets, numbers("n", part)) for part in parts)
    whole = count(buckets, numbers("n", [value for part in parts for value in part]))
    assert without_sums(first + second + third) == without_sums(whole)
    assert without_sums(first + (second + third)) == without_sums(third + first + second)
    assert (first + second + third).total == pytest.approx(whole.total)
    assert (first + second + third).squares == pytest.approx(whole.squares)
    assert first + nothing(buckets) == first


@settings(deadline=None)
@given(parts=st.lists(levels_or_null, min_size=3, max_size=3))
def test_a_window_of_categories_is_the_sum_of_its_parts_in_any_order(parts: list[list[str | None]]) -> None:
    buckets = fix_buckets(REFERENCES["c"])
    first, second, third = (count(buckets, labels("c", part)) for part in parts)
    whole = count(buckets, labels("c", [value for part in parts for value in part]))
    assert first + second + third == whole == third + (first + second)
    assert whole.rows == whole.present + whole.nulls + whole.misfits


def test_the_new_categories_kept_do_not_depend_on_the_order_of_windows() -> None:
    buckets = fix_buckets(REFERENCES["c"])
    parts = [
        count(buckets, labels("c", [f"new {place % 90}" for place in range(start, start + 60)]))
        for start in (0, 40, 70)
    ]
    whole = parts[0] + parts[1] + parts[2]
    assert whole == parts[2] + (parts[1] + parts[0])
    assert (whole.new, len(whole.new_levels)) == (180, 50)


def test_counts_by_other_buckets_do_not_add_up() -> None:
    mine = nothing(fix_buckets(REFERENCES["n"]))
    with pytest.raises(OtherBucketsError, match="one version of the reference"):
        _ = mine + nothing(fix_buckets(REFERENCES["c"]))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60))
def test_effects_lie_between_none_and_one(below: int, inside: int, above: int) -> None:
    reference = Counts("a", (50, 50), rows=100)
    found = effect(
        reference, Counts("a", (inside, 0), below + inside + above, below=below, above=above), is_ordered=True
    )
    assert 0 <= found.shape <= 0.8326
    assert -1 <= found.location <= 1
