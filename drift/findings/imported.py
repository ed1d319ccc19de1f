"""Readings of a report that another tool computed: p-values through Benjamini-Hochberg, distances by their own flag."""

from collections.abc import Sequence
from dataclasses import dataclass

from drift.findings.multiplicity import rejected
from drift.findings.readings import DATA_SET, Reading, Verdict, verdict_by_distance
from drift.findings.rules import Rules
from drift.measures.robust.scoring import Severity, severity_of

USUAL_DRIFT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class ImportedScore:
    """`direction`: drift where the value is "small" (a p-value) or "large", or "unknown". A rounded p-value keeps its
    own flag: what was 0.0004 may stand there as 0.
    """

    column: str
    value: float | None
    threshold: float | None
    direction: str
    is_drifted: bool | None
    is_rounded: bool = False

    @property
    def is_p_value(self) -> bool:
        return self.direction == "small" and self.value is not None and not self.is_rounded


def read_report(
    scores: Sequence[ImportedScore], rules: Rules, *, share: float | None = None, drift_share: float | None = None
) -> tuple[Reading, ...]:
    """A reading by column, of its worst score, and one of the data set, which opens at once at its drift share."""
    p_values = {str(at): one.value for at, one in enumerate(scores) if one.is_p_value and one.value is not None}
    gate = rejected(p_values, rules.q)
    by_column: dict[str, Reading] = {}
    for at, one in enumerate(scores):
        reading = _read(one, rules, is_certain=str(at) in gate)
        held = by_column.get(one.column)
        by_column[one.column] = reading if held is None else max(held, reading, key=_badness)
    limit = USUAL_DRIFT_SHARE if drift_share is None else drift_share
    return (*by_column.values(), *_of_data_set(scores, share, limit))


def _read(score: ImportedScore, rules: Rules, *, is_certain: bool) -> Reading:
    if score.is_p_value:
        verdict = Verdict.DRIFTED if is_certain else Verdict.CLEAN
        severity = Severity.LOW if is_certain else Severity.NONE
        return Reading(score.column, verdict, p_value=score.value, severity=severity)
    if score.is_drifted is None:
        return Reading(score.column, Verdict.INSUFFICIENT, effect=_effect(score), threshold=score.threshold)
    return _by_flag(score, rules, is_drifted=score.is_drifted)


def _by_flag(score: ImportedScore, rules: Rules, *, is_drifted: bool) -> Reading:
    effect, threshold = _effect(score), score.threshold
    if effect is None or not threshold:
        verdict = Verdict.DRIFTED if is_drifted else Verdict.CLEAN
        return Reading(score.column, verdict, severity=Severity.LOW if is_drifted else Severity.NONE)
    verdict = verdict_by_distance(effect, threshold, is_drifted=is_drifted, near=rules.near)
    severity = max(severity_of(effect, threshold), Severity.LOW, key=list(Severity).index)
    return Reading(
        score.column,
        verdict,
        effect=effect,
        threshold=threshold,
        severity=severity if is_drifted else Severity.NONE,
    )


def _effect(score: ImportedScore) -> float | None:
    return score.value if score.direction == "large" else None


def _of_data_set(scores: Sequence[ImportedScore], share: float | None, limit: float) -> tuple[Reading, ...]:
    """The report's own share; where it has none, that of the columns whose flag is known."""
    if share is None:
        flags = {one.column: one.is_drifted for one in scores if one.is_drifted is not None}
        if not flags:
            return ()
        share = sum(flags.values()) / len(flags)
    is_drifted = share >= limit
    verdict = Verdict.DRIFTED if is_drifted else Verdict.CLEAN
    severity = Severity.HIGH if is_drifted else Severity.NONE
    return (Reading(DATA_SET, verdict, effect=share, threshold=limit, severity=severity, at_once=is_drifted),)


def _badness(reading: Reading) -> tuple[int, float]:
    order = [Verdict.INSUFFICIENT, Verdict.CLEAN, Verdict.NEAR, Verdict.DRIFTED]
    return order.index(reading.verdict), reading.excess
