"""Incidents for tests, and the rules that open them."""

from collections.abc import Sequence
from typing import Any

from fleetledger.fleet.models import Team
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from monitoring.availability.incidents import acts, follow
from monitoring.availability.models import Incident, IncidentRule, Severity

MIRA = Actor("Mira")


def rule(name: str = "critical", matchers: Sequence[str] = ('severity="critical"',), **fields: Any) -> IncidentRule:
    values: dict[str, Any] = {"group_by": ["alertname"], "created_at": clock.now(), **fields}
    return IncidentRule.objects.create(name=name, matchers=list(matchers), **values)


def incident(title: str = "The API is slow", *, team: Team | None = None, **fields: Any) -> Incident:
    """Opened by a person now, unless `opened_at` says when."""
    wanted = acts.Wanted(title=title, severity=Severity(fields.pop("severity", "sev2")), **fields)
    return acts.open_by_hand(team.pk if team else None, wanted, MIRA)


def look() -> list[Incident]:
    """Let the task look once; gives all incidents, the oldest first."""
    follow.follow(clock.now())
    return list(Incident.objects.order_by("pk"))


def lines(of: Incident) -> list[str]:
    """The timeline as actor: text."""
    return [f"{row.actor}: {row.text}" if row.actor else row.text for row in of.entries.order_by("at", "pk")]
