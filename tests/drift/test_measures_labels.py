"""With labels: performance and its declines. Without: estimates. By event: where the error rate rose."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from drift.findings.concept import ConceptChange, Watch, observe
from drift.findings.tracking import Change
from drift.measures.labels.adwin import Adwin, cuts
from drift.measures.labels.estimates import Calibration, calibrate, estimate
from drift.measures.labels.losses import of_classes, of_numbers
from drift.measures.labels.performance import Decline, auc, classification, declines, regression

RISES_AT = (3000, 9000)


def errors(seed: int, *stretches: tuple[int, float]) -> list[float]:
    """1 for a wrong prediction: stretches of so many rows at such a rate."""
    chance = np.random.default_rng(seed)
    return [float(chance.random() < rate) for rows, rate in stretches for _ in range(rows)]


@pytest.mark.parametrize("seed", range(10))
def test_each_rise_of_the_error_rate_is_one_finding_within_500_rows(seed: int) -> None:
    _, found = observe(Watch(), errors(seed, (3000, 0.1), (2000, 0.4), (4000, 0.1), (3000, 0.4)))
    assert [one.change for one in found] == [Change.OPENED, Change.CLOSED, Change.OPENED]
    opened = [one.row for one in found if one.change is Change.OPENED]
    assert all(0 <= row - known < 500 for row, known in zip(opened, RISES_AT, strict=True))
    assert found[0].usual == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_no_finding_on_an_error_rate_that_does_not_move(seed: int) -> None:
    assert observe(Watch(), errors(seed, (40_000, 0.1)))[1] == ()
    assert observe(Watch(), errors(seed, (10_000, 0.4)))[1] == ()


def test_an_error_rate_that_only_falls_is_no_finding() -> None:
    assert observe(Watch(), errors(1, (3000, 0.4), (3000, 0.1)))[1] == ()


def test_batches_of_any_size_and_a_stored_state_give_the_same_changes() -> None:
    losses = errors(2, (3000, 0.1), (1000, 0.4), (2000, 0.1))
    whole, expected = observe(Watch(), losses)
    watch, found = Watch(), list[ConceptChange]()
    for start in range(0, len(losses), 37):
        watch, changes = observe(watch, losses[start : start + 37])
        watch = replace(watch, detector=orjson.loads(orjson.dumps(watch.detector)))
        found += changes
    assert (watch, tuple(found)) == (whole, expected)


def test_a_rise_that_goes_on_is_the_same_finding() -> None:
    _, found = observe(Watch(), errors(3, (3000, 0.1), (1500, 0.3), (1500, 0.6)))
    assert [one.change for one in found] == [Change.OPENED]


def test_the_window_over_a_stream_keeps_exact_sums_in_few_buckets() -> None:
    values = errors(4, (20_000, 0.25))
    detector = Adwin()
    assert [cut for value in values if (cut := detector.add(value))] == []
    assert (detector.width, detector.mean) == (20_000, sum(values) / 20_000)
    assert len(detector.to_state()["buckets"]) < 80


def test_a_gradual_change_of_a_mean_is_seen_too() -> None:
    chance = np.random.default_rng(5)
    drifting = np.clip(chance.normal(np.linspace(0.2, 0.6, 8000), 0.1), 0, 1)
    found = cuts(drifting.tolist())
    assert found
    assert all(cut.is_rise for cut in found)


def test_classes_are_equal_whatever_type_they_came_in() -> None:
    assert of_classes([1, 0, "a", True], ["1", 1.0, "a", "true"]).tolist() == [0, 1, 0, 0]


def test_errors_of_a_regression_are_ranked_among_those_of_the_reference() -> None:
    chance = np.random.default_rng(6)
    reference = chance.normal(size=2000)
    steady = of_numbers(chance.normal(size=3000), np.zeros(3000), reference)
    worse = of_numbers(chance.normal(0, 2, size=1000), np.zeros(1000), reference)
    assert steady.mean() == pytest.approx(0.5, abs=0.02)
    _, found = observe(Watch(), [*steady.tolist(), *worse.tolist()])
    (opened,) = found
    assert opened.change is Change.OPENED
    assert 3000 <= opened.row < 3500
    assert of_numbers(np.array([1e9]), np.zeros(1), reference).tolist() == [1.0]


def test_metrics_of_a_classifier_have_their_textbook_values() -> None:
    labels, predictions = [1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0]
    scores = np.array([0.9, 0.8, 0.4, 0.6, 0.4, 0.2, 0.1, 0.1])
    found = {one.name: one.value for one in classification(labels, predictions, scores, positive="1")}
    assert found == pytest.approx({"accuracy": 0.75, "f1": 2 / 3, "auc": 13.5 / 15})
    many = {one.name: one.value for one in classification(["a", "b", "c"], ["a", "c", "c"])}
    assert many == pytest.approx({"accuracy": 2 / 3, "f1": (1 + 0 + 2 / 3) / 3})
    assert {one.name: one.value for one in regression(np.array([1.0, 2, 3]), np.array([1.0, 4, 2]))} == pytest.approx(
        {"mae": 1.0, "rmse": np.sqrt(5 / 3)}
    )


def test_what_has_no_metric_gives_none() -> None:
    assert classification([], []) == ()
    assert regression(np.array([]), np.array([])) == ()
    only_one = classification([1, 1], [1, 0], np.array([0.9, 0.1]), positive=1)
    assert [one.name for one in only_one] == ["accuracy", "f1"]
    assert np.isnan(auc(np.array([True]), np.array([0.5])))


def test_a_decline_is_certain_only_beyond_chance_and_with_enough_labels() -> None:
    chance = np.random.default_rng(7)

    def measured(rows: int, rate: float) -> tuple[list[int], list[int]]:
        labels = chance.integers(0, 2, size=rows)
        wrong = chance.random(rows) < rate
        return labels.tolist(), np.where(wrong, 1 - labels, labels).tolist()

    reference = classification(*measured(4000, 0.1))
    worse, same = classification(*measured(1000, 0.25)), classification(*measured(1000, 0.11))
    few = classification(*measured(40, 0.6))
    assert [(one.metric, one.is_certain) for one in declines(reference, worse)] == [("accuracy", True), ("f1", True)]
    assert not any(one.is_certain for one in (*declines(reference, same), *declines(reference, few)))
    assert declines(worse, reference) == ()
    assert declines(reference[:1], worse)[0] == Decline(
        "accuracy",
        reference[0].value,
        worse[0].value,
        pytest.approx(reference[0].value - worse[0].value),  # type: ignore[arg-type]
        is_certain=True,
    )


def test_the_error_of_a_metric_is_that_of_theory_and_shrinks_with_rows() -> None:
    chance = np.random.default_rng(8)
    for rows in (1000, 20_000):
        labels = np.ones(rows, dtype=int)
        accuracy = classification(labels.tolist(), (chance.random(rows) < 0.9).astype(int).tolist())[0]
        assert accuracy.error == pytest.approx(np.sqrt(0.09 / rows), rel=0.2)


def test_an_estimate_meets_the_performance_that_labels_show_later() -> None:
    chance = np.random.default_rng(9)

    def window(rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
        latent = chance.normal(shift, 1.5, size=rows)
        is_positive = chance.random(rows) < 1 / (1 + np.exp(-latent))
        return is_positive, 1 / (1 + np.exp(-latent / 3))  # scores that are far too timid

    calibration = calibrate(*window(20_000, 0.0))
    for shift in (0.0, 1.5):
        is_positive, scores = window(5000, shift)
        told = estimate(calibration, scores)
        shown = {
            one.name: one.value
            for one in classification(is_positive.tolist(), (scores >= 0.5).tolist(), scores, positive=True)
        }
        assert shown == pytest.approx({"accuracy": told.accuracy, "f1": told.f1, "auc": told.auc}, abs=0.03)
        assert told.accuracy_error < 0.01


def test_calibration_pools_what_falls_and_holds_its_ends() -> None:
    given = calibrate(np.array([False, True, False, True]), np.array([0.1, 0.2, 0.3, 0.9]))
    assert given == Calibration((0.1, 0.2, 0.3, 0.9), (0.0, 0.5, 0.5, 1.0))
    assert given(np.array([0.0, 0.25, 0.6, 2.0])).tolist() == [0.0, 0.5, 0.75, 1.0]
