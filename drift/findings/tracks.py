"""Root signals gone through window by window: where each stands, and what is to be open because of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from drift.findings.evidence import Evidence, Fact, Number, leading_first
from drift.findings.grouping import RootReading
from drift.findings.opening import Opening
from drift.findings.readings import DATA_SET, Verdict
from drift.findings.rules import Rules
from drift.findings.tracking import Change, Step, Track, replay
from drift.findings.windows import COLUMN, DATA_SET_SIGNAL, ESTIMATE, PERFORMANCE, SeenWindow
from drift.measures.robust.scoring import Severity
from drift.models import FindingKind, FindingSeverity, FindingState, ScoreKind

RECENT = 5


@dataclass(frozen=True, slots=True)
class Tracked:
    """A root signal with the windows that speak of it."""

    signal: str
    track: Track
    steps: tuple[Step, ...]
    windows: tuple[tuple[SeenWindow, RootReading], ...]


def tracked(windows: Sequence[SeenWindow], rules: Rules) -> dict[str, Tracked]:
    by_signal: dict[str, list[tuple[SeenWindow, RootReading]]] = {}
    for window in windows:
        for signal, root in window.roots.items():
            by_signal.setdefault(signal, []).append((window, root))
    found: dict[str, Tracked] = {}
    for signal, pairs in by_signal.items():
        track, steps = replay(signal, [(window.at, root) for window, root in pairs], rules)
        found[signal] = Tracked(signal, track, steps, tuple(pairs))
    return found


def is_over(one: Tracked, rules: Rules) -> bool:
    """Clean windows close it; that its opening lies before the windows gone through here does not."""
    return any(step.change is Change.CLOSED for step in one.steps) or one.track.clean_run >= rules.clean_needed


def opening_of(one: Tracked) -> Opening:
    """Of a signal whose track is open."""
    first = max(at for at, step in enumerate(one.steps) if step.change is Change.OPENED)
    began = one.steps[first].track.last_window
    window = next(window for window, _ in one.windows if window.at == began)
    worst_at = one.steps[-1].track.last_window  # its last change: it opened or got worse
    seen_at, reading = next(pair for pair in one.windows if pair[0].at == worst_at)
    report = window.said[-1].report
    assert report.window_from is not None  # noqa: S101 a dated one
    kind = _kind(one.signal, reading, seen_at)
    return Opening(
        signal=one.signal,
        kind=kind,
        severity=_severity(one.track.severity),
        evidence=_evidence(one, seen_at, reading),
        columns=_flagged(seen_at) if one.signal == DATA_SET_SIGNAL else _columns(reading),
        window=(report.window_from, window.at),
        report=report,
        flaps=max(len(one.track.openings), 1),
        is_quiet=one.steps[first].is_quiet,
        state=FindingState.INSUFFICIENT if one.track.blind else FindingState.OPEN,
        last_window_to=one.track.last_window,
    )


def _severity(severity: Severity) -> FindingSeverity:
    return FindingSeverity.LOW if severity is Severity.NONE else FindingSeverity(severity.value)


def _kind(signal: str, reading: RootReading, window: SeenWindow) -> FindingKind:
    if signal == DATA_SET_SIGNAL:
        return FindingKind.DATASET
    if signal.startswith((PERFORMANCE, ESTIMATE)):
        return FindingKind.PERFORMANCE
    return FindingKind.QUALITY if _facts(reading, window) else FindingKind.DRIFT


def _columns(reading: RootReading) -> tuple[str, ...]:
    """Without what makes a column a signal; the leading one first."""
    drifted = [member.column for member in reading.members if member.verdict is Verdict.DRIFTED]
    ordered = sorted(drifted, key=lambda name: name != reading.leading.column)
    return tuple(_plain(name) for name in ordered if name != DATA_SET)


def _flagged(window: SeenWindow) -> tuple[str, ...]:
    """The columns that the reports themselves call drifted: those are what their share counts."""
    scores = (score for said in window.said for score in said.scores)
    return tuple(dict.fromkeys(score.column for score in scores if score.kind == ScoreKind.DRIFT and score.is_drifted))


def _plain(signal: str) -> str:
    for prefix in (COLUMN, PERFORMANCE, ESTIMATE):
        if signal.startswith(prefix):
            return signal.removeprefix(prefix)
    return signal


def _evidence(one: Tracked, window: SeenWindow, reading: RootReading) -> Evidence:
    members = {member.column for member in reading.members} | {one.signal}
    names = {_plain(name) for name in members} | set(_flagged(window) if one.signal == DATA_SET_SIGNAL else ())
    kinds = _kinds(one.signal)
    numbers = [
        Number(
            score.column, score.method, score.value, score.threshold, score.threshold_low, score.direction,
            score.is_drifted,
        )
        for said in window.said
        for score in said.scores
        if score.kind in kinds and score.column in names
    ]  # fmt: skip
    said = window.said[-1].report
    is_whole = one.signal == DATA_SET_SIGNAL
    return Evidence(
        scores=leading_first(numbers, _plain(reading.leading.column)),
        facts=_facts(reading, window),
        recent=_recent(one),
        reports=tuple(told.report.pk for told in window.said),
        share=said.share if is_whole else None,
        drift_share=reading.leading.threshold if is_whole else None,
        columns=said.columns if is_whole else 0,
        drifted_columns=said.drifted_columns if is_whole else 0,
        is_estimate=one.signal.startswith(ESTIMATE),
    )


def _kinds(signal: str) -> tuple[ScoreKind, ...]:
    if signal.startswith(PERFORMANCE):
        return (ScoreKind.PERFORMANCE,)
    return (ScoreKind.ESTIMATE,) if signal.startswith(ESTIMATE) else (ScoreKind.DRIFT,)


def _facts(reading: RootReading, window: SeenWindow) -> tuple[Fact, ...]:
    names = {_plain(member.column) for member in reading.members if member.at_once}
    return tuple(
        Fact(score.column, score.method_as_written or score.method, score.value)
        for said in window.said
        for score in said.scores
        if score.kind == ScoreKind.QUALITY and score.is_drifted and score.column in names
    )


def _recent(one: Tracked) -> tuple[bool, ...]:
    """The last judged windows up to the one that opened it or made it worse."""
    until = one.steps[-1].track.last_window
    judged = [
        reading.leading.verdict is Verdict.DRIFTED
        for window, reading in one.windows
        if reading.leading.is_judged and until is not None and window.at <= until
    ]
    return tuple(judged[-RECENT:])
