"""Writes the stories of the outages as incidents of the past, with timeline, follow-ups and postmortems."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from fleetledger.demo.outages import Trouble
from fleetledger.demo.stories import STORIES, Line, Story
from fleetledger.fleet.models import Team, User
from fleetledger.lib.buckets import from_us
from monitoring.availability.incidents import timeline
from monitoring.availability.models import (
    Component,
    EntryKind,
    FollowUp,
    Incident,
    IncidentAlert,
    IncidentEntry,
    IncidentRole,
    IncidentState,
    Postmortem,
    RoleKind,
)
from monitoring.availability.slots import SECOND_US

LATER = timedelta(days=2)
"""So long after it is over a postmortem is written."""


def write(now: datetime, days: int) -> int:
    """Those of the last `days` that are over and not told yet; gives how many."""
    told = 0
    for story in STORIES:
        for start, end in _times(story, now, days):
            if not Incident.objects.filter(title=story.title, opened_at=_opened_at(story, start)).exists():
                _tell(story, start, end, now)
                told += 1
    return told


def _times(story: Story, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The last time that is long over, or all times before it."""
    found: list[Trouble] = [
        one
        for one in story.outage.within(int((now - timedelta(days=days)).timestamp()), int(now.timestamp()))
        if from_us((one.start + story.resolved_after_s) * SECOND_US) < now
    ]
    for one in found[-1:] if story.is_last else found[:-1]:
        yield from_us(one.start * SECOND_US), from_us(one.end * SECOND_US)


def _opened_at(story: Story, start: datetime) -> datetime:
    return start + timedelta(seconds=story.opened_after_s)


@transaction.atomic
def _tell(story: Story, start: datetime, end: datetime, now: datetime) -> None:
    team = Team.objects.get(slug=story.team) if story.team else None
    incident = Incident.objects.create(
        team=team,
        title=story.title,
        severity=story.severity,
        state=IncidentState.RESOLVED,
        opened_at=_opened_at(story, start),
        mitigated_at=end,
        resolved_at=start + timedelta(seconds=story.resolved_after_s),
        is_public=bool(story.public_title),
        public_title=story.public_title,
        public_text=story.public_text,
    )
    incident.components.set(Component.objects.filter(name__in=story.components))
    _alerts(story, incident, start, end)
    _lines(story, incident, start)
    _roles(story, incident)
    _tasks(story, incident, start, now)
    _learn(story, incident, now)
    timeline.fill(incident, now)


def _alerts(story: Story, incident: Incident, start: datetime, end: datetime) -> None:
    """One for each machine that it took away, or for what was down."""
    places = [{"cluster": "aws-use1", "Hostname": name} for name in story.nodes]
    places = places or [{"component": name} for name in story.components]
    IncidentAlert.objects.bulk_create(
        IncidentAlert(
            incident=incident,
            name=story.alert,
            labels={"alertname": story.alert, **labels},
            started_at=_opened_at(story, start),
            ended_at=end,
        )
        for labels in places
    )


def _lines(story: Story, incident: Incident, start: datetime) -> None:
    resolved_by = story.roles[0][1] if story.roles else ""
    lines = [
        Line(story.opened_after_s, EntryKind.STATE, "Opened by an alert", tone="bad"),
        Line(story.outage.lasts_s, EntryKind.STATE, "Mitigated: every alert has resolved", tone="note"),
        Line(story.resolved_after_s, EntryKind.STATE, "Resolved", resolved_by, "good"),
        *story.lines,
    ]
    IncidentEntry.objects.bulk_create(
        IncidentEntry(
            incident=incident,
            at=start + timedelta(seconds=one.after_s),
            kind=one.kind,
            text=one.text,
            actor=one.actor,
            tone=one.tone,
        )
        for one in lines
    )


def _roles(story: Story, incident: Incident) -> None:
    for role, username in story.roles:
        person = _person(username)
        IncidentRole.objects.create(
            incident=incident, role=RoleKind(role), person=person, since_at=incident.opened_at + timedelta(minutes=2)
        )


def _tasks(story: Story, incident: Incident, start: datetime, now: datetime) -> None:
    made_at = incident.resolved_at or now
    for task in story.tasks:
        done_at = start + timedelta(seconds=task.done_after_s) if task.done_after_s is not None else None
        is_done = done_at is not None and done_at < now
        FollowUp.objects.create(
            incident=incident,
            text=task.text,
            owner=_person(task.owner),
            due_on=(start + timedelta(days=task.due_days)).date(),
            created_at=made_at,
            created_by=task.owner,
            done_at=done_at if is_done else None,
            done_by=task.owner if is_done else "",
        )


def _learn(story: Story, incident: Incident, now: datetime) -> None:
    if not story.postmortem:
        return
    at = min((incident.resolved_at or now) + LATER, now)
    by = story.roles[0][1] if story.roles else ""
    Postmortem.objects.create(
        incident=incident,
        text=story.postmortem,
        changed_at=at,
        changed_by=by,
        published_at=at if story.is_published else None,
    )


def _person(username: str) -> User:
    return User.objects.get(username=username)
