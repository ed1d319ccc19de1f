"""What else is known about one component: open alerts that name it, its incidents, where its heartbeats call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.matchers import Matcher, Op
from monitoring.alerts.reads import AlertRow, Kind, Wanted, found, to_rows
from monitoring.availability import sql
from monitoring.availability.models import Component, Probe, ProbeKind
from monitoring.availability.own.seen import PREFIX
from monitoring.availability.reads import seen_by

MOST = 10
_ALERTS = """
SELECT id FROM alerts_alert WHERE state <> 'resolved' AND labels @> %(label)s::jsonb
    AND (%(fleet)s OR team_id = ANY(%(teams)s)) ORDER BY id DESC LIMIT %(limit)s
"""
"""By their number alone: few components have one, and an alert in full is a long question."""
_INCIDENTS = """
SELECT i.id, i.title, i.severity, i.state, i.opened_at, i.resolved_at
FROM availability_incident i JOIN availability_incident_components c ON c.incident_id = i.id
WHERE c.component_id = %(component)s AND (%(fleet)s OR i.team_id = ANY(%(teams)s)) ORDER BY i.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class IncidentLine:
    id: int
    title: str
    severity: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None


def alerts(component: Component, *, teams: TeamScope, at: datetime) -> tuple[AlertRow, ...]:
    """Those that are open and carry its name, the newest first."""
    wanted = matcher(component)
    asked = {"label": json.dumps({wanted.name: wanted.value}), "limit": MOST} | seen_by(teams)
    ids = [pk for (pk,) in sql.rows(_ALERTS, asked)]
    return to_rows(found(Wanted(Kind.OPEN), teams=teams).filter(pk__in=ids).order_by("-pk"), at) if ids else ()


def matcher(component: Component) -> Matcher:
    """By which alerts about it are found."""
    if component.kind == "own":
        return Matcher("part", Op.EQUAL, component.name.removeprefix(PREFIX))
    return Matcher("component", Op.EQUAL, component.name)


def incidents(component: Component, *, teams: TeamScope) -> tuple[IncidentLine, ...]:
    """The newest first."""
    asked = {"component": component.pk, "limit": MOST} | seen_by(teams)
    return tuple(IncidentLine(*row) for row in sql.rows(_INCIDENTS, asked))


def heartbeat_addresses(component: Component) -> Mapping[int, str]:
    """By probe, for those who may act: whoever knows the address can call it."""
    rows = Probe.objects.filter(component=component, kind=ProbeKind.HEARTBEAT, removed_at=None)
    return {row.pk: settings.BASE_URL.rstrip("/") + reverse("probe-beat", args=[row.token]) for row in rows}
