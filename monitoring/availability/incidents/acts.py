"""What people do to incidents: open them, say what is known, change their state, and give out roles."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from monitoring.alerts.models import Episode
from monitoring.availability.incidents import opening, timeline
from monitoring.availability.incidents.errors import IncidentError, StillOpenError
from monitoring.availability.models import (
    Component,
    EntryKind,
    Incident,
    IncidentEntry,
    IncidentRole,
    IncidentState,
    RoleKind,
    Severity,
)

LONGEST_AGO = timedelta(days=366)
_TONES = {IncidentState.OPEN: "bad", IncidentState.MITIGATED: "note", IncidentState.RESOLVED: "good"}
_WORDS = {
    IncidentState.OPEN: "Open again",
    IncidentState.MITIGATED: "Mitigated",
    IncidentState.RESOLVED: "Resolved",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new incident. `opened_at` None: now. `components` by name and `alert_ids` are of its own tenant."""

    title: str
    severity: Severity
    opened_at: datetime | None = None
    components: Sequence[str] = ()
    alert_ids: Sequence[int] = ()
    is_public: bool = False
    public_title: str = ""
    public_text: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change; None leaves a part as it is."""

    title: str | None = None
    severity: Severity | None = None
    state: IncidentState | None = None
    is_public: bool | None = None
    public_title: str | None = None
    public_text: str | None = None
    components: Sequence[str] | None = None


@transaction.atomic
def open_by_hand(team_id: int | None, wanted: Wanted, actor: Actor) -> Incident:
    """Raises IncidentError for what does not fit."""
    now = clock.now()
    opened_at = wanted.opened_at or now
    if not now - LONGEST_AGO <= opened_at <= now:
        raise IncidentError("An incident began at some time within the last year.", "opened_at")
    incident = Incident(
        team_id=team_id,
        title=_title(wanted.title),
        severity=wanted.severity,
        opened_at=opened_at,
        opened_by=actor.name[:200],
        is_public=wanted.is_public,
        public_title=_public_title(wanted.public_title, is_public=wanted.is_public),
        public_text=timeline.storable(wanted.public_text),
    )
    incident.save()
    incident.components.set(_components(team_id, wanted.components))
    _check_public(incident)
    timeline.write(incident, EntryKind.STATE, "Opened", at=opened_at, actor=actor.name, tone="bad")
    opening.link(incident, _episodes(team_id, wanted.alert_ids))
    timeline.fill(incident, now)
    return incident


@transaction.atomic
def change(incident_id: int, changes: Changes, actor: Actor) -> Incident:
    """Bring it to `changes`, each of which stands in the timeline. Raises IncidentError and StillOpenError."""
    incident = _held(incident_id)
    now = clock.now()
    if changes.components is not None:
        incident.components.set(_components(incident.team_id, changes.components))
    if changes.state is not None:
        move(incident, changes.state, actor, now)
    said = _edited(incident, changes)
    _check_public(incident)
    if said:
        incident.save()
        timeline.write(incident, EntryKind.STATE, f"Changed: {', '.join(said)}", at=now, actor=actor.name)
    return incident


def move(incident: Incident, state: IncidentState, actor: Actor, now: datetime) -> None:
    """To another state, within the caller's transaction that holds the row."""
    if incident.state == state:
        return
    if incident.state == IncidentState.RESOLVED:
        _check_free(incident)
    else:
        timeline.fill(incident, now)
    is_over = state == IncidentState.RESOLVED
    incident.mitigated_at = None if state == IncidentState.OPEN else incident.mitigated_at or now
    incident.state, incident.resolved_at = state, now if is_over else None
    incident.save(update_fields=["state", "mitigated_at", "resolved_at"])
    timeline.write(incident, EntryKind.STATE, _WORDS[state], at=now, actor=actor.name, tone=_TONES[state])


@transaction.atomic
def note(incident_id: int, text: str, actor: Actor, *, is_public: bool = False) -> IncidentEntry:
    """A line of the timeline; a public one stands on the public page too. Raises IncidentError."""
    said = timeline.storable(text)
    if not said:
        raise IncidentError("A note has at least one word.", "text")
    incident = _held(incident_id)
    if is_public and not incident.is_public:
        raise IncidentError("This incident is not public. Make it public first, or write a note.", "public")
    kind = EntryKind.UPDATE if is_public else EntryKind.NOTE
    return timeline.write(incident, kind, said, at=clock.now(), actor=actor.name)


