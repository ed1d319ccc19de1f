"""What is computed here has the shape of a report: scores with their verdicts, facts, performance, estimates."""

from dataclasses import replace

import numpy as np
import pytest

from drift.findings import computed
from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.measures.compatible.scoring import score_window
from drift.measures.domain.classifier import DomainScore
from drift.measures.labels.estimates import Estimate
from drift.measures.labels.performance import Metric
from drift.measures.robust.profile import count_window, make_profile
from drift.measures.windows import EventWindow
from drift.sources.records import Kind, ReadScore

CHANCE = np.random.default_rng(3)
REFERENCE = EventWindow([{"a": float(a), "b": float(b)} for a, b in CHANCE.normal(size=(800, 2))])
CURRENT = EventWindow(
    [
        {"a": float(a) + 0.5, "b": None if row % 2 else float(b)}
        for row, (a, b) in enumerate(CHANCE.normal(size=(400, 2)))
    ]
)
ACCURACY = Metric("accuracy", 0.9, 0.01, 1000, is_higher_better=True)
MAE = Metric("mae", 1.0, 0.02, 1000, is_higher_better=False)


def test_a_window_of_the_robust_recipe_tells_effects_and_facts() -> None:
    profile = make_profile(REFERENCE)
    judged = judge_window(profile, count_window(profile, CURRENT), Rules())
    scores = computed.of_robust(judged)
    assert [(one.column, one.kind, one.method, one.is_drifted) for one in scores] == [
        ("a", Kind.DRIFT, "robust", True),
        ("b", Kind.DRIFT, "robust", True),
        ("a", Kind.QUALITY, "out of range", False),
        ("b", Kind.QUALITY, "missing share", True),
    ]
    assert (scores[0].value, scores[0].threshold) == (judged.scores[0].effect, judged.scores[0].threshold)
    assert scores[3] == ReadScore(
        "b", Kind.QUALITY, "missing share", "missing share 0.5, before 0", 0.5, None, "large", is_drifted=True
    )


def test_a_partial_window_leaves_its_flags_open() -> None:
    profile = make_profile(REFERENCE)
    judged = judge_window(profile, count_window(profile, CURRENT), Rules(), is_complete=False)
    assert [one.is_drifted for one in computed.of_robust(judged) if one.kind is Kind.DRIFT] == [None, None]


def test_scores_of_the_compatible_recipe_keep_method_and_direction() -> None:
    first, second = computed.of_compatible(score_window(REFERENCE, CURRENT))
    assert (first.method, first.direction, first.threshold, first.is_drifted) == ("ks", "small", 0.05, True)
    assert (second.column, second.is_drifted) == ("b", False)  # half its values are missing, which Evidently overlooks


def test_the_domain_classifier_is_a_score_as_well() -> None:
    assert computed.of_domains([DomainScore("text", 0.8, 1e-9, 0.55, 300)]) == (
        ReadScore("text", Kind.DRIFT, "domain_classifier", "p 1e-09", 0.8, 0.55, "large", is_drifted=True),
    )


def test_performance_is_judged_against_the_reference() -> None:
    window = [
        replace(ACCURACY, value=0.8),
        replace(MAE, value=1.05),
        Metric("auc", 0.7, 0.01, 1000, is_higher_better=True),
    ]
    accuracy, mae, auc = computed.of_performance([ACCURACY, MAE], window)
    assert (accuracy.kind, accuracy.direction, accuracy.is_drifted) == (Kind.PERFORMANCE, "small", True)
    assert accuracy.threshold == pytest.approx(0.9 - 4 * np.sqrt(2) * 0.01)
    assert (mae.direction, mae.is_drifted) == ("large", False)
    assert mae.threshold == pytest.approx(1 + 4 * np.sqrt(2) * 0.02)
    assert (auc.threshold, auc.is_drifted) == (None, None)


def test_an_estimate_is_marked_as_one_and_judged_by_its_accuracy_alone() -> None:
    accuracy, f1, auc = computed.of_estimate([ACCURACY], Estimate(500, 0.7, 0.01, 0.6, 0.75))
    assert {one.kind for one in (accuracy, f1, auc)} == {Kind.ESTIMATE}
    assert (accuracy.is_drifted, f1.is_drifted, auc.is_drifted) == (True, None, None)
    assert accuracy.method_as_written == "accuracy, estimated without labels"
    assert computed.of_estimate([], Estimate(500, 0.7, 0.01, 0.6, 0.75))[0].is_drifted is None
