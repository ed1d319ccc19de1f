"""Judges the counts of a window against its reference and writes what they say as a report."""

from collections.abc import Sequence

from django.db import transaction

from drift.findings.computed import of_robust
from drift.findings.native import JudgedWindow, judge_window
from drift.findings.windows import rules_of
from drift.measures.robust import RECIPE as ROBUST
from drift.measures.robust.profile import Profile, WindowCounts
from drift.models import DataWindow, Report, WindowState
from drift.native import reports
from drift.sources.records import ReadScore
from drift.windows import ReportWindow
from monitoring.alerts import clock


def judge(row: DataWindow, profile: Profile, counts: WindowCounts) -> JudgedWindow:
    return judge_window(profile, counts, rules_of(row.model), is_complete=row.is_complete)


def compute(row: DataWindow, profile: Profile, counts: WindowCounts, extra: Sequence[ReadScore] = ()) -> Report:
    """By the robust recipe. `extra` are further scores, of performance and estimates."""
    return settle(row, counts, (*of_robust(judge(row, profile, counts)), *extra), recipe=ROBUST)


@transaction.atomic
def settle(
    row: DataWindow, counts: WindowCounts, scores: Sequence[ReadScore], *, recipe: str, note: str = ""
) -> Report:
    """Keep the window's counts with the report that they give."""
    assert row.reference is not None  # noqa: S101 a window that is computed has one
    report = reports.write(
        row.model,
        ReportWindow(row.window_from, row.window_to),
        scores,
        recipe=recipe,
        reference=row.reference.version,
        note=note if row.is_complete else f"The window is not complete: it says neither drift nor none. {note}".strip(),
    )
    DataWindow.objects.filter(report=report).exclude(pk=row.pk).update(report=None)
    row.report, row.state, row.rows = report, WindowState.COMPUTED, counts.rows
    row.counts, row.changed_at, row.trouble = counts.to_json(), clock.now(), ""
    row.save(update_fields=["report", "state", "rows", "counts", "changed_at", "trouble"])
    return report
