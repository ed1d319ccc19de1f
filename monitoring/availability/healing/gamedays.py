"""Game days: a fault that is brought about on purpose, what is expected of it, and what was seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from monitoring.alerts.models import Episode
from monitoring.availability.healing.errors import HealingError
from monitoring.availability.models import Component, GameDay, Outcome, State, Transition

MAX_TEXT = 4000
MOST_EVIDENCE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is planned. `expected_state` of one of the components within `expected_within_s` can be seen by itself."""

    title: str
    fault: str
    expectation: str
    planned_at: datetime
    components: Sequence[str] = ()
    expected_state: str = ""
    expected_within_s: int | None = None


@transaction.atomic
def plan(team_id: int | None, wanted: Wanted, actor: Actor) -> GameDay:
    """Raises HealingError."""
    title, fault, expectation = map(_text, (wanted.title, wanted.fault, wanted.expectation))
    if not title or len(title) > 200 or not fault or not expectation:  # noqa: PLR2004 the column
        raise HealingError("A game day has a title, a fault, and what is expected of it.")
    if bool(wanted.expected_state) != (wanted.expected_within_s is not None):
        raise HealingError("An expected state comes with the seconds within which it is expected, and these with it.")
    if wanted.expected_state and wanted.expected_state not in State.values:
        raise HealingError(f"The expected state is one of {', '.join(State.values)}.")
    made = GameDay.objects.create(
        team_id=team_id,
        title=title,
        fault=fault,
        expectation=expectation,
        expected_state=wanted.expected_state,
        expected_within_s=wanted.expected_within_s,
        planned_at=wanted.planned_at,
        created_at=clock.now(),
        created_by=actor.name[:200],
    )
    made.components.set(_components(team_id, wanted.components))
    return made


@transaction.atomic
def start(game_day_id: int) -> GameDay:
    """From now on what happens is evidence. Raises HealingError."""
    row = _held(game_day_id)
    if row.started_at is not None:
        raise HealingError("This game day has begun already.")
    row.started_at = clock.now()
    row.save(update_fields=["started_at"])
    return row


@transaction.atomic
def end(game_day_id: int, outcome: Outcome, learned: str) -> GameDay:
    """Keeps what was seen meanwhile. Raises HealingError."""
    row = _held(game_day_id)
    if row.started_at is None or row.ended_at is not None:
        raise HealingError("Only a game day that has begun and has not ended can end.")
    row.ended_at, row.outcome, row.learned = clock.now(), outcome, _text(learned)
    row.evidence = evidence(row, row.ended_at)
    row.save(update_fields=["ended_at", "outcome", "learned", "evidence"])
    return row


def evidence(row: GameDay, until: datetime) -> list[dict[str, Any]]:
    """What its components and its tenant's alerts did since it began, in order: {at, text, tone}."""
    if row.started_at is None:
        return []
    found = sorted([*_changes(row, until), *_alerts(row, until)], key=lambda item: item["at"])
    return found[:MOST_EVIDENCE]


def seen(row: GameDay, until: datetime) -> str:
    """Whether the expected state came in time, in a sentence; empty where no state was expected."""
    if row.started_at is None or not row.expected_state or row.expected_within_s is None:
        return ""
    changes = Transition.objects.filter(
        component__game_days=row, to_state=row.expected_state, at__gte=row.started_at, at__lte=until
    )
    first = changes.select_related("component").order_by("at", "pk").first()
    word = State(row.expected_state).label.lower()
    if first is None:
        return f"No component of it was {word}."
    took = (first.at - row.started_at).total_seconds()
    in_time = "in time" if took <= row.expected_within_s else f"later than the {row.expected_within_s} s expected"
    return f"{first.component.title} was {word} {took:.0f} s after the start, {in_time}."


def _changes(row: GameDay, until: datetime) -> Iterator[dict[str, Any]]:
    rows = Transition.objects.filter(component__game_days=row, at__gte=row.started_at, at__lte=until)
    for one in rows.select_related("component").order_by("at", "pk")[:MOST_EVIDENCE]:
        why = f": {one.why}" if one.why else ""
        text = f"{one.component.title} went from {State(one.from_state).label.lower()} to {one.to_state}{why}"
        yield _item(
            one.at, text, "good" if one.to_state == State.UP else "bad" if one.to_state == State.DOWN else "warn"
        )


def _alerts(row: GameDay, until: datetime) -> Iterator[dict[str, Any]]:
    rows = Episode.objects.filter(Q(alert__team_id=row.team_id)).select_related("alert")
    opened = rows.filter(opened_at__gte=row.started_at, opened_at__lte=until).order_by("opened_at")
    for episode in opened[:MOST_EVIDENCE]:
        yield _item(episode.opened_at, f"{episode.alert.name} fired", "bad")
        if episode.ended_at is not None and episode.ended_at <= until:
            yield _item(episode.ended_at, f"{episode.alert.name} resolved", "good")


def _item(at: datetime, text: str, tone: str) -> dict[str, Any]:
    return {"at": at.isoformat(), "text": text[:MAX_TEXT], "tone": tone}


def _held(game_day_id: int) -> GameDay:
    return GameDay.objects.select_for_update(of=("self",)).get(pk=game_day_id)


def _components(team_id: int | None, names: Sequence[str]) -> list[Component]:
    found = list(Component.objects.filter(Q(team_id=team_id), name__in=names, removed_at=None))
    missing = sorted(set(names) - {row.name for row in found})
    if missing:
        raise HealingError(f"No component of this team is called '{missing[0][:60]}'.")
    return found


def _text(text: str) -> str:
    return text.replace("\x00", "").strip()[:MAX_TEXT]
