"""Reads a tenant's open alerts with where each goes and what withholds it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q

from monitoring.alerts import clock, routing, suppression, trees
from monitoring.alerts.ingest import FOREVER
from monitoring.alerts.labels import Labels
from monitoring.alerts.models import Alert, AlertState, Report
from monitoring.alerts.routing import Route
from monitoring.alerts.sources.alertmanager import RESOLVE_TIMEOUT
from monitoring.alerts.suppression import NOTHING, Withheld
from monitoring.alerts.tenants import Tenant

_FAR = FOREVER.replace(year=9000)


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is firing or stale. `silenced_by` are silences and maintenance windows.

    `ends_at` is the latest that a sender gave; of a stale one, and of one that nobody must repeat, always ahead.
    """

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    routes: tuple[Route, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]

    @property
    def receivers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(route.receiver for route in self.routes))

    @property
    def is_suppressed(self) -> bool:
        return bool(self.silenced_by or self.inhibited_by)


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts that one route puts into one message."""

    receiver: str
    labels: dict[str, str]
    alerts: tuple[OpenAlert, ...]


Question = Callable[[Labels], bool]


def open_alerts(tenant: Tenant, has_labels: Question = lambda _labels: True) -> tuple[OpenAlert, ...]:
    """Those whose labels are asked for, by fingerprint."""
    still = Alert.objects.filter(Q(team_id=tenant.team_id)).exclude(state=AlertState.RESOLVED).order_by("fingerprint")
    alerts = [alert for alert in still if has_labels(alert.labels)]
    if not alerts:
        return ()
    now = clock.now()
    withheld = suppression.withheld(tenant.team_id, alerts, now)
    said = _reports(tenant)
    root = trees.tree_for(tenant.team_id).route
    return tuple(_open(alert, root, withheld.get(alert.pk, NOTHING), said.get(alert.pk), now) for alert in alerts)


def groups(alerts: tuple[OpenAlert, ...], has_receiver: Callable[[str], bool]) -> tuple[AlertGroup, ...]:
    """`alerts` as the routes to such receivers group them, in Alertmanager's order."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], AlertGroup] = {}
    members: dict[tuple[str, frozenset[tuple[str, str]]], list[OpenAlert]] = {}
    for alert, route in _ways(alerts):
        if has_receiver(route.receiver):
            labels = routing.group_labels(route, alert.labels)
            key = (route.path, frozenset(labels.items()))
            found.setdefault(key, AlertGroup(route.receiver, labels, ()))
            members.setdefault(key, []).append(alert)
    made = [
        AlertGroup(group.receiver, group.labels, tuple(sorted(members[key], key=_alert_order)))
        for key, group in found.items()
    ]
    return tuple(sorted(made, key=lambda group: (_label_order(group.labels), group.receiver)))


def _ways(alerts: tuple[OpenAlert, ...]) -> Iterator[tuple[OpenAlert, Route]]:
    return ((alert, route) for alert in alerts for route in alert.routes)


def _reports(tenant: Tenant) -> dict[int, tuple[datetime, datetime]]:
    """Of each open alert when it ends at the latest, and when somebody last spoke of it."""
    rows = Report.objects.filter(Q(alert__team_id=tenant.team_id), is_resolved=False)
    found = rows.values("alert_id").annotate(Max("ends_at"), Max("received_at"))
    return {row["alert_id"]: (row["ends_at__max"], row["received_at__max"]) for row in found}


def _open(
    alert: Alert, root: Route, withheld: Withheld, said: tuple[datetime, datetime] | None, now: datetime
) -> OpenAlert:
    ends_at, updated_at = said or (now, alert.changed_at)
    return OpenAlert(
        fingerprint=alert.fingerprint,
        labels=alert.labels,
        annotations=alert.annotations,
        generator_url=alert.generator_url,
        starts_at=alert.starts_at,
        ends_at=ends_at if now < ends_at < _FAR else now + RESOLVE_TIMEOUT,
        updated_at=updated_at,
        routes=routing.matched(root, alert.labels),
        silenced_by=(*withheld.silences, *withheld.maintenance),
        inhibited_by=withheld.inhibited_by,
    )


def _label_order(labels: Labels) -> tuple[int, list[tuple[str, str]]]:
    """Fewer labels come first, as Alertmanager has it."""
    return len(labels), sorted(labels.items())


def _alert_order(alert: OpenAlert) -> tuple[object, ...]:
    """By job, then instance, those without one last."""
    job, instance = alert.labels.get("job"), alert.labels.get("instance")
    return job is None, job or "", instance is None, instance or "", _label_order(alert.labels)
