"""The pages about incidents: those that are not over, those that are, and one in full."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, tenants
from monitoring.alerts.acting import acts_for
from monitoring.alerts.asked import choice
from monitoring.alerts.people import assignable
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability.incidents import impact, markdown, reads
from monitoring.availability.incidents.errors import NoSuchIncidentError
from monitoring.availability.incidents.reads import Kind, Wanted
from monitoring.availability.incidents.rows import IncidentRow
from monitoring.availability.models import Incident, Severity
from monitoring.availability.public import subscribing

PAGE_SIZE = 25
CSV_HEADER = (
    "id", "team", "title", "severity", "state", "opened_at", "mitigated_at", "resolved_at", "seconds_to_mitigate",
    "seconds_to_resolve", "opened_by", "rule", "components", "alerts", "commander", "open_follow_ups", "is_public",
)  # fmt: skip
LINES_HEADER = ("at", "kind", "actor", "text")
EXAMPLE = """\
incidents:
  - name: critical
    match: {severity: critical}
    group_by: [alertname, cluster]
    severity: sev2
    resolve_after: 1h
"""


@require_safe
def incident_list(request: HttpRequest) -> HttpResponseBase:
    """Incidents of a kind, the newest first, with how long they took lately."""
    person = person_of(request)
    teams = teams_visible_to(person)
    wanted = _wanted(request)
    if wants_csv(request):
        return csv_response("incidents", CSV_HEADER, map(_cells, reads.every(wanted, teams=teams)))
    before = whole(request.GET.get("before", ""), 0)
    cut = Cut(PAGE_SIZE, (before,) if before else None)
    found = reads.page(wanted, cut, before or None, teams=teams)
    known = tenants.visible_to(person)
    context = {
        "rows": found[:PAGE_SIZE],
        "next_before": found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        "is_first": not before,
        "counts": reads.counts(teams=teams, at=clock.now()),
        "wanted": wanted,
        "tenants": known,
        "severities": Severity.choices,
        "may_act": bool(acts_for(person, known)),
        "example": EXAMPLE,
        "now": clock.now(),
    }
    return render(request, "availability/incidents.html", context)


@require_safe
def incident(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    """One incident: its timeline, what it cost, who does what, and what was learned."""
    person = person_of(request)
    row = seen(request, incident_id)
    found = reads.detail(incident_id, teams=teams_visible_to(person))
    if wants_csv(request):
        lines = ((line.at, line.kind, line.actor, line.text) for line in found.timeline)
        return csv_response(f"incident-{incident_id}", LINES_HEADER, lines)
    now = clock.now()
    acts = may_act(person, of_team(row.team))
    context = {
        "incident": found.row,
        "detail": found,
        "lines": tuple(reversed(found.timeline)),
        "components": row.components.order_by("position", "name"),
        "impact": impact.impact(row, now, teams=teams_visible_to(person)),
        "postmortem": markdown.html(found.postmortem.text),
        "told": subscribing.counted(),
        "may_act": acts,
        "people": assignable(row.team_id) if acts else (),
        "now": now,
        "today": now.date(),
    }
    return render(request, "availability/incident.html", context)


def seen(request: HttpRequest, incident_id: int) -> Incident:
    """Raises Http404 for what is not there, or another team's."""
    try:
        return reads.stored(incident_id, teams=teams_visible_to(request.user))
    except NoSuchIncidentError as error:
        raise Http404(str(error)) from error


def _wanted(request: HttpRequest) -> Wanted:
    severity = request.GET.get("severity", "")
    return Wanted(
        kind=choice(request.GET.get("tab", ""), Kind.LIVE),
        severity=severity if severity in Severity.values else "",
        team=request.GET.get("team", "")[:64].replace("\x00", ""),
    )


def _cells(row: IncidentRow) -> Sequence[Any]:
    return [
        row.team or "platform"
        if name == "team"
        else ", ".join(row.components)
        if name == "components"
        else getattr(row, name)
        for name in CSV_HEADER
    ]
