"""Scores of one column by the recipe `evidently-compatible`."""

from dataclasses import dataclass

from drift.measures.columns import Column, Labels, Numbers
from drift.measures.compatible.methods import METHODS, Method, default_method
from drift.measures.errors import EmptyColumnError, UnknownMethodError, WrongKindError

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
    value = chosen.score(reference, current)
    limit = chosen.threshold if threshold is None else threshold
    return MethodScore(
        reference.name, chosen.key, value, limit, chosen.direction, is_drifted=bool(chosen.drifts(value, limit))
    )


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
