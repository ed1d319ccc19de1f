"""Queues what a step tells: one page for each person, a message for each of their ways, and places beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitoring.alerts import outbox, severities
from monitoring.alerts.escalation import said
from monitoring.alerts.escalation import ways as contact_ways
from monitoring.alerts.escalation.targets import Target, Targets, once, root_places
from monitoring.alerts.lines import group_key, line_of
from monitoring.alerts.message import Body
from monitoring.alerts.models import Alert, Destination, Episode, EventKind, MessageKind, Page, Run, RunStep

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """What a run tells now: its open alerts that nothing withholds, with their episodes."""

    run: Run
    members: Sequence[tuple[Alert, Episode]]
    now: datetime

    @property
    def episodes(self) -> list[Episode]:
        return [episode for _, episode in self.members]

    def body(self, note: str) -> Body:
        lines = sorted((line_of(*member) for member in self.members), key=lambda line: (line.starts_at, line.alert_id))
        return Body(tuple(lines), note, group_key(self.run.group), self.run.group.labels)


def tell(done: RunStep, about: About, targets: Targets) -> str:
    """Queue all of it within the caller's transaction; gives words for the history."""
    people = once(targets.people)
    words = [targets.words, *(_page(done, about, target) for target in people)]
    if targets.places:
        note = f"Escalation '{about.run.escalation.name}': {targets.words or 'nobody has acknowledged yet'}."
        for place in targets.places:
            _queue_place(about, place, MessageKind.PAGE, note, f"step:{done.pk}:{place.pk}")
        words.append("told " + ", ".join(f"{place.receiver} by {place.get_kind_display()}" for place in targets.places))
    if targets.problem:
        words += [targets.problem.rstrip("."), _fallback(done, about, targets.problem)]
        said.note(about.episodes, EventKind.NOT_TOLD, about.now, targets.problem, about.run.team_id)
    return said.listed(words)


def tell_root(about: About, why: str, key: str) -> bool:
    """Whether the tenant's root receiver has anywhere to be told."""
    places = root_places(about.run)
    for place in places:
        _queue_place(about, place, MessageKind.FALLBACK, why, f"fallback:{key}:{place.pk}")
    if not places:
        log.error("alerts.nobody_told", run=about.run.pk, why=why)
    return bool(places)


def _page(done: RunStep, about: About, target: Target) -> str:
    """One person, by each of their ways."""
    person, now = target.person, about.now
    name = person.get_full_name() or person.username
    severity = severities.worst(alert.severity for alert, _ in about.members)
    ways = contact_ways.ways_to(person, severity, now) if person.is_active else None
    if ways is None or not ways.methods:
        return _not_told(done, about, target, name)
    begins_at = ways.quiet_until_at or now
    page = _stored(done, about, target, quiet_until_at=ways.quiet_until_at)
    body = about.body(f"{name}, you are paged by escalation '{about.run.escalation.name}' ({target.why}).")
    places = Destination.objects.in_bulk([way.destination_id for way in ways.methods])
    for way in ways.methods:
        outbox.enqueue(
            team_id=about.run.team_id,
            destination=places[way.destination_id],
            kind=MessageKind.PAGE,
            body=body,
            dedupe_key=f"page:{page.pk}:{way.destination_id}:{way.after_s}",
            now=now,
            page_id=page.pk,
            told_group_id=about.run.group_id,
            due_at=begins_at + timedelta(seconds=way.after_s),
        )
    how = ", ".join(f"{way.label} {said.in_a_while(way.after_s)}" for way in ways.methods)
    quiet = f", after quiet hours until {ways.quiet_until_at:%Y-%m-%d %H:%M} UTC" if ways.quiet_until_at else ""
    return f"paged {name} by {how}{quiet} ({target.why})"


def _not_told(done: RunStep, about: About, target: Target, name: str) -> str:
    missing = "no verified contact method" if target.person.is_active else "no account any more"
    problem = f"{name} has {missing}."
    _stored(done, about, target, problem=problem)
    said.note(about.episodes, EventKind.NOT_TOLD, about.now, f"{problem} ({target.why})", about.run.team_id)
    return f"{problem.rstrip('.')} ({target.why}); {_fallback(done, about, problem, str(target.person.pk))}"


def _stored(
    done: RunStep, about: About, target: Target, *, quiet_until_at: datetime | None = None, problem: str = ""
) -> Page:
    return Page.objects.create(
        done=done,
        run=about.run,
        person=target.person,
        at=about.now,
        why=target.why[:300],
        quiet_until_at=quiet_until_at,
        problem=problem[:300],
    )


def _fallback(done: RunStep, about: About, problem: str, key: str = "") -> str:
    note = f"Escalation '{about.run.escalation.name}' could not page: {problem}"
    is_told = tell_root(about, note, f"step{done.pk}-{key}")
    return "the fallback is told instead" if is_told else "and there is no fallback to tell"


def _queue_place(about: About, place: Destination, kind: MessageKind, note: str, key: str) -> None:
    outbox.enqueue(
        team_id=about.run.team_id,
        destination=place,
        kind=kind,
        body=about.body(note),
        dedupe_key=f"run{about.run.pk}:{key}",
        now=about.now,
        told_group_id=about.run.group_id,
    )
