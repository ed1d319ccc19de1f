"""Brings files in for a command, in its own process: reports, references and windows, each with a sentence about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drift import importing, ingest
from drift.ingest import Received, Sender
from drift.models import Model, ReferenceState
from drift.native import references, windows
from drift.windows import ReportWindow
from monitoring.alerts import clock

SENDER = Sender(name="import-drift")


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that was taken in; `more` is what only files of rows have."""

    file: str
    reports: tuple[int, ...]
    scores: int
    is_known: bool
    sentence: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "state": "imported",
            **self.more,
            "reports": self.reports,
            "scores": self.scores,
            "known": self.is_known,
            "sentence": self.sentence,
        }


def bring_report(model: Model, window: ReportWindow | None, path: Path) -> Brought:
    """Raises DriftError, OSError."""
    received = importing.import_now(model, ingest.content_of(path), name=path.name, window=window, sender=SENDER)
    sentence = _of_report(path.name, received)
    return Brought(path.name, received.report_ids, received.scores, received.is_known, sentence)


def bring_reference(model: Model, note: str, path: Path) -> Brought:
    """Raises DriftError, OSError."""
    began = clock.now()
    with path.open("rb") as stream:
        row = references.receive_now(model, stream, name=path.name, note=note, sender=SENDER)
    is_known, label = row.received_at < began, ReferenceState(row.state).label.lower()
    if is_known:
        sentence = f"{path.name}: the same is here already (reference {row.version}, {label}); nothing changed."
    else:
        held = f"{importing.counted(row.rows, 'row')}, {importing.counted(row.columns, 'column')}"
        sentence = f"{path.name}: reference {row.version} of {model.name} with {held}; {_next(row.state)}"
    more = {"reference": row.pk, "version": row.version, "reference_state": row.state}
    return Brought(path.name, (), 0, is_known, sentence, more)


def bring_window(model: Model, window: ReportWindow, is_complete: bool, path: Path) -> Brought:  # noqa: FBT001 partial's order
    """Raises DriftError, OSError."""
    began = clock.now()
    with path.open("rb") as stream:
        row = windows.receive_now(model, stream, window, name=path.name, is_complete=is_complete, sender=SENDER)
    is_known, report = row.received_at < began, row.report
    if is_known:
        sentence = f"{path.name}: the same is here already (window {row.pk}); nothing changed."
    else:
        compared = f"compared with reference {row.reference.version}" if row.reference else "counted"
        drifted = f"; {report.drifted_columns} of {report.columns} columns drifted" if report else ""
        sentence = f"{path.name}: {importing.counted(row.rows, 'row')} {compared}{drifted}."
    scores = report.scores.count() if report else 0
    return Brought(path.name, (report.pk,) if report else (), scores, is_known, sentence, {"window": row.pk})


def _next(state: str) -> str:
    if state == ReferenceState.ACTIVE:
        return "it is active."
    return "it waits for somebody to accept it."


def _of_report(name: str, received: Received) -> str:
    reports = importing.counted(len(received.report_ids), "report")
    if received.is_known:
        return f"{name}: the same is here already ({reports}); nothing changed."
    undated = " It has no window, so it stays out of trends until somebody dates it." if received.undated else ""
    return f"{name}: {reports} imported with {importing.counted(received.scores, 'score')}.{undated}"
