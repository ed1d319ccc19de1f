"""The loss of each labelled prediction between 0 and 1, which is what concept drift is looked for in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drift.measures.columns import Level, level_name

Losses = NDArray[np.float64]


def of_classes(labels: Sequence[Level], predictions: Sequence[Level]) -> Losses:
    """1 where the prediction is wrong; 1, 1.0 and "1" are one class."""
    pairs = zip(labels, predictions, strict=True)
    return np.array([float(level_name(label) != level_name(prediction)) for label, prediction in pairs])


def of_numbers(labels: Losses, predictions: Losses, reference_errors: Losses) -> Losses:
    """The rank of each absolute error among those of the reference: one huge error weighs no more than a large one."""
    ranked = np.sort(np.abs(reference_errors))
    errors = np.abs(labels - predictions)
    below = np.searchsorted(ranked, errors, side="left") + np.searchsorted(ranked, errors, side="right")
    ranks: Losses = below / (2 * len(ranked))
    return ranks
