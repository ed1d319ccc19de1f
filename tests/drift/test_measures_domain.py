"""Texts and embeddings: a classifier that can tell the window from the reference is drift."""

import numpy as np
import pytest

from drift.measures.columns import Column, Texts, Vectors, numbers
from drift.measures.domain.classifier import score
from drift.measures.errors import MeasureError, NotApplicableError, WrongKindError

WORDS = [f"word{place}" for place in range(17)]


def texts(seed: int, rows: int, extra: tuple[str, ...] = ()) -> Texts:
    chance = np.random.default_rng(seed)
    vocabulary = WORDS + list(extra) * 3
    values = tuple(" ".join(chance.choice(vocabulary, size=chance.integers(5, 25))) for _ in range(rows))
    return Texts("ticket", values, rows=rows, present=rows)


def vectors(seed: int, rows: int, shift: float = 0.0, width: int = 32) -> Vectors:
    values = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    values[:, 0] += shift
    return Vectors("embedding", values, rows=rows, present=rows)


@pytest.mark.parametrize("seed", range(4))
def test_texts_of_one_kind_cannot_be_told_apart_and_a_new_word_can(seed: int) -> None:
    same = score(texts(seed, 400), texts(seed + 100, 300))
    other = score(texts(seed, 400), texts(seed + 100, 300, ("lawsuit",)))
    assert (same.is_drifted, other.is_drifted) == (False, True)
    assert same.auc == pytest.approx(0.5, abs=0.06)
    assert other.auc > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_one_dimension_of_an_embedding_that_moved_is_seen(seed: int) -> None:
    same, moved = (
        score(vectors(seed, 900), vectors(seed + 50, 600)),
        score(vectors(seed, 900), vectors(seed + 50, 600, 1.0)),
    )
    assert (same.is_drifted, moved.is_drifted) == (False, True)
    assert moved.auc == pytest.approx(0.76, abs=0.06)  # the normal distribution at 1 / sqrt(2)
    assert moved.effect == pytest.approx(2 * moved.auc - 1)


def test_the_same_windows_have_the_same_score() -> None:
    assert score(texts(1, 200), texts(2, 200)) == score(texts(1, 200), texts(2, 200))


def test_texts_without_words_are_scored_as_well() -> None:
    empty = Texts("ticket", ("",) * 80, rows=80, present=80)
    assert score(empty, empty).auc == 0.5
    assert score(texts(1, 80), empty).is_drifted


def test_embeddings_with_values_that_are_no_numbers_are_scored() -> None:
    broken = vectors(1, 200)
    broken.values[::7, 3] = np.inf
    broken.values[:, 5] = np.nan
    assert score(broken, broken).is_drifted is False


@pytest.mark.parametrize(
    ("reference", "current", "error"),
    [
        (texts(1, 49), texts(2, 100), NotApplicableError),
        (vectors(1, 60, width=3), vectors(1, 60, width=4), NotApplicableError),
        (texts(1, 60), vectors(1, 60), WrongKindError),
        (numbers("ticket", [1.0]), texts(1, 60), WrongKindError),
    ],
)
def test_what_cannot_be_compared_says_why(reference: Column, current: Column, error: type[MeasureError]) -> None:
    with pytest.raises(error, match=f"'{reference.name}'"):
        score(reference, current)
