"""Performance while labels are still to come, from calibrated probabilities alone: an estimate, and marked as one.

As in CBPE (confidence-based performance estimation): it is right as long as the calibration of the reference holds, so
it sees what changed inputs do to performance and is blind to concept drift.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.measures.labels.performance import weighted_auc

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising line of steps from scores to probabilities, fitted on labelled reference rows. Serialisable as it is."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, scores: Array) -> Array:
        """Straight lines between the steps; scores beyond the reference get its outermost probability."""
        found: Array = np.interp(scores, self.scores, self.probabilities)
        return found


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected metrics of a window of a binary classifier. `error` is what chance adds at this size."""

    rows: int
    accuracy: float
    accuracy_error: float
    f1: float
    auc: float


def calibrate(is_positive: NDArray[np.bool_], scores: Array) -> Calibration:
    """Isotonic regression by pooling adjacent violators."""
    levels, place = np.unique(scores, return_inverse=True)
    weights = np.bincount(place).astype(np.float64)
    means = np.bincount(place, weights=is_positive.astype(np.float64)) / weights
    pooled: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        pooled.append((mean, weight, 1))
        while len(pooled) > 1 and pooled[-2][0] >= pooled[-1][0]:
            pooled.append(_pool(pooled.pop(), pooled.pop()))
    return _as_steps(levels, pooled)


def estimate(calibration: Calibration, scores: Array, *, cut: float = 0.5) -> Estimate:
    """What labels would say on average, for predictions that are positive from `cut` on."""
    chances = calibration(scores)
    is_positive = scores >= cut
    right = np.where(is_positive, chances, 1 - chances)
    true_positives = float(chances[is_positive].sum())
    halves = float(is_positive.sum() + chances.sum())
    return Estimate(
        rows=len(scores),
        accuracy=float(right.mean()),
        accuracy_error=float(np.sqrt(np.sum(right * (1 - right))) / len(scores)),
        f1=2 * true_positives / halves if halves else 0.0,
        auc=weighted_auc(chances, scores),
    )


def _pool(later: tuple[float, float, int], earlier: tuple[float, float, int]) -> tuple[float, float, int]:
    weight = later[1] + earlier[1]
    return (later[0] * later[1] + earlier[0] * earlier[1]) / weight, weight, later[2] + earlier[2]


def _as_steps(levels: Array, pooled: list[tuple[float, float, int]]) -> Calibration:
    """The first and the last score of each step."""
    places, values, start = list[int](), list[float](), 0
    for mean, _, count in pooled:
        for place in sorted({start, start + count - 1}):
            places.append(place)
            values.append(mean)
        start += count
    return Calibration(tuple(float(levels[place]) for place in places), tuple(values))
