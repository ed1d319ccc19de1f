"""Incidents as pages and the API show them, within the reader's teams."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts import tenants
from monitoring.alerts.models import Alert
from monitoring.alerts.reads import newest_first, of_team, visible
from monitoring.availability.incidents.errors import NoSuchIncidentError
from monitoring.availability.incidents.rows import (
    Assigned,
    Counts,
    Detail,
    FollowUpRow,
    IncidentRow,
    Line,
    Linkable,
    LinkedAlert,
    PostmortemRow,
)
from monitoring.availability.models import Component, FollowUp, Incident, IncidentEntry, IncidentState, RoleKind

CHUNK = 500
MOST_ENTRIES = 2000


class Kind(StrEnum):
    """Which incidents: those that are not over, those that are, or all."""

    LIVE = "live"
    RESOLVED = "resolved"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: Kind = Kind.LIVE
    severity: str = ""
    team: str = ""


def page(wanted: Wanted, cut: Cut, number: int | None, *, teams: TeamScope) -> list[IncidentRow]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    return _to_rows(newest_first(_found(wanted, teams), cut, number))


def every(wanted: Wanted, *, teams: TeamScope) -> Iterator[IncidentRow]:
    for row in _found(wanted, teams).order_by("-pk").iterator(chunk_size=CHUNK):
        yield _row(row)


def stored(incident_id: int, *, teams: TeamScope) -> Incident:
    """The incident itself, for who changes it; raises NoSuchIncidentError."""
    row = Incident.objects.filter(visible(teams), pk=incident_id).select_related("team", "rule").first()
    if row is None:
        raise NoSuchIncidentError(incident_id)
    return row


def detail(incident_id: int, *, teams: TeamScope) -> Detail:
    """Raises NoSuchIncidentError."""
    found = _to_rows(_found(Wanted(Kind.ALL), teams).filter(pk=incident_id))
    if not found:
        raise NoSuchIncidentError(incident_id)
    incident = Incident.objects.get(pk=incident_id)
    return Detail(
        row=found[0],
        timeline=_timeline(incident),
        roles=_roles(incident),
        follow_ups=follow_ups(incident),
        alerts=_alerts(incident),
        postmortem=postmortem(incident),
    )


def counts(*, teams: TeamScope, at: datetime, window: timedelta = timedelta(days=30)) -> Counts:
    mine = Incident.objects.filter(visible(teams))
    by_state = dict(mine.values_list("state").annotate(Count("pk")))
    recent = list(mine.filter(resolved_at__gte=at - window).values_list("opened_at", "mitigated_at", "resolved_at"))
    overdue = FollowUp.objects.filter(visible(teams, "incident__team"), done_at=None, due_on__lt=at.date()).count()
    return Counts(
        open=by_state.get(IncidentState.OPEN, 0),
        mitigated=by_state.get(IncidentState.MITIGATED, 0),
        resolved=by_state.get(IncidentState.RESOLVED, 0),
        since_at=at - window,
        recent=len(recent),
        mean_to_mitigate=_mean(
            [(mitigated or resolved) - opened for opened, mitigated, resolved in recent if resolved]
        ),
        mean_to_resolve=_mean([resolved - opened for opened, _, resolved in recent if resolved]),
        overdue_follow_ups=overdue,
    )


def components_of(team_id: int | None) -> tuple[tuple[str, str], ...]:
    """Name and title of each component that an incident of this tenant may concern."""
    rows = Component.objects.filter(Q(team_id=team_id), removed_at=None).order_by("position", "name")
    return tuple(rows.values_list("name", "title"))


def linkable(alert_ids: Sequence[int], *, teams: TeamScope) -> tuple[Linkable, ...]:
    """Those of the alerts that the reader may see, all of the tenant of the first."""
    rows = Alert.objects.filter(visible(teams), pk__in=alert_ids).select_related("team").order_by("pk")
    found = [
        Linkable(row.pk, row.name, row.annotations.get("summary", ""), tenants.of_team(row.team).slug, row.labels)
        for row in rows
    ]
    return tuple(alert for alert in found if alert.team == found[0].team)


def follow_ups(incident: Incident) -> tuple[FollowUpRow, ...]:
    """What is not done first."""
    rows = incident.follow_ups.select_related("owner").order_by("done_at", "due_on", "pk")
    return tuple(map(follow_up_row, sorted(rows, key=lambda row: row.done_at is not None)))


def follow_up_row(row: FollowUp) -> FollowUpRow:
    owner = row.owner
    return FollowUpRow(
        id=row.pk,
        text=row.text,
        owner=owner.username if owner else "",
        owner_name=(owner.get_full_name() or owner.username) if owner else "",
        due_on=row.due_on,
        created_at=row.created_at,
        created_by=row.created_by,
        done_at=row.done_at,
        done_by=row.done_by,
    )


def postmortem(incident: Incident) -> PostmortemRow:
    row = getattr(incident, "postmortem", None)
    if row is None:
        return PostmortemRow("", 0, None, "", None)
    return PostmortemRow(row.text, row.version, row.changed_at, row.changed_by, row.published_at)


def line(row: IncidentEntry) -> Line:
    return Line(row.at, row.kind, row.text, row.actor, row.tone, row.alert_id)


def _found(wanted: Wanted, teams: TeamScope) -> QuerySet[Incident]:
    rows = Incident.objects.filter(visible(teams), of_team(wanted.team))
    if wanted.kind is not Kind.ALL:
        is_over = Q(state=IncidentState.RESOLVED)
        rows = rows.filter(is_over if wanted.kind is Kind.RESOLVED else ~is_over)
    if wanted.severity:
        rows = rows.filter(severity=wanted.severity)
    related = rows.select_related("team", "rule").prefetch_related("components", "roles__person")
    return related.annotate(
        alert_count=Count("alerts", distinct=True),
        to_do=Count("follow_ups", filter=Q(follow_ups__done_at__isnull=True), distinct=True),
    )


def _to_rows(rows: QuerySet[Incident]) -> list[IncidentRow]:
    return [_row(row) for row in rows]


def _row(row: Any) -> IncidentRow:
    had = next((role.person for role in row.roles.all() if role.role == "commander"), None)
    return IncidentRow(
        id=row.pk,
        team_id=row.team_id,
        team=row.team.slug if row.team else None,
        team_name=row.team.name if row.team else "Platform",
        title=row.title,
        severity=row.severity,
        state=row.state,
        opened_at=row.opened_at,
        mitigated_at=row.mitigated_at,
        resolved_at=row.resolved_at,
        opened_by=row.opened_by,
        rule=row.rule.name if row.rule else "",
        is_public=row.is_public,
        public_title=row.public_title,
        public_text=row.public_text,
        components=tuple(component.name for component in row.components.all()),
        alerts=row.alert_count,
        commander=(had.get_full_name() or had.username) if had else "",
        open_follow_ups=row.to_do,
    )


def _timeline(incident: Incident) -> tuple[Line, ...]:
    """The last of them, where there are very many."""
    rows = list(incident.entries.order_by("-at", "-pk")[:MOST_ENTRIES])
    return tuple(line(row) for row in reversed(rows))


def _roles(incident: Incident) -> tuple[Assigned, ...]:
    had = {row.role: row for row in incident.roles.select_related("person")}
    found = []
    for kind in RoleKind:
        row = had.get(kind.value)
        person = row.person if row else None
        name = (person.get_full_name() or person.username) if person else ""
        username = person.username if person else ""
        found.append(Assigned(kind.value, str(kind.label), username, name, row.since_at if row else None))
    return tuple(found)


def _alerts(incident: Incident) -> tuple[LinkedAlert, ...]:
    rows = incident.alerts.select_related("episode")
    return tuple(
        LinkedAlert(row.episode.alert_id if row.episode else None, row.name, row.labels, row.started_at, row.ended_at)
        for row in rows
    )


def _mean(spans: list[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None
