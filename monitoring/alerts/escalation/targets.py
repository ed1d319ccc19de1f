"""Whom a step is about: people with how the step came to them, and places that are told beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetledger.fleet.models import Role, User
from monitoring.alerts import people, trees
from monitoring.alerts.models import Destination, Run, Schedule
from monitoring.alerts.oncall.now import on_call

HANDLERS = (Role.LEAD, Role.SRE, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Target:
    person: User
    why: str


@dataclass(frozen=True, slots=True)
class Targets:
    """`words`: what is to be said beside who was told. `problem`: why the fallback has to be told, else empty."""

    people: tuple[Target, ...] = ()
    places: tuple[Destination, ...] = ()
    words: str = ""
    problem: str = ""


def of_step(step: Mapping[str, Any], run: Run, at: datetime) -> Targets:
    """Each person once, whoever named them first."""
    if "schedule" in step:
        return _schedule(step["schedule"], run, at)
    if "webhook" in step:
        return _webhook(step["webhook"], run)
    if "everyone" in step:
        names = [person.username for person in people.assignable(run.team_id)]
        return _people(User.objects.filter(username__in=names), "everyone", "Nobody is there to be told.")
    return _named(step, run)


def root_places(run: Run) -> tuple[Destination, ...]:
    """Where the tenant's root receiver tells."""
    tree = trees.tree_for(run.team_id)
    return trees.destinations(tree.tree_id, tree.route.receiver)


def _named(step: Mapping[str, Any], run: Run, prefix: str = "") -> Targets:
    """What {person}, {team} or {receiver} says."""
    if "person" in step:
        return _person(step["person"], prefix or "named by the step")
    if "team" in step:
        handlers = User.objects.filter(
            is_active=True, memberships__team__slug=step["team"], memberships__role__in=HANDLERS
        ).distinct()
        why = f"{prefix}{', ' if prefix else ''}team {step['team']}"
        return _people(handlers, why, f"The team '{step['team']}' has nobody who may handle alerts.")
    return _receiver(step["receiver"], run)


def _person(username: str, why: str) -> Targets:
    row = User.objects.filter(username=username).first()
    if row is None:
        return Targets(problem=f"There is no person '{username}' any more.")
    return Targets((Target(row, why),))


def _people(rows: Iterable[User], why: str, problem: str) -> Targets:
    found = tuple(Target(row, why) for row in sorted(rows, key=lambda row: row.username))
    return Targets(found, problem="" if found else problem)


def _receiver(name: str, run: Run) -> Targets:
    tree = trees.tree_for(run.team_id)
    places = trees.destinations(tree.tree_id, name)
    return Targets(places=places, problem="" if places else f"The receiver '{name}' has nobody to tell.")


def _webhook(entry: Mapping[str, Any], run: Run) -> Targets:
    """A run goes on as it began: a webhook that was taken out since is still told."""
    found = Destination.objects.filter(escalation=run.escalation_id, config=dict(entry)).order_by("pk").first()
    return Targets(places=(found,)) if found else Targets(problem="The step's webhook is not there any more.")


def _schedule(name: str, run: Run, at: datetime) -> Targets:
    row = Schedule.objects.filter(name=name).first()
    if row is None:
        return Targets(problem=f"There is no schedule '{name}' any more.")
    now = on_call(row, at)
    if now.people:
        by_id = User.objects.in_bulk([person.user_id for person in now.people])
        why = f"on call by schedule {name}"
        return Targets(tuple(Target(by_id[one.user_id], why) for one in now.people if one.user_id in by_id))
    return _gap(row, run)


def _gap(schedule: Schedule, run: Run) -> Targets:
    words = f"nobody is on call by schedule {schedule.name}"
    if not schedule.fallback:
        places = root_places(run)
        return Targets(places=places, words=words, problem="" if places else "The root receiver has nobody to tell.")
    found = _named(schedule.fallback, run, f"fallback of schedule {schedule.name}")
    return Targets(found.people, found.places, words, found.problem)


def once(targets: Sequence[Target]) -> list[Target]:
    """Without those who stand before already."""
    return list({target.person.pk: target for target in reversed(targets)}.values())[::-1]
