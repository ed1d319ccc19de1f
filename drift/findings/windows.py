"""Dated reports of a model as windows in their order, each with what it says of every root signal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from drift.findings.grouping import RootReading, by_root
from drift.findings.imported import ImportedScore, read_report
from drift.findings.readings import DATA_SET, Reading, Verdict
from drift.findings.rules import Rules
from drift.measures.robust.scoring import Severity
from drift.models import Generation, Model, Report, ReportState, Score, ScoreKind

WINDOWS = 60  # more than the 40 within which flapping is counted
COLUMN, PERFORMANCE, ESTIMATE, DATA_SET_SIGNAL = "column:", "performance:", "estimate:", "dataset"
LISTS_WHAT_IS_WRONG = frozenset({Generation.TFDV.value})  # a column that such a report leaves out is clean
Groups = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Said:
    """A report of a window, with its scores."""

    report: Report
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """A window by its end. `roots` are its readings by signal."""

    at: datetime
    said: tuple[Said, ...]
    roots: Mapping[str, RootReading] = field(default_factory=dict)

    @property
    def generations(self) -> frozenset[str]:
        return frozenset(one.report.generation for one in self.said)

    @property
    def columns(self) -> frozenset[str]:
        """Those that it says something of, whichever root speaks for them."""
        return frozenset(member.column for root in self.roots.values() for member in root.members)


def rules_of(model: Model) -> Rules:
    """The model's own numbers over the product's."""
    found = model.settings
    return Rules(q=found.get("q", Rules().q), thresholds=found.get("thresholds", {}))


def seen(model: Model, rules: Rules, groups: Groups = (), *, at_most: int = WINDOWS) -> tuple[SeenWindow, ...]:
    """The last windows of a model, the oldest first; of reports by one tool about one window the newest counts."""
    by_end: dict[datetime, list[Said]] = {}
    for one in _said(model, at_most):
        assert one.report.window_to is not None  # noqa: S101 only dated reports are asked for
        by_end.setdefault(one.report.window_to, []).append(one)
    prefixed = [[COLUMN + column for column in group] for group in groups]
    windows = [SeenWindow(at, tuple(said), _roots(said, model, rules, prefixed)) for at, said in sorted(by_end.items())]
    return tuple(_with_silent_columns(windows))


def _said(model: Model, at_most: int) -> list[Said]:
    rows = Report.objects.filter(model=model, is_dated=True, state=ReportState.IMPORTED).order_by("-window_to", "-pk")
    kept: dict[tuple[object, ...], Report] = {}
    for report in rows.defer("note")[: at_most * 4]:
        kept.setdefault((report.window_to, report.window_from, _tool(report)), report)
    ends = sorted({key[0] for key in kept}, key=str)[-at_most:]  # one time zone: the order of texts is that of time
    reports = {report.pk: report for report in kept.values() if report.window_to in ends}
    scores: dict[int, list[Score]] = {}
    for score in Score.objects.filter(report_id__in=reports).order_by("report_id", "position"):
        scores.setdefault(score.report_id, []).append(score)
    return [Said(report, tuple(scores.get(pk, ()))) for pk, report in reports.items()]


def _tool(report: Report) -> str:
    return report.generation if report.generation == Generation.NATIVE else report.tool


def _roots(said: Iterable[Said], model: Model, rules: Rules, groups: Groups) -> dict[str, RootReading]:
    found: dict[str, RootReading] = {}
    for one in said:
        for root in (*_drift(one, model, rules, groups), *_measured(one, rules)):
            held = found.get(root.root)
            found[root.root] = root if held is None else max(held, root, key=_badness)
    return found


def _drift(one: Said, model: Model, rules: Rules, groups: Groups) -> list[RootReading]:
    """Columns and the data set. A fact about a column's data speaks for that column alone, and at once."""
    report = one.report
    scores = [_imported(score, report, rules) for score in one.scores if score.kind == ScoreKind.DRIFT]
    share = report.share
    limit = report.drift_share if report.drift_share is not None else model.settings.get("drift_share")
    readings = {reading.column: reading for reading in read_report(scores, rules, share=share, drift_share=limit)}
    if share is None or (report.generation == Generation.NATIVE and limit is None):
        readings.pop(DATA_SET, None)  # columns that were computed here speak for themselves, over windows
    facts = {COLUMN + score.column for score in one.scores if _is_fact(score)}
    rest = [reading for name, reading in readings.items() if name not in facts]
    at_once = [_opened(readings.get(name, Reading(name, Verdict.CLEAN))) for name in sorted(facts)]
    grouped = [replace(root, root=DATA_SET_SIGNAL) if root.root == DATA_SET else root for root in by_root(rest, groups)]
    return [*grouped, *(RootReading(reading.column, reading, (reading,)) for reading in at_once)]


