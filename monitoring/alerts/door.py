"""The one door through which our own parts raise alerts: each tells all that it sees now, what is missing resolves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from fleetledger.fleet.models import Team
from monitoring.alerts import clock, ingest, states
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.labels import ALERT_NAME, fingerprint, is_name, without_empty
from monitoring.alerts.models import Alert, EndedBy, Report
from monitoring.alerts.senders import OUR_OWN
from monitoring.alerts.sources.posted import Posted
from monitoring.alerts.tenants import of_team


class FindingError(AlertsError):
    """A finding that is no alert: a mistake of the part that reports it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. `labels` tell it from others and hold `alertname`; `started_at` None: since now."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None


def report(reporter: str, team_id: int | None, findings: Sequence[Finding]) -> None:
    """Bring the alerts of `reporter` for a tenant to exactly `findings`; raises FindingError and changes nothing.

    A part that does not report keeps its last word: these alerts never become stale. Any report may come twice.
    """
    posted = [_posted(finding) for finding in findings]
    tenant = of_team(Team.objects.get(pk=team_id) if team_id is not None else None)
    key = f"{OUR_OWN}{reporter}"
    with transaction.atomic():
        if posted:
            ingest.receive(tenant, key, posted)
        _end_others(key, team_id, {fingerprint(item.labels) for item in posted})


def _posted(finding: Finding) -> Posted:
    labels = without_empty(finding.labels)
    if not labels.get(ALERT_NAME):
        raise FindingError(f"A finding needs the label {ALERT_NAME}; this one has {sorted(labels)}.")
    wrong = sorted(name for name in labels if not is_name(name))
    if wrong:
        raise FindingError(f"'{wrong[0]}' names no label. A label's name is made of letters, digits and _.")
    return Posted(labels, dict(finding.annotations), finding.started_at, ends_at=None)


def _end_others(key: str, team_id: int | None, kept: set[str]) -> None:
    open_reports = Report.objects.filter(Q(sender__team_id=team_id), sender__key=key, is_resolved=False)
    gone = open_reports.exclude(alert__fingerprint__in=kept).values_list("alert_id", flat=True)
    alerts = list(Alert.objects.select_for_update(no_key=True).filter(pk__in=list(gone)).order_by("fingerprint"))
    if not alerts:
        return
    now = clock.now()
    open_reports.filter(alert__in=alerts).update(is_resolved=True, ends_at=now, received_at=now)
    states.settle(alerts, now, ended_by=EndedBy.SENDER)
    clock.ring()
