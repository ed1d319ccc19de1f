"""Readings of a window that was computed here: effects against their thresholds, p-values through one gate for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drift.findings.multiplicity import rejected
from drift.findings.readings import Reading, Verdict, verdict_by_distance
from drift.findings.rules import Rules
from drift.measures.robust.profile import Profile, WindowCounts
from drift.measures.robust.quality import Fact, FactKind, facts_of_window
from drift.measures.robust.scoring import RobustScore, Severity, score

SEVERITY_OF_FACTS = {
    FactKind.ABSENT: Severity.HIGH,
    FactKind.ALL_MISSING: Severity.HIGH,
    FactKind.CONSTANT: Severity.HIGH,
}
_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """Everything that a window says: scores and facts for its report, a reading by column for the tracks."""

    scores: tuple[RobustScore, ...]
    facts: tuple[Fact, ...]
    readings: tuple[Reading, ...]


def judge_window(profile: Profile, window: WindowCounts, rules: Rules, *, is_complete: bool = True) -> JudgedWindow:
    """A partial or late window (`is_complete` false) is scored, but says neither drift nor clean."""
    scores = tuple(
        score(column, window.columns[column.name], floor=rules.floor_of(column.name), min_rows=rules.min_rows)
        for column in profile.columns
        if column.name in window.columns
    )
    facts = facts_of_window(profile, window.columns, min_rows=rules.min_rows)
    readings = read_scores(scores, rules)
    if not is_complete:
        readings = tuple(replace(reading, verdict=Verdict.INSUFFICIENT, severity=Severity.NONE) for reading in readings)
        return JudgedWindow(scores, tuple(replace(fact, opens=False) for fact in facts), readings)
    return JudgedWindow(scores, facts, with_facts(readings, facts))


def read_scores(scores: Sequence[RobustScore], rules: Rules) -> tuple[Reading, ...]:
    gate = rejected({one.column: one.p_value for one in scores if one.is_sufficient}, rules.q)
    return tuple(_read(one, rules, is_certain=one.column in gate) for one in scores)


def with_facts(readings: Sequence[Reading], facts: Sequence[Fact]) -> tuple[Reading, ...]:
    """Facts that open make their column's reading drifted at once; a column that is absent gets a reading by them."""
    opening: dict[str, tuple[Fact, ...]] = {}
    for fact in facts:
        if fact.opens:
            opening[fact.column] = (*opening.get(fact.column, ()), fact)
    by_column = {reading.column: reading for reading in readings}
    by_column |= {name: Reading(name, Verdict.CLEAN) for name in opening if name not in by_column}
    return tuple(_opened(reading, opening.get(name, ())) for name, reading in by_column.items())


def _read(scored: RobustScore, rules: Rules, *, is_certain: bool) -> Reading:
    is_drifted = scored.is_large and is_certain
    verdict = verdict_by_distance(scored.effect, scored.threshold, is_drifted=is_drifted, near=rules.near)
    return Reading(
        scored.column,
        verdict if scored.is_sufficient else Verdict.INSUFFICIENT,
        effect=scored.effect,
        threshold=scored.threshold,
        p_value=scored.p_value,
        severity=scored.severity if is_drifted else Severity.NONE,
    )


def _opened(reading: Reading, facts: tuple[Fact, ...]) -> Reading:
    if not facts:
        return reading
    severities = [SEVERITY_OF_FACTS.get(fact.kind, Severity.MEDIUM) for fact in facts]
    worst = max([reading.severity, *severities], key=_ORDER.index)
    return replace(reading, verdict=Verdict.DRIFTED, severity=worst, at_once=True, facts=facts)
