"""Burn rates and budgets as pure figures: the worked cases by hand, and what holds for any counts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.availability.slo import sentences
from monitoring.availability.slo.budget import budget, lasts_s, total
from monitoring.availability.slo.burn import (
    PAIRS,
    Counted,
    Guard,
    Outcome,
    Pair,
    Severity,
    Terms,
    Unit,
    can_fire,
    judge,
    pairs,
    rate,
    windows,
)

TERMS = Terms(Decimal("99.9"), 30)
HOUR, SIX_HOURS, DAY, THREE_DAYS = PAIRS


def seen(bad: float | str, of: float = 100_000, *, covered: float = 1) -> Counted:
    return Counted(Fraction(bad), Fraction(of), Fraction(covered) * 3600, Fraction(3600))


def said(pair: Pair, long: Counted, short: Counted | None = None, terms: Terms = TERMS) -> str:
    return sentences.of_verdict(judge(pair, long, short or long, terms), terms)


def test_the_pairs_for_thirty_days_are_googles() -> None:
    assert [(pair.name, pair.short_s, float(pair.factor), pair.severity) for pair in pairs(30)] == [
        ("1h", 300, 14.4, Severity.PAGE),
        ("6h", 1800, 6.0, Severity.PAGE),
        ("1d", 7200, 3.0, Severity.TICKET),
        ("3d", 21_600, 1.0, Severity.TICKET),
    ]
    assert windows() == (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)


def test_other_periods_scale_the_factors_and_leave_the_windows() -> None:
    assert [(pair.long_s, float(pair.factor)) for pair in pairs(7)] == [
        (3600, 3.36),
        (21_600, 1.4),
        (86_400, 0.7),
        (259_200, float(Fraction(7, 30))),
    ]


@pytest.mark.parametrize(
    ("long", "short", "outcome"),
    [
        (seen(1450), seen(1450), Outcome.FIRES),
        (seen(1430), seen(1430), Outcome.QUIET),
        (seen(1440), seen(1440), Outcome.QUIET),  # exactly the limit is not above it
        (seen(1450), seen(1440), Outcome.QUIET),
        (seen(1440), seen(1450), Outcome.QUIET),
        (seen(1, 3), seen(1, 3), Outcome.FEW_EVENTS),
        (seen(99, 99), seen(99, 99), Outcome.FEW_EVENTS),
        (seen(4, 200), seen(4, 200), Outcome.FEW_ERRORS),
        (seen(5, 200), seen(5, 200), Outcome.FIRES),
        (seen(0, 0), seen(0, 0), Outcome.FEW_EVENTS),
        (seen(1450, covered=0.89), seen(1450), Outcome.GAP),
        (seen(1450), seen(1450, covered=0.89), Outcome.GAP),
        (seen(1450, covered=0.9), seen(1450, covered=0.9), Outcome.FIRES),
    ],
)
def test_a_pair_fires_only_if_both_windows_exceed_and_enough_was_seen(
    long: Counted, short: Counted, outcome: Outcome
) -> None:
    assert judge(HOUR, long, short, TERMS).outcome is outcome


def test_every_verdict_is_a_sentence_with_its_numbers() -> None:
    assert said(HOUR, seen(1450), seen(1600)) == (
        "1.45 % failed in 1h and 1.60 % in 5m, both more than 1.44 %: 14.4 times what is allowed."
    )
    assert said(HOUR, seen(200)) == "0.20 % of 100,000 events failed in 1h; it fires above 1.44 %."
    assert said(HOUR, seen(1, 3)) == "No verdict: only 3 events in 1h, and 100 events are needed."
    assert said(HOUR, seen(4, 200)) == (
        "No verdict: 2.00 % failed in 1h, but those are 4 events, and 5 events are needed."
    )
    assert said(HOUR, seen(1450), seen(1450, covered=0.5)) == (
        "No verdict: 50.0 % of the last 5m was seen, and 90 % is needed."
    )
    assert said(HOUR, seen(0, 0)) == "No verdict: nothing was counted in 1h."
    time = Terms(Decimal("99.9"), 30, unit=Unit.TIME)
    assert said(HOUR, seen(0, 90), terms=time) == "No verdict: only 90 s in 1h, and 100 s are needed."


def test_the_guard_is_a_setting() -> None:
    without = Terms(Decimal("99.9"), 30, Guard(0, 0))
    assert judge(HOUR, seen(1, 3), seen(1, 3), without).outcome is Outcome.FIRES


def test_planned_work_alone_is_no_gap() -> None:
    nothing = Counted()
    assert judge(HOUR, nothing, nothing, TERMS).outcome is Outcome.FEW_EVENTS


def test_a_pair_that_not_even_all_errors_exceed_cannot_fire() -> None:
    low = Terms(Decimal(90), 30)
    assert [can_fire(pair, low) for pair in pairs(30)] == [False, True, True, True]
    assert judge(HOUR, seen(100, 100), seen(100, 100), low).outcome is Outcome.QUIET


def test_full_outage_of_ten_point_eight_minutes_leaves_three_quarters_of_the_budget() -> None:
    month = 30 * 86_400
    found = budget(Counted(Fraction(648), Fraction(month), Fraction(month), Fraction(month)), TERMS.allowed)
    assert (found.left, found.used, found.allowed_bad) == (Fraction(3, 4), Fraction(1, 4), Fraction(2592))
    assert found.left is not None
    assert sentences.budget_left(found.left) == "75.0 %"
    assert (found.attained, found.coverage) == (Fraction(39_990, 40_000), Fraction(1))


def test_what_was_not_seen_bounds_what_was_attained() -> None:
    found = budget(Counted(Fraction(10), Fraction(1000), Fraction(90), Fraction(100)), TERMS.allowed)
    assert (found.attained, found.coverage) == (Fraction(99, 100), Fraction(9, 10))
    assert (found.lower, found.upper, found.needs_bounds) == (Fraction(891, 1000), Fraction(991, 1000), True)


def test_nothing_counted_says_nothing() -> None:
    found = budget(Counted(), TERMS.allowed)
    assert (found.attained, found.left, found.used, found.coverage, found.is_exhausted) == (None,) * 4 + (False,)


def test_a_budget_lasts_its_period_at_the_rate_that_is_allowed() -> None:
    assert lasts_s(Fraction(1), Fraction(1), TERMS) == 30 * 86_400
    assert lasts_s(Fraction(1, 2), Fraction(144, 10), TERMS) == 90_000
    assert (lasts_s(Fraction(0), Fraction(1), TERMS), lasts_s(Fraction(1), Fraction(0), TERMS)) == (None, None)


@pytest.mark.parametrize(
    ("share", "text"),
    [("0.0145", "1.45 %"), ("0", "0.00 %"), ("0.00001", "0.001 %"), ("0.9999999", "99.99999 %"), ("1", "100.00 %")],
)
def test_shares_are_never_rounded_to_none_or_all(share: str, text: str) -> None:
    assert sentences.percent(Fraction(share)) == text


counts = st.builds(
    lambda bad, good, covered, gap: Counted(
        Fraction(bad), Fraction(bad + good), Fraction(covered), Fraction(covered + gap)
    ),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
objectives = st.decimals(Decimal("0.001"), Decimal("99.999"), places=3)
terms_of = st.builds(Terms, objectives, st.integers(7, 90))


@given(counts, counts, terms_of)
def test_what_fires_exceeds_in_both_and_passes_the_guard(long: Counted, short: Counted, terms: Terms) -> None:
    for pair in pairs(terms.period_days):
        if judge(pair, long, short, terms).outcome is Outcome.FIRES:
            assert min(rate(long, terms) or 0, rate(short, terms) or 0) > pair.factor
            assert (long.total >= 100, long.bad >= 5) == (True, True)


@given(counts, counts, terms_of)
def test_more_errors_never_silence_a_pair(long: Counted, short: Counted, terms: Terms) -> None:
    for pair in pairs(terms.period_days):
        if judge(pair, long, short, terms).outcome is Outcome.FIRES:
            worse = Counted(long.total, long.total, long.covered_s, long.expected_s)
            assert judge(pair, worse, short, terms).outcome is Outcome.FIRES


@given(counts, counts, terms_of)
def test_every_outcome_has_its_sentence(long: Counted, short: Counted, terms: Terms) -> None:
    for pair in pairs(terms.period_days):
        assert sentences.of_verdict(judge(pair, long, short, terms), terms).endswith(".")


@given(st.lists(counts, min_size=1, max_size=9), terms_of)
def test_budgets_of_parts_are_spent_together(parts: list[Counted], terms: Terms) -> None:
    whole = budget(total(parts), terms.allowed)
    assert whole.allowed_bad == sum(budget(part, terms.allowed).allowed_bad for part in parts)
    if whole.left is not None:
        assert whole.left * whole.allowed_bad == whole.allowed_bad - sum(part.bad for part in parts)
        assert whole.left <= 1


@given(counts, objectives)
def test_the_truth_lies_between_the_bounds(counted: Counted, objective: Decimal) -> None:
    found = budget(counted, Terms(objective, 30).allowed)
    if found.attained is not None and found.lower is not None and found.upper is not None:
        assert 0 <= found.lower <= found.attained <= found.upper <= 1
