"""Opens incidents for alerts that the rules name, and adds further alerts to those that are not over."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from monitoring.alerts.matchers import parse
from monitoring.alerts.models import Alert, Episode
from monitoring.alerts.reads import matching
from monitoring.alerts.suppression import suppressors
from monitoring.availability.incidents import timeline
from monitoring.availability.models import (
    Component,
    EntryKind,
    Incident,
    IncidentAlert,
    IncidentRule,
    IncidentState,
)

LOOK_BACK = timedelta(hours=1)
"""An alert that came and went while nobody looked still opens its incident, so long after."""
COMPONENT_LABEL = "component"


def open_from_alerts(now: datetime) -> int:
    """Take in every episode that a rule names and no incident has; gives how many. The caller holds the lock.

    What a silence, inhibition or maintenance withholds opens none until it is released.
    """
    of_tenant = suppressors(now)
    taken = 0
    for rule in IncidentRule.objects.filter(removed_at=None).order_by("position", "name"):
        for episode in _fitting(rule, now):
            if not of_tenant(episode.alert.team_id).of(episode.alert):
                _take(rule, episode, now)
                taken += 1
    return taken


def link(incident: Incident, episodes: Iterable[Episode]) -> None:
    """These episodes belong to it, and the components that they name; one that has an incident stays there."""
    rows = list(episodes)
    IncidentAlert.objects.bulk_create(
        (
            IncidentAlert(
                incident=incident,
                episode=row,
                name=row.alert.name,
                labels=row.alert.labels,
                started_at=row.started_at,
                ended_at=row.ended_at,
            )
            for row in rows
        ),
        ignore_conflicts=True,
    )
    incident.components.add(*filter(None, (component_of(row.alert) for row in rows)))


def component_of(alert: Alert) -> Component | None:
    """The component that the alert names, where it is of the same tenant: nobody learns of another's."""
    name = alert.labels.get(COMPONENT_LABEL)
    if not name:
        return None
    return Component.objects.filter(Q(team_id=alert.team_id), name=name, removed_at=None).first()


def _fitting(rule: IncidentRule, now: datetime) -> list[Episode]:
    is_live = Q(ended_at__isnull=True) | Q(ended_at__gt=max(rule.created_at, now - LOOK_BACK))
    rows = Episode.objects.filter(is_live, incident_link__isnull=True).select_related("alert")
    if rule.team_id is not None:
        rows = rows.filter(alert__team_id=rule.team_id)
    return list(matching(rows, [parse(text) for text in rule.matchers], "alert__labels").order_by("started_at", "pk"))


def _take(rule: IncidentRule, episode: Episode, now: datetime) -> None:
    component = component_of(episode.alert)
    key = _key(rule, episode.alert, component)
    team_id = episode.alert.team_id
    live = Incident.objects.select_for_update(of=("self",)).exclude(state=IncidentState.RESOLVED)
    incident = live.filter(Q(team_id=team_id), key=key).first()
    if incident is None:
        incident = _opened(rule, episode, key, component, now)
    elif incident.state == IncidentState.MITIGATED and episode.ended_at is None:
        incident.state, incident.mitigated_at, incident.quiet_at = IncidentState.OPEN, None, None
        incident.save(update_fields=["state", "mitigated_at", "quiet_at"])
        text = f"Open again: {episode.alert.name} fires"
        timeline.write(incident, EntryKind.STATE, text, at=now, tone="bad")
    link(incident, [episode])


def _opened(rule: IncidentRule, episode: Episode, key: str, component: Component | None, now: datetime) -> Incident:
    alert = episode.alert
    incident = Incident.objects.create(
        team_id=alert.team_id,
        title=(alert.annotations.get("summary") or alert.name)[:200],
        severity=rule.severity,
        key=key,
        rule=rule,
        opened_at=min(episode.started_at, now),
        is_public=rule.is_public,
        public_title=_public_title(component) if rule.is_public else "",
    )
    timeline.write(incident, EntryKind.STATE, f"Opened by the rule {rule.name}", at=incident.opened_at, tone="bad")
    return incident


def _public_title(component: Component | None) -> str:
    """Never what the alert says: that is for those who sign in."""
    title = (component.public_title or component.title) if component and component.is_public else ""
    return f"{title or 'A service'} has a problem"[:200]


def _key(rule: IncidentRule, alert: Alert, component: Component | None) -> str:
    parts = [f"rule={rule.name}"]
    parts += (
        [f"component={component.name}"]
        if component
        else [f"{name}={alert.labels.get(name, '')}" for name in rule.group_by]
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
