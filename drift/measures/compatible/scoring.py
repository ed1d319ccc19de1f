"""Scores of one column by the recipe `evidently-compatible`."""

import warnings
from dataclasses import dataclass
from math import isfinite

import numpy as np

from drift.measures.columns import Column, Labels, Numbers
from drift.measures.compatible.methods import METHODS, Method, default_method
from drift.measures.errors import EmptyColumnError, MeasureError, NotApplicableError, UnknownMethodError, WrongKindError
from drift.measures.windows.window import Window

RECIPE = "evidently-compatible"
LIKE_VERSION = "0.7.23"


@dataclass(frozen=True, slots=True)
class MethodScore:
    """One method's value with the threshold that was used. `direction`: drift where the value is small or large."""

    column: str
    method: str
    value: float
    threshold: float
    direction: str
    is_drifted: bool


def score(
    reference: Column, current: Column, method: str | None = None, *, threshold: float | None = None
) -> MethodScore:
    """Score by `method`, or by Evidently's default for such a column; raises MeasureError where there is no score."""
    wanted = method or "default"
    if not isinstance(reference, Numbers | Labels):
        raise WrongKindError(wanted, reference.name, reference.kind)
    if not isinstance(current, Numbers | Labels):
        raise WrongKindError(wanted, current.name, current.kind)
    _check_filled(reference, current)
    chosen = _method(method or default_method(reference, current), reference)
    value = _value(chosen, reference, current)
    limit = chosen.threshold if threshold is None else threshold
    return MethodScore(
        reference.name, chosen.key, value, limit, chosen.direction, is_drifted=bool(chosen.drifts(value, limit))
    )


@dataclass(frozen=True, slots=True)
class WindowScores:
    """Scores by column, and why the other columns have none: one bad column never costs the others their score."""

    scores: tuple[MethodScore, ...]
    refused: tuple[tuple[str, str], ...]


def score_window(reference: Window, current: Window, method: str | None = None) -> WindowScores:
    """Score the columns of the reference one after another: in memory is one column of both windows at a time."""
    scores, refused = list[MethodScore](), list[tuple[str, str]]()
    for name in reference.names:
        try:
            mine = reference.column(name)
            scores.append(score(mine, current.column(name, mine.kind), method))
        except MeasureError as error:
            refused.append((name, str(error)))
    return WindowScores(tuple(scores), tuple(refused))


def _value(method: Method, reference: Numbers | Labels, current: Numbers | Labels) -> float:
    """Division by an empty bin is part of some methods, and scipy warns where it scores nevertheless."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value = method.score(reference, current)
        except (ValueError, ArithmeticError) as error:
            raise NotApplicableError(method.key, reference.name, f"{error}.") from error
    if not isfinite(value):
        raise NotApplicableError(method.key, reference.name, "its values allow none; they are too few or all alike.")
    return value


def _check_filled(reference: Numbers | Labels, current: Numbers | Labels) -> None:
    if not reference.present:
        raise EmptyColumnError(reference.name, "reference")
    if not current.present:
        raise EmptyColumnError(current.name, "current")


def _method(key: str, column: Numbers | Labels) -> Method:
    method = METHODS.get(key)
    if method is None:
        raise UnknownMethodError(key, tuple(METHODS))
    if column.kind not in method.kinds:
        raise WrongKindError(key, column.name, column.kind)
    return method
