"""What else is known about one component: open alerts that name it, its incidents, where its heartbeats call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.matchers import Matcher, Op
from monitoring.alerts.reads import AlertRow, Kind, Wanted, found, to_rows, visible
from monitoring.availability.models import Component, Incident, Probe, ProbeKind
from monitoring.availability.own.seen import PREFIX

MOST = 10


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
    return to_rows(found(Wanted(Kind.OPEN, matchers=(matcher(component),)), teams=teams).order_by("-pk")[:MOST], at)


def matcher(component: Component) -> Matcher:
    """By which alerts about it are found."""
    if component.kind == "own":
        return Matcher("part", Op.EQUAL, component.name.removeprefix(PREFIX))
    return Matcher("component", Op.EQUAL, component.name)


def incidents(component: Component, *, teams: TeamScope) -> tuple[IncidentLine, ...]:
    """The newest first."""
    rows = Incident.objects.filter(visible(teams), components=component).order_by("-pk")
    columns = ("pk", "title", "severity", "state", "opened_at", "resolved_at")
    return tuple(IncidentLine(*row) for row in rows.values_list(*columns)[:MOST])


def heartbeat_addresses(component: Component) -> Mapping[int, str]:
    """By probe, for those who may act: whoever knows the address can call it."""
    rows = Probe.objects.filter(component=component, kind=ProbeKind.HEARTBEAT, removed_at=None)
    return {row.pk: settings.BASE_URL.rstrip("/") + reverse("probe-beat", args=[row.token]) for row in rows}
