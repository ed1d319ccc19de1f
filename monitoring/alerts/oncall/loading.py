"""Makes plans of stored schedules, many at once in three statements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fleetledger.fleet.models import User
from monitoring.alerts.models import Override, Schedule
from monitoring.alerts.oncall.documents import DocumentError, rotation, turns, zone_named
from monitoring.alerts.oncall.plans import Change, Layer, Plan


@dataclass(frozen=True, slots=True)
class OnCallPerson:
    user_id: int
    username: str
    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plans of schedules by their ids, and everybody whom they can put on call by user name."""

    plans: Mapping[int, Plan]
    people: Mapping[str, OnCallPerson]

    def persons(self, usernames: Iterable[str]) -> tuple[OnCallPerson, ...]:
        return tuple(self.people[username] for username in usernames if username in self.people)


def load(schedules: Sequence[Schedule], from_at: datetime, until_at: datetime) -> Loaded:
    """Plans with the overrides that touch [from_at, until_at)."""
    changes = _changes(schedules, from_at, until_at)
    layers = {schedule.pk: tuple(_layers(schedule)) for schedule in schedules}
    names = {name for schedule in schedules for document in schedule.layers for name in named(document)}
    names |= {change.person for several in changes.values() for change in several}
    people = _people(names)
    known = frozenset(people)
    plans = {schedule.pk: Plan(layers[schedule.pk], tuple(changes[schedule.pk]), known) for schedule in schedules}
    return Loaded(plans, people)


def named(layer: Mapping[str, Any]) -> Iterator[str]:
    """The user names that a layer's document holds."""
    people = layer.get("people") or ()
    if isinstance(people, Mapping):
        yield from map(str, people.values())
    else:
        yield from (name for turn in turns(people) for name in turn)


def _layers(schedule: Schedule) -> Iterator[Layer]:
    """Those that can be read; the configuration took no other, but zones come and go with the system's tables."""
    for document in schedule.layers:
        try:
            yield rotation(document, _zone(schedule))
        except DocumentError:
            continue


def _zone(schedule: Schedule) -> ZoneInfo:
    try:
        return zone_named(schedule.time_zone)
    except DocumentError:
        return ZoneInfo("UTC")


def _changes(schedules: Sequence[Schedule], from_at: datetime, until_at: datetime) -> Mapping[int, list[Change]]:
    found: dict[int, list[Change]] = defaultdict(list)
    rows = Override.objects.filter(
        schedule__in=schedules, cancelled_at=None, until_at__gt=from_at, from_at__lt=until_at
    ).values_list("schedule_id", "pk", "from_at", "until_at", "person__username")
    for schedule_id, number, begin, end, username in rows:
        found[schedule_id].append(Change(number, begin, end, username))
    return found


def _people(usernames: Iterable[str]) -> dict[str, OnCallPerson]:
    rows = User.objects.filter(username__in=usernames, is_active=True)
    return {row.username: OnCallPerson(row.pk, row.username, row.get_full_name() or row.username) for row in rows}
