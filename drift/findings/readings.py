"""What one window says of one root signal: the input of its track."""

from dataclasses import dataclass
from enum import StrEnum

from drift.measures.robust.quality import Fact
from drift.measures.robust.scoring import Severity


class Verdict(StrEnum):
    """NEAR is no drift, but too close to the threshold to count as clean. INSUFFICIENT is unknown, hence not green."""

    DRIFTED = "drifted"
    NEAR = "near"
    CLEAN = "clean"
    INSUFFICIENT = "insufficient data"


DATA_SET = "*"  # the root of a finding about all columns together


@dataclass(frozen=True, slots=True)
class Reading:
    """`effect` and `threshold` are None where a report gave only a p-value. `at_once`: one window is enough to open."""

    column: str
    verdict: Verdict
    effect: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    severity: Severity = Severity.NONE
    at_once: bool = False
    facts: tuple[Fact, ...] = ()

    @property
    def is_judged(self) -> bool:
        return self.verdict is not Verdict.INSUFFICIENT

    @property
    def excess(self) -> float:
        """How many times its threshold the effect is; what leads a group."""
        return self.effect / self.threshold if self.effect is not None and self.threshold else 0.0


def verdict_by_distance(effect: float, threshold: float, *, is_drifted: bool, near: float) -> Verdict:
    if is_drifted:
        return Verdict.DRIFTED
    return Verdict.CLEAN if effect < near * threshold else Verdict.NEAR
