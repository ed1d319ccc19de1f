"""Tells alerting of a model's open findings: each model speaks for itself, what is missing resolves."""

from django.conf import settings

from drift.models import Finding, FindingKind, FindingSeverity, Model, Verdict
from monitoring.alerts import door

ALERT = "ModelDrift"
SEVERITIES = {FindingSeverity.HIGH: "critical", FindingSeverity.MEDIUM: "warning", FindingSeverity.LOW: "info"}
NOTHING_TO_DO = (Verdict.EXPECTED, Verdict.FALSE_ALARM)
MAX_LABEL = 200
RUNBOOK = "/help/#drift"


def report(model: Model) -> None:
    """Bring its alerts to what is open now. A flapping one tells nobody, nor one that people found harmless.

    Within the transaction that changed the findings. A model that changed hands tells its new team.
    """
    rows = list(Finding.objects.filter(model=model, closed_at__isnull=True).order_by("pk"))
    for team_id in {row.team_id for row in rows} - {model.owner_id}:
        door.report(reporter(model), team_id, [])
    Finding.objects.filter(pk__in=[row.pk for row in rows]).exclude(team_id=model.owner_id).update(
        team_id=model.owner_id
    )
    told = [row for row in rows if not row.is_quiet and row.verdict not in NOTHING_TO_DO]
    door.report(reporter(model), model.owner_id, [_finding(model, row) for row in told])


def reporter(model: Model) -> str:
    """By which name the door knows it."""
    return f"drift:{model.pk}"


def _finding(model: Model, row: Finding) -> door.Finding:
    labels = {
        "alertname": ALERT,
        "model": model.name,
        "signal": row.signal[:MAX_LABEL],
        "kind": row.kind,
        "severity": SEVERITIES[FindingSeverity(row.severity)],
    }
    base = settings.BASE_URL.rstrip("/")
    annotations = {
        "summary": f"{model.name}: {row.summary}",
        "description": _description(row),
        "impact": _impact(model),
        "runbook_url": f"{base}{RUNBOOK}",
        "finding_url": f"{base}/drift/findings/{row.pk}/",
    }
    return door.Finding(labels, annotations, row.opened_at)


def _description(row: Finding) -> str:
    if row.kind == FindingKind.MISSING_REPORT:
        return "Whether the model drifts is unknown until a report comes."
    columns = f"Columns: {', '.join(row.columns[:10])}. " if row.columns else ""
    return f"{columns}Somebody of its team has to say what it is: real drift, a data bug, expected, or a false alarm."


def _impact(model: Model) -> str:
    where = "runs in production" if model.is_production else "is not in production"
    return f"The model {where}; its importance is {model.importance} of 5."
