"""The methods of the recipe by Evidently's keys, with their default thresholds and what counts as drift."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from drift.measures.columns import Kind, Labels, Numbers, levels_up_to
from drift.measures.compatible import distances, probabilities

LARGE_REFERENCE = 1000  # rows without nulls; above, Evidently prefers distances
FEW_LEVELS, TWO_LEVELS = 5, 2


@dataclass(frozen=True, slots=True)
class Method:
    """How a key scores a column. `drifts(value, threshold)` is exact about the bounds: some include them."""

    key: str
    score: Callable[[Any, Any], float]
    threshold: float
    drifts: Callable[[float, float], bool]
    kinds: frozenset[Kind]

    @property
    def direction(self) -> str:
        return "small" if self.drifts in {lt, le} else "large"


_NUMERICAL, _CATEGORICAL = frozenset({Kind.NUMERICAL}), frozenset({Kind.NUMERICAL, Kind.CATEGORICAL})
_ALL = (
    Method("ks", probabilities.ks, 0.05, le, _NUMERICAL),
    Method("wasserstein", distances.wasserstein, 0.1, ge, _NUMERICAL),
    Method("psi", distances.psi, 0.1, ge, _CATEGORICAL),
    Method("jensenshannon", distances.jensenshannon, 0.1, ge, _CATEGORICAL),
    Method("kl_div", distances.kl_div, 0.1, ge, _CATEGORICAL),
    Method("hellinger", distances.hellinger, 0.1, ge, _CATEGORICAL),
    Method("chisquare", probabilities.chisquare, 0.05, lt, _CATEGORICAL),
    Method("z", probabilities.z, 0.05, lt, _CATEGORICAL),
    Method("tvd", probabilities.total_variation, 0.1, lt, _CATEGORICAL),
    Method("g_test", probabilities.g_test, 0.1, lt, _CATEGORICAL),
    Method("fisher_exact", probabilities.fisher_exact, 0.1, lt, _CATEGORICAL),
    Method("t_test", probabilities.t_test, 0.05, lt, _NUMERICAL),
    Method("mannw", probabilities.mann_whitney, 0.05, lt, _NUMERICAL),
    Method("anderson", probabilities.anderson_darling, 0.1, lt, _NUMERICAL),
    Method("es", probabilities.epps_singleton, 0.05, lt, _NUMERICAL),
    Method("cramer_von_mises", probabilities.cramer_von_mises, 0.1, le, _NUMERICAL),
    Method("ed", distances.energy, 0.1, gt, _NUMERICAL),
)
METHODS = {method.key: method for method in _ALL}


def default_method(reference: Numbers | Labels, current: Numbers | Labels) -> str:
    """Evidently's choice: by the size of the reference without nulls, the kind, and the distinct values of both."""
    levels = len(levels_up_to(reference, FEW_LEVELS) | levels_up_to(current, FEW_LEVELS))
    is_continuous = isinstance(reference, Numbers) and levels > FEW_LEVELS
    if reference.present > LARGE_REFERENCE:
        return "wasserstein" if is_continuous else "jensenshannon"
    if is_continuous:
        return "ks"
    return "chisquare" if levels > TWO_LEVELS else "z"
