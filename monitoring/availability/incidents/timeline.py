"""Writes an incident's timeline: what people do, and what alerts and components say by themselves."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from monitoring.alerts.models import Event, EventKind
from monitoring.availability.models import EntryKind, Incident, IncidentEntry, State, Transition

LEAD = timedelta(minutes=15)
"""Changes of a component so long before an incident belong to it: an alert waits before it fires."""
MAX_TEXT = 4000
PLACES = ("node", "Hostname", "instance", "component", "UUID", "cluster", "namespace", "job")
_FROM_ALERTS: dict[str, tuple[EntryKind, str]] = {
    EventKind.FIRED: (EntryKind.ALERT, "bad"),
    EventKind.RESOLVED: (EntryKind.ALERT, "good"),
    EventKind.STALE: (EntryKind.ALERT, "unknown"),
    EventKind.BACK: (EntryKind.ALERT, ""),
    EventKind.ACKNOWLEDGED: (EntryKind.ACKNOWLEDGED, "note"),
    EventKind.TIMED_OUT: (EntryKind.ACKNOWLEDGED, "warn"),
    EventKind.ASSIGNED: (EntryKind.ACKNOWLEDGED, "note"),
    EventKind.ESCALATED: (EntryKind.ALERT, "warn"),
    EventKind.COMMENTED: (EntryKind.NOTE, ""),
}
_TONES = {State.UP: "good", State.DEGRADED: "warn", State.DOWN: "bad", State.UNKNOWN: "unknown"}


def write(
    incident: Incident, kind: EntryKind, text: str, *, at: datetime, actor: str = "", tone: str = ""
) -> IncidentEntry:
    """One line, within the caller's transaction."""
    return IncidentEntry.objects.create(
        incident=incident, at=at, kind=kind, text=storable(text), actor=actor[:200], tone=tone
    )


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # neither the database nor a feed takes all of these


def fill(incident: Incident, now: datetime) -> int:
    """Take over what happened to its alerts and components until it was resolved; each thing once."""
    known = set(IncidentEntry.objects.filter(incident=incident).exclude(ref="").values_list("ref", flat=True))
    until = incident.resolved_at or now
    found = [*_of_alerts(incident, until), *_of_components(incident, until)]
    fresh = [entry for entry in found if entry.ref not in known]
    IncidentEntry.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def storable(text: str) -> str:
    """What the timeline keeps of what somebody wrote."""
    return _CONTROL.sub("", text).strip()[:MAX_TEXT]


def _of_alerts(incident: Incident, until: datetime) -> Iterator[IncidentEntry]:
    events = Event.objects.filter(
        episode__incident_link__incident=incident, kind__in=list(_FROM_ALERTS), at__lte=until
    ).select_related("alert")
    for event in events:
        kind, tone = _FROM_ALERTS[event.kind]
        name = f"{event.alert.name}{_where(event.alert.labels)}"
        said = "" if event.kind == EventKind.COMMENTED else f" {EventKind(event.kind).label}"
        note = f": {event.note}" if event.note else ""
        yield IncidentEntry(
            incident=incident,
            at=event.at,
            kind=kind,
            text=storable(f"{name}{said}{note}"),
            actor=event.actor,
            tone=tone,
            ref=f"event:{event.pk}",
            alert_id=event.alert_id,
        )


def _of_components(incident: Incident, until: datetime) -> Iterator[IncidentEntry]:
    rows = Transition.objects.filter(
        component__incidents=incident, at__gte=incident.opened_at - LEAD, at__lte=until
    ).select_related("component")
    for row in rows:
        why = f": {row.why}" if row.why else ""
        text = f"{row.component.title} went from {State(row.from_state).label.lower()} to {row.to_state}{why}"
        yield IncidentEntry(
            incident=incident,
            at=row.at,
            kind=EntryKind.CHANGE,
            text=storable(text),
            tone=_TONES.get(State(row.to_state), ""),
            ref=f"transition:{row.pk}",
        )


def _where(labels: dict[str, str]) -> str:
    """What tells it from others of its name, in a few words."""
    place = next((labels[name] for name in PLACES if labels.get(name)), "")
    return f" on {place}" if place else ""
