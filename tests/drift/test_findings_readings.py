"""Readings of windows computed here and of other tools' reports."""

from dataclasses import replace

import numpy as np
import pytest

from drift.findings.imported import ImportedScore, read_report
from drift.findings.native import judge_window, read_scores
from drift.findings.readings import DATA_SET, Reading, Verdict
from drift.findings.rules import Rules
from drift.measures.robust.profile import count_window, make_profile
from drift.measures.robust.scoring import RobustScore, Severity
from drift.measures.windows import EventWindow


def p_value(column: str, value: float | None, *, flag: bool | None = None, rounded: bool = False) -> ImportedScore:
    return ImportedScore(column, value, 0.05, "small", flag, is_rounded=rounded)


def distance(column: str, value: float | None, *, flag: bool | None, threshold: float | None = 0.1) -> ImportedScore:
    return ImportedScore(column, value, threshold, "large", flag)


def verdicts(readings: tuple[Reading, ...]) -> dict[str, Verdict]:
    return {one.column: one.verdict for one in readings}


def test_p_values_of_a_report_go_through_one_gate_and_its_flags_do_not() -> None:
    scores = [p_value(f"c{place}", 0.03, flag=True) for place in range(19)] + [p_value("d", 1e-6, flag=True)]
    found = verdicts(read_report(scores, Rules(), share=0.3, drift_share=0.5))
    assert {name for name, verdict in found.items() if verdict is Verdict.DRIFTED} == {"d"}


def test_distances_count_by_the_reports_own_flag() -> None:
    readings = read_report(
        [
            distance("far", 0.5, flag=True),
            distance("near", 0.09, flag=False),
            distance("clean", 0.01, flag=False),
            distance("odd", 0.2, flag=False),
            distance("unknown", 0.2, flag=None),
        ],
        Rules(),
        share=0.2,
    )
    assert verdicts(readings) == {
        "far": Verdict.DRIFTED,
        "near": Verdict.NEAR,
        "clean": Verdict.CLEAN,
        "odd": Verdict.NEAR,
        "unknown": Verdict.INSUFFICIENT,
        DATA_SET: Verdict.CLEAN,
    }
    assert readings[0].severity is Severity.HIGH


def test_what_a_report_does_not_say_is_not_guessed() -> None:
    unknown = ImportedScore("a", 0.001, 0.05, "unknown", None)
    flagged = ImportedScore("b", 0.001, 0.05, "unknown", is_drifted=True)
    empty = p_value("c", None)
    rounded = p_value("d", 0.0, flag=False, rounded=True)
    found = read_report([unknown, flagged, empty, rounded], Rules(), share=0.25)
    assert verdicts(found) == {
        "a": Verdict.INSUFFICIENT,
        "b": Verdict.DRIFTED,
        "c": Verdict.INSUFFICIENT,
        "d": Verdict.CLEAN,
        DATA_SET: Verdict.CLEAN,
    }


@pytest.mark.parametrize(
    ("share", "drift_share", "verdict"),
    [
        (0.9230769230769231, 0.5, Verdict.DRIFTED),
        (0.5, 0.5, Verdict.DRIFTED),
        (0.5, None, Verdict.DRIFTED),
        (0.6, 0.7, Verdict.CLEAN),
        (None, 0.5, Verdict.DRIFTED),
        (None, 0.9, Verdict.CLEAN),
    ],
)
def test_a_share_at_its_drift_share_opens_the_data_set_at_once(
    share: float | None, drift_share: float | None, verdict: Verdict
) -> None:
    scores = [distance("a", 0.5, flag=True), distance("b", 0.5, flag=True), distance("c", 0.0, flag=False)]
    *_, whole = read_report(scores, Rules(), share=share, drift_share=drift_share)
    assert (whole.column, whole.verdict, whole.at_once) == (DATA_SET, verdict, verdict is Verdict.DRIFTED)


def test_a_report_without_flags_and_share_says_nothing_of_the_data_set() -> None:
    assert verdicts(read_report([ImportedScore("a", 0.3, None, "unknown", None)], Rules())) == {
        "a": Verdict.INSUFFICIENT
    }


def test_a_column_with_two_scores_is_read_by_the_worse() -> None:
    scores = [distance("a", 0.01, flag=False), distance("a", 0.3, flag=True), distance("a", None, flag=None)]
    readings = read_report(scores, Rules(), share=0.0)
    assert (verdicts(readings)["a"], readings[0].effect) == (Verdict.DRIFTED, 0.3)


def robust(column: str, effect: float, p: float, *, is_sufficient: bool = True) -> RobustScore:
    return RobustScore(column, effect, effect, 0.0, 0.0, p, 0.1, 500, is_sufficient, ())


def test_an_effect_needs_the_gate_and_the_gate_needs_an_effect() -> None:
    scores = [
        robust("both", 0.2, 1e-9),
        robust("effect", 0.2, 0.4),
        robust("certain", 0.05, 1e-9),
        robust("small", 0.9, 1e-9, is_sufficient=False),
    ]
    assert verdicts(read_scores(scores, Rules())) == {
        "both": Verdict.DRIFTED,
        "effect": Verdict.NEAR,
        "certain": Verdict.CLEAN,
        "small": Verdict.INSUFFICIENT,
    }


def test_a_persons_own_threshold_moves_the_verdict() -> None:
    chance = np.random.default_rng(1)
    profile = make_profile(EventWindow([{"a": float(value)} for value in chance.normal(size=2000)]))
    window = count_window(profile, EventWindow([{"a": float(value)} for value in chance.normal(0.5, 1, size=1000)]))
    assert judge_window(profile, window, Rules()).readings[0].verdict is Verdict.DRIFTED
    assert judge_window(profile, window, Rules(thresholds={"a": 0.6})).readings[0].verdict is Verdict.CLEAN


def test_a_partial_window_is_scored_but_neither_drifted_nor_clean() -> None:
    profile = make_profile(EventWindow([{"a": place / 7, "b": "xy"[place % 2]} for place in range(300)]))
    window = count_window(profile, EventWindow([{"a": None, "b": "x"}] * 300))
    whole, partial = judge_window(profile, window, Rules()), judge_window(profile, window, Rules(), is_complete=False)
    assert [(one.verdict, one.at_once, one.severity) for one in whole.readings] == [
        (Verdict.DRIFTED, True, Severity.HIGH),
        (Verdict.DRIFTED, True, Severity.HIGH),
    ]
    assert [(one.verdict, one.at_once) for one in partial.readings] == [(Verdict.INSUFFICIENT, False)] * 2
    assert partial.scores == whole.scores
    assert [replace(fact, opens=True) for fact in partial.facts] == list(whole.facts), "told, and open nothing"
    assert not any(fact.opens for fact in partial.facts)


def test_an_absent_column_has_a_reading_that_opens_at_once() -> None:
    profile = make_profile(EventWindow([{"a": place / 7, "b": place} for place in range(300)]))
    window = count_window(profile, EventWindow([{"a": place / 7} for place in range(300)]))
    readings = judge_window(profile, window, Rules()).readings
    assert [(one.column, one.verdict, one.at_once) for one in readings] == [
        ("a", Verdict.CLEAN, False),
        ("b", Verdict.DRIFTED, True),
    ]
