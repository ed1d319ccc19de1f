"""Finds models whose report is overdue: silence is a finding of its own, closed by the next report."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q

from drift.findings import alerting, opening
from drift.findings.evidence import Evidence
from drift.findings.locking import lock
from drift.findings.opening import Opening
from drift.findings.overdue import Overdue, overdue
from drift.models import Finding, FindingKind, FindingSeverity, Model, ReportState
from fleetledger.lib.durations import duration_text

SIGNAL = "missing_report"
MANY = 3  # reports in a row that did not come


def check(now: datetime) -> str:
    """Open and close what is due; a sentence as its result."""
    received = Max("reports__received_at", filter=Q(reports__state=ReportState.IMPORTED))
    rows = Model.objects.filter(removed_at__isnull=True, expected_every_s__isnull=False).annotate(last=received)
    late = {row.pk: missing for row in rows if (missing := _missing(row, row.last or row.created_at, now))}
    held = Finding.objects.filter(signal=SIGNAL, closed_at__isnull=True)
    known = set(held.values_list("model_id", flat=True))
    for model_id in late.keys() | known:
        _settle(model_id, late.get(model_id), now)
    for model_id in _removed_or_moved():
        _tidy(model_id, now)
    return f"{len(late)} models miss a report."


def _missing(model: Model, last: datetime, now: datetime) -> Overdue | None:
    return overdue(last, timedelta(seconds=model.expected_every_s), now) if model.expected_every_s else None


@transaction.atomic
def _settle(model_id: int, missing: Overdue | None, now: datetime) -> None:
    lock(model_id)
    model = Model.objects.select_related("owner").get(pk=model_id)
    row = Finding.objects.filter(model=model, signal=SIGNAL, closed_at__isnull=True).first()
    if missing is None:
        has_changed = row is not None and opening.close(row, now)
    elif row is None:
        opening.open_finding(model, _opening(model, missing), now)
        has_changed = True
    else:
        has_changed = opening.renew(row, _opening(model, missing), now)
    if has_changed:
        alerting.report(model)


def _opening(model: Model, missing: Overdue) -> Opening:
    severity = FindingSeverity.HIGH if missing.missed >= MANY else FindingSeverity.MEDIUM
    every = duration_text(timedelta(seconds=model.expected_every_s or 0))
    evidence = Evidence(since=missing.since, missed=missing.missed, expected_every=every)
    return Opening(SIGNAL, FindingKind.MISSING_REPORT, severity, evidence)


def _removed_or_moved() -> list[int]:
    """Models that were dropped or changed hands while a finding is open."""
    rows = Finding.objects.filter(closed_at__isnull=True)
    gone = rows.filter(Q(model__removed_at__isnull=False) | ~Q(team=F("model__owner")))
    return list(gone.values_list("model_id", flat=True).distinct())


@transaction.atomic
def _tidy(model_id: int, now: datetime) -> None:
    lock(model_id)
    model = Model.objects.select_related("owner").get(pk=model_id)
    if model.removed_at is not None:
        for row in Finding.objects.filter(model=model, closed_at__isnull=True):
            opening.close(row, now)
    alerting.report(model)
