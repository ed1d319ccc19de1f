"""Concept drift as stored findings: each labelled event counts by itself, outside three of five windows."""

from collections.abc import Sequence

from django.db import transaction

from drift.findings import alerting, opening
from drift.findings.concept import ConceptChange
from drift.findings.evidence import Evidence
from drift.findings.locking import lock
from drift.findings.opening import Opening
from drift.findings.tracking import Change
from drift.models import Finding, FindingKind, FindingSeverity, Model
from monitoring.alerts import clock

SIGNAL = "concept"
GRAVE = 0.2  # a rise of the mean loss by so much is high


@transaction.atomic
def record(model_id: int, changes: Sequence[ConceptChange]) -> None:
    """Open and close in their order; what is open already stays one finding, so that changes may come twice."""
    lock(model_id)
    model = Model.objects.select_related("owner").get(pk=model_id)
    for change in changes:
        row = Finding.objects.filter(model=model, signal=SIGNAL, closed_at__isnull=True).first()
        if change.change is Change.OPENED and row is None and not _is_known(model, change):
            opening.open_finding(model, _opening(change), clock.now())
        elif change.change is Change.CLOSED and row is not None:
            opening.close(row, clock.now())
    if changes:
        alerting.report(model)


def _is_known(model: Model, change: ConceptChange) -> bool:
    return Finding.objects.filter(model=model, signal=SIGNAL, evidence__row=change.row).exists()


def _opening(change: ConceptChange) -> Opening:
    is_grave = change.loss - change.usual >= GRAVE
    severity = FindingSeverity.HIGH if is_grave else FindingSeverity.MEDIUM
    evidence = Evidence(usual=change.usual, loss=change.loss, row=change.row)
    return Opening(SIGNAL, FindingKind.CONCEPT, severity, evidence)
