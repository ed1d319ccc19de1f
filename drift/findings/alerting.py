"""Tells alerting of a model's open findings: each model speaks for itself, what is missing resolves."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

from drift.models import Finding, FindingKind, FindingSeverity, Model, ReviewState, Verdict
from monitoring.alerts import clock, door
from monitoring.alerts.models import Report
from monitoring.alerts.senders import OUR_OWN

ALERT = "ModelDrift"
OVERDUE = "DriftReviewOverdue"
SEVERITIES = {FindingSeverity.HIGH: "critical", FindingSeverity.MEDIUM: "warning", FindingSeverity.LOW: "info"}
NOTHING_TO_DO = (Verdict.EXPECTED, Verdict.FALSE_ALARM)
MAX_LABEL = 200
RUNBOOK = "/help/#drift"
_PREFIX = "drift:"


def report(model: Model) -> None:
    """Bring its alerts to what is open now, and to what nobody has decided in time.

    A flapping finding tells nobody, nor one that people found harmless. Within the transaction that changed the
    findings. A model that changed hands tells its new team.
    """
    rows = list(Finding.objects.filter(model=model, closed_at__isnull=True).order_by("pk"))
    for team_id in {row.team_id for row in rows} - {model.owner_id}:
        door.report(reporter(model), team_id, [])
    Finding.objects.filter(pk__in=[row.pk for row in rows]).exclude(team_id=model.owner_id).update(
        team_id=model.owner_id
    )
    told = [row for row in rows if not row.is_quiet and row.verdict not in NOTHING_TO_DO]
    now = clock.now()
    late = [row for row in told if is_overdue(row, now)]
    found = [*(_finding(model, row) for row in told), *(_overdue(model, row) for row in late)]
    door.report(reporter(model), model.owner_id, found)


def reporter(model: Model) -> str:
    """By which name the door knows it."""
    return f"{_PREFIX}{model.pk}"


def is_overdue(row: Finding, now: datetime) -> bool:
    """Nobody has decided, and somebody should have. What was only proposed waits for its second person."""
    return row.review != ReviewState.DECIDED and row.due_at < now


def told_overdue() -> Mapping[int, frozenset[str]]:
    """Of each model the signals whose review alerting holds for overdue, as its labels have them."""
    prefix = f"{OUR_OWN}{_PREFIX}"
    held = Report.objects.filter(is_resolved=False, sender__key__startswith=prefix, alert__name=OVERDUE)
    found: dict[int, frozenset[str]] = {}
    for key, signal in held.values_list("sender__key", "alert__labels__signal"):
        model_id = int(key.removeprefix(prefix))
        found[model_id] = found.get(model_id, frozenset()) | {signal}
    return found


def _finding(model: Model, row: Finding) -> door.Finding:
    told = {"summary": f"{model.name}: {row.summary}", "description": _description(row)}
    return door.Finding(_labels(ALERT, model, row), told | _beside(model, row), row.opened_at)


def _overdue(model: Model, row: Finding) -> door.Finding:
    who = "A second person of its team" if row.review == ReviewState.PROPOSED else "Somebody of its team"
    told = {
        "summary": f"{model.name}: nobody has decided what this is: {row.summary}",
        "description": f"It was due on {row.due_at:%Y-%m-%d %H:%M} UTC. {who} has to decide on the finding's page.",
    }
    return door.Finding(_labels(OVERDUE, model, row), told | _beside(model, row), row.due_at)


def _labels(name: str, model: Model, row: Finding) -> dict[str, str]:
    return {
        "alertname": name,
        "model": model.name,
        "signal": row.signal[:MAX_LABEL],
        "kind": row.kind,
        "severity": SEVERITIES[FindingSeverity(row.severity)],
    }


def _beside(model: Model, row: Finding) -> dict[str, str]:
    base = settings.BASE_URL.rstrip("/")
    return {
        "impact": _impact(model),
        "runbook_url": f"{base}{RUNBOOK}",
        "finding_url": f"{base}/drift/findings/{row.pk}/",
    }


def _description(row: Finding) -> str:
    if row.kind == FindingKind.MISSING_REPORT:
        return "Whether the model drifts is unknown until a report comes."
    columns = f"Columns: {', '.join(row.columns[:10])}. " if row.columns else ""
    return f"{columns}Somebody of its team has to say what it is: real drift, a data bug, expected, or a false alarm."


def _impact(model: Model) -> str:
    where = "runs in production" if model.is_production else "is not in production"
    return f"The model {where}; its importance is {model.importance} of 5."
