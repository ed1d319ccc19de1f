"""What follows from an incident: things to do with their owners, and the postmortem."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from monitoring.availability.incidents import timeline
from monitoring.availability.incidents.errors import ChangedMeanwhileError, IncidentError, NoSuchFollowUpError
from monitoring.availability.models import EntryKind, FollowUp, Incident, Postmortem

MAX_FOLLOW_UP = 500
MAX_POSTMORTEM = 100_000
TEMPLATE = """\
## Summary

What happened, in two sentences that anybody understands.

## Impact

Who noticed what, for how long, and what it cost.

## What happened

The turning points; the timeline has the rest.

## Why it happened

What made it possible, and what made it worse.

## What went well

## What went badly

## Where we were lucky

## What we do about it

The follow-ups, each with somebody who does it.
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A follow-up as it is to be."""

    text: str
    owner: User | None = None
    due_on: date | None = None


@transaction.atomic
def add(incident_id: int, task: Task, actor: Actor) -> FollowUp:
    """Raises IncidentError."""
    now = clock.now()
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    made = FollowUp.objects.create(
        incident=incident,
        text=_text(task.text),
        owner=task.owner,
        due_on=task.due_on,
        created_at=now,
        created_by=actor.name[:200],
    )
    timeline.write(incident, EntryKind.FOLLOW_UP, f"To do: {made.text}", at=now, actor=actor.name)
    return made


@transaction.atomic
def change(incident_id: int, follow_up_id: int, task: Task, actor: Actor, *, is_done: bool) -> FollowUp:
    """Raises IncidentError and NoSuchFollowUpError."""
    row = _held(incident_id, follow_up_id)
    now = clock.now()
    row.text, row.owner, row.due_on = _text(task.text), task.owner, task.due_on
    if is_done != (row.done_at is not None):
        row.done_at, row.done_by = (now, actor.name[:200]) if is_done else (None, "")
        word = "Done" if is_done else "Not done after all"
        timeline.write(row.incident, EntryKind.FOLLOW_UP, f"{word}: {row.text}", at=now, actor=actor.name)
    row.save()
    return row


def task_of(incident_id: int, follow_up_id: int) -> tuple[Task, bool]:
    """As it is, and whether it is done; raises NoSuchFollowUpError."""
    row = FollowUp.objects.filter(incident_id=incident_id, pk=follow_up_id).select_related("owner").first()
    if row is None:
        raise NoSuchFollowUpError(follow_up_id)
    return Task(row.text, row.owner, row.due_on), row.done_at is not None


@transaction.atomic
def save(incident_id: int, text: str, version: int, actor: Actor, *, is_published: bool) -> Postmortem:
    """Over the version that the writer saw; 0 for none. Raises ChangedMeanwhileError and IncidentError."""
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    row = Postmortem.objects.filter(incident=incident).first()
    if version != (row.version if row else 0):
        raise ChangedMeanwhileError(row.changed_by if row else "")
    now = clock.now()
    was_published = row is not None and row.published_at is not None
    row = row or Postmortem(incident=incident, version=0)
    row.text, row.version = _postmortem(text), row.version + 1
    row.changed_at, row.changed_by = now, actor.name[:200]
    row.published_at = (row.published_at or now) if is_published else None
    row.save()
    if is_published != was_published:
        word = "published" if is_published else "a draft again"
        timeline.write(incident, EntryKind.STATE, f"The postmortem is {word}", at=now, actor=actor.name)
    return row


def _held(incident_id: int, follow_up_id: int) -> FollowUp:
    rows = FollowUp.objects.select_for_update(of=("self",)).select_related("incident")
    row = rows.filter(incident_id=incident_id, pk=follow_up_id).first()
    if row is None:
        raise NoSuchFollowUpError(follow_up_id)
    return row


def _text(text: str) -> str:
    said = timeline.storable(text)
    if not said or len(said) > MAX_FOLLOW_UP:
        raise IncidentError(f"A follow-up has 1 to {MAX_FOLLOW_UP} characters.", "text")
    return said


def _postmortem(text: str) -> str:
    said = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not said or len(said) > MAX_POSTMORTEM:
        raise IncidentError(f"A postmortem has 1 to {MAX_POSTMORTEM} characters.", "text")
    return said
