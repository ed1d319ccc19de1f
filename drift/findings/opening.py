"""Opens, worsens and closes findings: the one writer of their rows, but for what reviews decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drift.findings import sentences
from drift.findings.evidence import Evidence
from drift.models import Finding, FindingKind, FindingSeverity, FindingState, Model, Report

DECIDE_WITHIN = {
    FindingSeverity.HIGH: timedelta(days=1),
    FindingSeverity.MEDIUM: timedelta(days=3),
    FindingSeverity.LOW: timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be open. `window` is the one that opened it; none where it is about no window."""

    signal: str
    kind: FindingKind
    severity: FindingSeverity
    evidence: Evidence
    columns: Sequence[str] = ()
    window: tuple[datetime, datetime] | None = None
    report: Report | None = None
    flaps: int = 1
    is_quiet: bool = False
    state: FindingState = FindingState.OPEN
    last_window_to: datetime | None = field(default=None)


def open_finding(model: Model, wanted: Opening, now: datetime) -> Finding:
    """The caller holds the model's lock and has seen that this signal has no open finding."""
    start, end = wanted.window or (None, None)
    return Finding.objects.create(
        model=model,
        team_id=model.owner_id,
        signal=wanted.signal,
        kind=wanted.kind,
        severity=wanted.severity,
        state=wanted.state,
        summary=sentences.summary(wanted.kind, wanted.columns, wanted.evidence),
        columns=list(wanted.columns),
        evidence=wanted.evidence.packed(),
        flaps=wanted.flaps,
        is_quiet=wanted.is_quiet,
        opened_at=now,
        window_from=start,
        window_to=end,
        last_window_to=wanted.last_window_to or end,
        report=wanted.report,
        due_at=now + DECIDE_WITHIN[wanted.severity],
    )


def renew(row: Finding, wanted: Opening, now: datetime) -> bool:
    """Bring an open finding to what is seen now; only a higher severity renews its words. True where it changed."""
    before = (row.severity, row.state, row.last_window_to, row.is_quiet, row.flaps)
    row.state, row.last_window_to = wanted.state, wanted.last_window_to or row.last_window_to
    row.is_quiet, row.flaps = wanted.is_quiet, wanted.flaps
    if _rank(wanted.severity) > _rank(row.severity):
        row.severity = wanted.severity
        row.columns, row.evidence = list(wanted.columns), wanted.evidence.packed()
        row.summary = sentences.summary(FindingKind(row.kind), wanted.columns, wanted.evidence)
        row.due_at = min(row.due_at, now + DECIDE_WITHIN[wanted.severity])
    if before == (row.severity, row.state, row.last_window_to, row.is_quiet, row.flaps):
        return False
    row.save()
    return True


def close(row: Finding, now: datetime, *, last_window_to: datetime | None = None) -> bool:
    """False where somebody was first."""
    done = Finding.objects.filter(pk=row.pk, closed_at__isnull=True).update(
        state=FindingState.CLOSED, closed_at=now, last_window_to=last_window_to or row.last_window_to
    )
    return bool(done)


def _rank(severity: str) -> int:
    return FindingSeverity.values.index(severity)
