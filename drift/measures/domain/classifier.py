"""The domain classifier: logistic regression, fitted on one half and scored on the other, both ways."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from drift.measures.columns import Column, Texts, Vectors
from drift.measures.domain import features
from drift.measures.errors import NotApplicableError, WrongKindError
from drift.measures.labels.performance import auc

METHOD = "domain_classifier"
THRESHOLD = 0.55  # Evidently's, for its own classifier
STEPS = 100
RATE = 0.5
PENALTY = 1e-3
MOMENTUM = 0.9
SEED = 20261001
FEWEST = 50  # rows of either side


@dataclass(frozen=True, slots=True)
class DomainScore:
    """0.5: the classifier guesses, 1: it always knows. `p_value` is that of a guess (Mann-Whitney, one-sided)."""

    column: str
    auc: float
    p_value: float
    threshold: float
    rows: int

    @property
    def effect(self) -> float:
        """Between 0 and 1, as other effects are."""
        return max(2 * self.auc - 1, 0.0)

    @property
    def is_drifted(self) -> bool:
        return self.auc > self.threshold and self.p_value <= 0.01  # noqa: PLR2004 - as other p-values


def score(reference: Column, current: Column, *, threshold: float = THRESHOLD) -> DomainScore:
    """Both sides are weighted alike, whatever their sizes. The same input gives the same score."""
    mine, theirs = _rows(reference, current)
    if min(len(mine), len(theirs)) < FEWEST:
        raise NotApplicableError(METHOD, reference.name, f"both windows need {FEWEST} values or more.")
    rows = np.concatenate([mine, theirs])
    is_current = np.arange(len(rows)) >= len(mine)
    half = _halves(len(mine), len(theirs))
    said = np.empty(len(rows))
    for fitted in (half, ~half):
        said[~fitted] = rows[~fitted] @ _fit(rows[fitted], is_current[fitted])
    found = float(np.mean([auc(is_current[part], said[part]) for part in (half, ~half)]))
    return DomainScore(reference.name, found, _p_value(found, len(mine), len(theirs)), threshold, len(theirs))


def _rows(reference: Column, current: Column) -> tuple[features.Matrix, features.Matrix]:
    if isinstance(reference, Texts) and isinstance(current, Texts):
        return features.of_texts(reference.values), features.of_texts(current.values)
    if isinstance(reference, Vectors) and isinstance(current, Vectors):
        if reference.values.shape[1] != current.values.shape[1]:
            raise NotApplicableError(METHOD, reference.name, "the embeddings of both windows differ in length.")
        both = features.of_vectors(np.concatenate([reference.values, current.values]))
        return both[: len(reference.values)], both[len(reference.values) :]
    raise WrongKindError(
        METHOD, reference.name, current.kind if isinstance(reference, Texts | Vectors) else reference.kind
    )


def _halves(mine: int, theirs: int) -> NDArray[np.bool_]:
    """A seeded half of each side."""
    chance = np.random.default_rng(SEED)
    return np.concatenate([chance.permutation(side) < side // 2 for side in (mine, theirs)])


def _fit(rows: features.Matrix, is_current: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights by gradient descent with momentum; the intercept does not matter to an AUC."""
    share = is_current.mean()
    balance = np.where(is_current, 0.5 / share, 0.5 / (1 - share)).astype(np.float32) / len(rows)
    centered = rows - rows.mean(axis=0)
    scale = max(float(np.mean(np.sum(centered**2, axis=1))), 1e-12)
    weights = np.zeros(rows.shape[1], dtype=np.float32)
    speed = np.zeros_like(weights)
    for _ in range(STEPS):
        gap = 1 / (1 + np.exp(-np.clip(centered @ weights, -30, 30))) - is_current
        slope = centered.T @ (gap * balance) + PENALTY * scale * weights
        speed = (MOMENTUM * speed - RATE * 4 / scale * slope).astype(np.float32)
        weights += speed
    return weights


def _p_value(found: float, mine: int, theirs: int) -> float:
    from scipy.special import ndtr  # late: workers compute, the web part never does

    return float(ndtr(-(found - 0.5) / sqrt((mine + theirs + 1) / (12 * mine * theirs))))
