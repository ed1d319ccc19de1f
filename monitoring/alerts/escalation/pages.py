"""Queues what a step tells: one page for each person, a message for each of their ways, and places beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from fleetledger.fleet.models import User
from monitoring.alerts import outbox, severities
from monitoring.alerts.escalation import said
from monitoring.alerts.escalation import ways as contact_ways
from monitoring.alerts.escalation.targets import Target, Targets, once, root_places
from monitoring.alerts.escalation.ways import Way, Ways
from monitoring.alerts.lines import group_key, line_of
from monitoring.alerts.message import Body
from monitoring.alerts.models import (
    Alert,
    Destination,
    Episode,
    EventKind,
    MessageKind,
    OutboxMessage,
    Page,
    Run,
    RunStep,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """What a run tells at one instant: its open alerts that nothing withholds, with their episodes.

    `paged`: who was paged at this instant by which step; nobody needs two pages in one second.
    """

    run: Run
    members: Sequence[tuple[Alert, Episode]]
    now: datetime
    paged: dict[int, int] = field(default_factory=dict)

    @property
    def episodes(self) -> list[Episode]:
        return [episode for _, episode in self.members]

    @property
    def severity(self) -> str:
        """The worst of them."""
        return severities.worst(alert.severity for alert, _ in self.members)

    def body(self, note: str) -> Body:
        lines = sorted((line_of(*member) for member in self.members), key=lambda line: (line.starts_at, line.alert_id))
        return Body(tuple(lines), note, group_key(self.run.group), self.run.group.labels)


@dataclass(frozen=True, slots=True)
class Told:
    """`words`: for the history. `is_told`: whether a message to anybody but the fallback is queued."""

    words: str
    is_told: bool


def tell(done: RunStep | None, about: About, targets: Targets, key: str) -> Told:
    """Queue all of it within the caller's transaction. `key` names the step, or whatever else it is, within the run."""
    people = once(targets.people)
    again = [target for target in people if target.person.pk in about.paged]
    rest = [target for target in people if target.person.pk not in about.paged]
    words = [targets.words, *(f"{_name(target.person)} was paged at the same moment already" for target in again)]
    paged, problems = _page_all(done, about, rest)
    words += paged
    if targets.places:
        _tell_places(about, targets, key)
        words.append("told " + ", ".join(map(_place, targets.places)))
    if targets.problem:
        problems.append(targets.problem)
    if problems:
        words += [*(problem.rstrip(".") for problem in problems), _fall_back(about, problems, key)]
    return Told(said.listed(words), is_told=bool(again or targets.places) or len(rest) > len(problems))


def tell_root(about: About, why: str, key: str) -> bool:
    """Whether the tenant's root receiver has anywhere to be told."""
    places = root_places(about.run)
    rows = [_message(about, place, MessageKind.FALLBACK, about.body(why), f"fallback:{key}") for place in places]
    outbox.enqueue_pages(rows)
    if not places:
        log.error("alerts.nobody_told", run=about.run.pk, why=why)
    return bool(places)


def _page_all(done: RunStep | None, about: About, targets: Sequence[Target]) -> tuple[list[str], list[str]]:
    """A page for each; gives who was paged how, and why others could not be."""
    found = _with_ways(targets, about)
    pages = Page.objects.bulk_create(_stored(done, about, target, ways) for target, ways in found)
    places = Destination.objects.in_bulk([way.destination_id for _, ways in found for way in ways.methods])
    rows: list[OutboxMessage] = []
    for page, (target, ways) in zip(pages, found, strict=True):
        rows += _messages(about, page, target, ways, places)
        if ways.methods and done is not None:
            about.paged[target.person.pk] = done.step
    outbox.enqueue_pages(rows)
    paged = [_paged(target, ways) for target, ways in found if ways.methods]
    return paged, [f"{_problem(target.person)} ({target.why})." for target, ways in found if not ways.methods]


def _with_ways(targets: Sequence[Target], about: About) -> list[tuple[Target, Ways]]:
    active = [target.person for target in targets if target.person.is_active]
    known = contact_ways.ways_to_all(active, about.severity, about.now) if active else {}
    return [(target, known.get(target.person.pk, Ways((), None))) for target in targets]


def _stored(done: RunStep | None, about: About, target: Target, ways: Ways) -> Page:
    return Page(
        done=done,
        run=about.run,
        person=target.person,
        at=about.now,
        why=target.why[:300],
        quiet_until_at=ways.quiet_until_at if ways.methods else None,
        problem="" if ways.methods else f"{_problem(target.person)}."[:300],
    )


def _messages(
    about: About, page: Page, target: Target, ways: Ways, places: dict[int, Destination]
) -> Iterator[OutboxMessage]:
    """One for each way, none before its time."""
    name = about.run.escalation.name
    body = about.body(f"{_name(target.person)}, you are paged by escalation '{name}' ({target.why}).")
    begins_at = ways.quiet_until_at or about.now
    for number, way in enumerate(ways.methods):
        row = _message(about, places[way.destination_id], MessageKind.PAGE, body, f"page:{page.pk}:{number}")
        row.page, row.due_at = page, begins_at + timedelta(seconds=way.after_s)
        yield row


def _tell_places(about: About, targets: Targets, key: str) -> None:
    note = f"Escalation '{about.run.escalation.name}': {targets.words or 'nobody has acknowledged yet'}."
    body = about.body(note)
    outbox.enqueue_pages([_message(about, place, MessageKind.PAGE, body, key) for place in targets.places])


def _fall_back(about: About, problems: Sequence[str], key: str) -> str:
    """Said in the history of each alert, and to the root receiver at once."""
    why = " ".join(problems)
    said.note(about.episodes, EventKind.NOT_TOLD, about.now, why, about.run.team_id)
    is_told = tell_root(about, f"Escalation '{about.run.escalation.name}' could not page: {why}", key)
    return "the fallback is told instead" if is_told else "and there is no fallback to tell"


def _message(about: About, place: Destination, kind: MessageKind, body: Body, key: str) -> OutboxMessage:
    return OutboxMessage(
        team_id=about.run.team_id,
        destination=place,
        run=about.run,
        kind=kind,
        dedupe_key=f"run{about.run.pk}:{key}:{place.pk}",
        body=body.packed(),
        created_at=about.now,
        due_at=about.now,
    )


def _paged(target: Target, ways: Ways) -> str:
    how = ", ".join(map(_way, ways.methods))
    quiet = f", after quiet hours until {ways.quiet_until_at:%Y-%m-%d %H:%M} UTC" if ways.quiet_until_at else ""
    return f"paged {_name(target.person)} by {how}{quiet} ({target.why})"


def _way(way: Way) -> str:
    return f"{way.label} {said.in_a_while(way.after_s)}"


def _place(place: Destination) -> str:
    return f"{place.receiver} by {place.get_kind_display()}"


def _problem(person: User) -> str:
    return f"{_name(person)} has {'no verified contact method' if person.is_active else 'no account any more'}"


def _name(person: User) -> str:
    return person.get_full_name() or person.username
