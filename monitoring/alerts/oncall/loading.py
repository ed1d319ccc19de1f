"""Makes plans of stored schedules, many at once in four statements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fleetledger.fleet.models import User
from monitoring.alerts.models import CalendarFeed, Override, Schedule
from monitoring.alerts.oncall.calendars import CalendarLayer
from monitoring.alerts.oncall.documents import ICAL, DocumentError, rotation, turns, zone_named
from monitoring.alerts.oncall.ical_in import CalendarError, parse
from monitoring.alerts.oncall.ical_people import Directory, Reader
from monitoring.alerts.oncall.plans import Change, Layer, Plan

Texts = Mapping[tuple[int, str], str]


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
    names = {name for schedule in schedules for document in schedule.layers for name in named(document)}
    names |= {change.person for several in changes.values() for change in several}
    has_calendars = any(ICAL in document for schedule in schedules for document in schedule.layers)
    rows = _rows(None if has_calendars else names)
    people = {row.username: OnCallPerson(row.pk, row.username, _name(row)) for row in rows}
    directory = Directory.of((row.username, row.email, row.get_full_name()) for row in rows if has_calendars)
    texts = _texts(schedules) if has_calendars else {}
    known = frozenset(people)
    plans = {
        schedule.pk: Plan(tuple(_layers(schedule, directory, texts)), tuple(changes[schedule.pk]), known)
        for schedule in schedules
    }
    return Loaded(plans, people)


def named(layer: Mapping[str, Any]) -> Iterator[str]:
    """The user names that a layer's document holds."""
    people = layer.get("people") or ()
    if isinstance(people, Mapping):
        yield from map(str, people.values())
    else:
        yield from (name for turn in turns(people) for name in turn)


def _layers(schedule: Schedule, directory: Directory, texts: Texts) -> Iterator[Layer]:
    """Those that can be read; the configuration took no other, but zones come and go with the system's tables."""
    zone = zone_of(schedule)
    for document in schedule.layers:
        try:
            if ICAL in document:
                text = document[ICAL].get("text") or texts.get((schedule.pk, document["name"]), "")
                yield from _calendar(document, text, zone, directory)
            else:
                yield rotation(document, zone)
        except (DocumentError, CalendarError):  # told among the schedule's problems
            continue


def _calendar(document: Mapping[str, Any], text: str, zone: ZoneInfo, directory: Directory) -> Iterator[CalendarLayer]:
    """The layer's own zone counts for days and times without one, else the calendar's, else the schedule's."""
    if text:
        calendar = parse(text)
        own = zone_named(document["time_zone"]) if document.get("time_zone") else calendar.zone or zone
        yield CalendarLayer(document["name"], calendar, Reader.of(directory, document.get("people") or {}), own)


def zone_of(schedule: Schedule) -> ZoneInfo:
    try:
        return zone_named(schedule.time_zone)
    except DocumentError:
        return ZoneInfo("UTC")


def _texts(schedules: Sequence[Schedule]) -> Texts:
    rows = CalendarFeed.objects.filter(schedule__in=schedules).values_list("schedule_id", "layer", "text")
    return {(schedule_id, layer): text for schedule_id, layer, text in rows}


def _changes(schedules: Sequence[Schedule], from_at: datetime, until_at: datetime) -> Mapping[int, list[Change]]:
    found: dict[int, list[Change]] = defaultdict(list)
    rows = Override.objects.filter(
        schedule__in=schedules, cancelled_at=None, until_at__gt=from_at, from_at__lt=until_at
    ).values_list("schedule_id", "pk", "from_at", "until_at", "person__username")
    for schedule_id, number, begin, end, username in rows:
        found[schedule_id].append(Change(number, begin, end, username))
    return found


def _rows(usernames: Iterable[str] | None) -> Sequence[User]:
    """Those who are there, of the named ones; None: all."""
    there = User.objects.filter(is_active=True)
    return list(there if usernames is None else there.filter(username__in=usernames))


def _name(row: User) -> str:
    return row.get_full_name() or row.username