def _measured(one: Said, rules: Rules) -> list[RootReading]:
    """Performance, known or estimated, by metric: out of its band is drift of that signal."""
    found: list[RootReading] = []
    for kind, prefix in ((ScoreKind.PERFORMANCE, PERFORMANCE), (ScoreKind.ESTIMATE, ESTIMATE)):
        scores = [
            ImportedScore(prefix + score.column, None, None, "unknown", score.is_drifted)
            for score in one.scores
            if score.kind == kind
        ]
        readings = [reading for reading in read_report(scores, rules) if reading.column != DATA_SET]
        # metrics that were computed here are of the same predictions: they fall together
        together = [reading.column for reading in readings] if one.report.generation == Generation.NATIVE else []
        found += by_root([_medium(reading) for reading in readings], [together] if together else ())
    return found


def _imported(score: Score, report: Report, rules: Rules) -> ImportedScore:
    """A threshold that a person accepted for the column stands above the report's own."""
    own = rules.thresholds.get(score.column)
    flag, threshold = score.is_drifted, score.threshold
    if own is not None and score.direction == "large" and score.value is not None:
        flag, threshold = score.value >= own, own
    is_rounded = report.generation == Generation.EVIDENTLY_B
    return ImportedScore(COLUMN + score.column, score.value, threshold, score.direction, flag, is_rounded)


def _is_fact(score: Score) -> bool:
    return score.kind == ScoreKind.QUALITY and score.is_drifted is True


def _opened(reading: Reading) -> Reading:
    worst = max(reading.severity, Severity.MEDIUM, key=list(Severity).index)
    return replace(reading, verdict=Verdict.DRIFTED, severity=worst, at_once=True)


def _medium(reading: Reading) -> Reading:
    return replace(reading, severity=Severity.MEDIUM) if reading.verdict is Verdict.DRIFTED else reading


def _with_silent_columns(windows: Sequence[SeenWindow]) -> list[SeenWindow]:
    """Facts are told only where they are wrong: a later report of the same tool without one says that it is over."""
    told: dict[str, set[str]] = {}
    for window in windows:
        for one in window.said:
            lists = one.report.generation in LISTS_WHAT_IS_WRONG
            for score in one.scores:
                if score.kind == ScoreKind.QUALITY or lists:
                    told.setdefault(COLUMN + score.column, set()).add(one.report.generation)
    filled: list[SeenWindow] = []
    for window in windows:
        silent = [name for name, by in told.items() if name not in window.columns and by & window.generations]
        clean = {name: RootReading(name, Reading(name, Verdict.CLEAN), ()) for name in silent}
        filled.append(replace(window, roots={**window.roots, **clean}))
    return filled


def _badness(root: RootReading) -> tuple[int, bool, float]:
    order = [Verdict.INSUFFICIENT, Verdict.CLEAN, Verdict.NEAR, Verdict.DRIFTED]
    return order.index(root.leading.verdict), root.leading.at_once, root.leading.excess