@transaction.atomic
def give_role(incident_id: int, role: RoleKind, person: User | None, actor: Actor) -> None:
    """To a person, or to nobody. Whoever may be given it is the caller's to look."""
    incident = _held(incident_id)
    now = clock.now()
    had = IncidentRole.objects.filter(incident=incident, role=role).first()
    if (had.person_id if had else None) == (person.pk if person else None):
        return
    IncidentRole.objects.filter(incident=incident, role=role).delete()
    if person is not None:
        IncidentRole.objects.create(incident=incident, role=role, person=person, since_at=now)
    name = (person.get_full_name() or person.username) if person else "nobody"
    timeline.write(incident, EntryKind.ROLE, f"{RoleKind(role).label}: {name}", at=now, actor=actor.name)


@transaction.atomic
def link_alerts(incident_id: int, alert_ids: Sequence[int], actor: Actor) -> None:
    """Alerts of its tenant that fire now, or fired last, belong to it from now on. Raises IncidentError."""
    incident = _held(incident_id)
    episodes = _episodes(incident.team_id, alert_ids)
    opening.link(incident, episodes)
    now = clock.now()
    names = ", ".join(sorted({row.alert.name for row in episodes}))
    timeline.write(incident, EntryKind.STATE, f"Taken in: {names}", at=now, actor=actor.name)
    timeline.fill(incident, now)


def _held(incident_id: int) -> Incident:
    return Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)


def _edited(incident: Incident, changes: Changes) -> list[str]:
    """Set what differs; gives its names in words."""
    values: dict[str, Any] = {
        item.name: value
        for item in fields(changes)
        if item.name not in ("state", "components") and (value := getattr(changes, item.name)) is not None
    }
    if "title" in values:
        values["title"] = _title(values["title"])
    if "public_text" in values:
        values["public_text"] = timeline.storable(values["public_text"])
    is_public = values.get("is_public", incident.is_public)
    values["public_title"] = _public_title(values.get("public_title", incident.public_title), is_public=is_public)
    differing = {name: value for name, value in values.items() if getattr(incident, name) != value}
    for name, value in differing.items():
        setattr(incident, name, value)
    return [_said(name, value) for name, value in differing.items()]


def _check_public(incident: Incident) -> None:
    """A team speaks on the public page about its public components alone; the platform about everything."""
    if incident.is_public and incident.team_id is not None and not incident.components.filter(is_public=True).exists():
        raise IncidentError(
            "A team's incident is public only with a public component. Name one in 'components'.", "public"
        )


def _said(name: str, value: Any) -> str:
    if name == "is_public":
        return "public" if value else "no longer public"
    words = name.replace("_", " ")
    return words if name == "public_text" else f"{words} {Severity(value).label if name == 'severity' else value}"


def _title(text: str) -> str:
    title = timeline.storable(text)
    if not title or len(title) > 200:  # noqa: PLR2004 the column
        raise IncidentError("A title has 1 to 200 characters.", "title")
    return title


def _public_title(text: str, *, is_public: bool) -> str:
    title = timeline.storable(text)
    if len(title) > 200 or (is_public and not title):  # noqa: PLR2004 the column
        raise IncidentError("What is public has a public title of 1 to 200 characters.", "public_title")
    return title


def _components(team_id: int | None, names: Sequence[str]) -> list[Component]:
    found = list(Component.objects.filter(Q(team_id=team_id), name__in=names, removed_at=None))
    missing = sorted(set(names) - {row.name for row in found})
    if missing:
        raise IncidentError(f"No component of this team is called '{missing[0][:60]}'.", "components")
    return found


def _episodes(team_id: int | None, alert_ids: Sequence[int]) -> list[Episode]:
    """The open or last episode of each."""
    rows = Episode.objects.filter(Q(alert__team_id=team_id), alert_id__in=alert_ids).select_related("alert")
    latest = {row.alert_id: row for row in rows.order_by("alert_id", "number")}
    missing = sorted(set(alert_ids) - latest.keys())
    if missing:
        raise IncidentError(f"No alert of this team has the number {missing[0]}.", "alerts")
    return list(latest.values())


def _check_free(incident: Incident) -> None:
    """Open again only where no other took its place meanwhile."""
    if not incident.key:
        return
    others = Incident.objects.exclude(state=IncidentState.RESOLVED).exclude(pk=incident.pk)
    other = others.filter(Q(team_id=incident.team_id), key=incident.key).first()
    if other is not None:
        raise StillOpenError(other.pk)
