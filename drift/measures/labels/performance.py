"""How good predictions are, once their labels came: accuracy, F1, AUC, MAE, RMSE, each with its uncertainty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.measures.columns import Level, level_name

DRAWS = 200
SEED = 20261001
ROWS_DRAWN = 5000  # of the bootstrap: for more rows the error is scaled down
MIN_LABELLED = 50
CERTAIN = 4.0  # standard errors
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Metric:
    """`error` is the standard error by bootstrap. `is_higher_better` tells which way is worse."""

    name: str
    value: float
    error: float
    rows: int
    is_higher_better: bool


@dataclass(frozen=True, slots=True)
class Decline:
    """How a metric got worse against the reference; `is_certain` when by more than four standard errors of both."""

    metric: str
    reference: float
    window: float
    worse_by: float
    is_certain: bool


def classification(
    labels: Sequence[Level], predictions: Sequence[Level], scores: Array | None = None, *, positive: Level | None = None
) -> tuple[Metric, ...]:
    """Accuracy, F1 (of `positive`, else the mean over classes), and AUC where there are scores of `positive`."""
    truth, said = _coded(labels, predictions)
    hot = None if positive is None else _code_of(labels, predictions, positive)
    found = [
        _metric("accuracy", lambda rows: float(np.mean(truth[rows] == said[rows])), len(truth), is_higher_better=True),
        _metric("f1", lambda rows: _f1(truth[rows], said[rows], hot), len(truth), is_higher_better=True),
    ]
    if scores is not None and hot is not None:
        is_hot = truth == hot
        found.append(_metric("auc", lambda rows: auc(is_hot[rows], scores[rows]), len(truth), is_higher_better=True))
    return tuple(one for one in found if np.isfinite(one.value))


def regression(labels: Array, predictions: Array) -> tuple[Metric, ...]:
    errors = np.abs(np.asarray(labels, dtype=np.float64) - np.asarray(predictions, dtype=np.float64))
    found = (
        _metric("mae", lambda rows: float(errors[rows].mean()), len(errors), is_higher_better=False),
        _metric("rmse", lambda rows: float(np.sqrt(np.mean(errors[rows] ** 2))), len(errors), is_higher_better=False),
    )
    return tuple(one for one in found if np.isfinite(one.value))


def declines(reference: Sequence[Metric], window: Sequence[Metric]) -> tuple[Decline, ...]:
    """Metrics that both have and that got worse at all, in the order of the window; few labels are never certain."""
    before = {metric.name: metric for metric in reference}
    pairs = [(before[metric.name], metric) for metric in window if metric.name in before]
    return tuple(decline for was, now in pairs if (decline := _decline(was, now)).worse_by > 0)


def auc(is_positive: Array, scores: Array) -> float:
    """The chance that a positive has a higher score than a negative, ties half; NaN where one of them is lacking."""
    return weighted_auc(np.asarray(is_positive, dtype=np.float64), scores)


def weighted_auc(positive: Array, scores: Array) -> float:
    """The same where each row is positive with a probability."""
    negative = 1.0 - positive
    if positive.sum() <= 0 or negative.sum() <= 0:
        return float("nan")
    _, place = np.unique(scores, return_inverse=True)
    hot, cold = np.bincount(place, weights=positive), np.bincount(place, weights=negative)
    lower = np.cumsum(cold) - cold
    return float(np.sum(hot * (lower + cold / 2)) / (hot.sum() * cold.sum()))


def _metric(name: str, value_of: Callable[[Array], float], rows: int, *, is_higher_better: bool) -> Metric:
    if not rows:
        return Metric(name, float("nan"), float("nan"), 0, is_higher_better)
    chance = np.random.default_rng(SEED)
    drawn = min(rows, ROWS_DRAWN)
    values = np.array([value_of(chance.integers(0, rows, size=drawn)) for _ in range(DRAWS)])
    error = float(np.nanstd(values)) * float(np.sqrt(drawn / rows)) if np.isfinite(values).any() else float("nan")
    return Metric(name, value_of(np.arange(rows)), error, rows, is_higher_better)


def _decline(was: Metric, now: Metric) -> Decline:
    worse_by = was.value - now.value if now.is_higher_better else now.value - was.value
    error = float(np.hypot(was.error, now.error))
    is_certain = min(was.rows, now.rows) >= MIN_LABELLED and worse_by > CERTAIN * error
    return Decline(now.name, was.value, now.value, worse_by, is_certain)


def _coded(labels: Sequence[Level], predictions: Sequence[Level]) -> tuple[Array, Array]:
    places = _places(labels, predictions)
    return tuple(
        np.array([places[level_name(value)] for value in side], dtype=np.int64) for side in (labels, predictions)
    )  # type: ignore[return-value]


def _places(labels: Sequence[Level], predictions: Sequence[Level]) -> dict[str, int]:
    return {name: place for place, name in enumerate(sorted({level_name(value) for value in (*labels, *predictions)}))}


def _code_of(labels: Sequence[Level], predictions: Sequence[Level], level: Level) -> int:
    return _places(labels, predictions).get(level_name(level), -1)


def _f1(truth: Array, said: Array, hot: int | None) -> float:
    """2 TP / (2 TP + FP + FN); a class that neither side has is left out of the mean."""
    size = int(max(truth.max(), said.max())) + 1
    right = np.bincount(truth[truth == said], minlength=size)
    both = np.bincount(truth, minlength=size) + np.bincount(said, minlength=size)
    if hot is not None:
        return float(2 * right[hot] / both[hot]) if 0 <= hot < size and both[hot] else float("nan")
    held = both > 0
    return float(np.mean(2 * right[held] / both[held]))
