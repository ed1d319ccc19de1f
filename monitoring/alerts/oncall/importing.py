"""Makes a schedule of somebody's calendar, and says who was recognised in it and what it cannot carry."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import icalendar
from django.db import transaction

from fleetledger.fleet.models import Team, User
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import feeds
from monitoring.alerts.oncall.documents import ICAL, zone_named
from monitoring.alerts.oncall.ical_in import Calendar, parse
from monitoring.alerts.oncall.ical_people import Directory, Reader
from monitoring.alerts.oncall.ical_reduced import reduced

LAYER = "calendar"
AROUND = timedelta(weeks=52)
_NAME = re.compile(r"(?!\.{1,2}$)[^\x00-\x1f/]{1,200}")
_COMPONENTS = {"VTODO": "task", "VJOURNAL": "journal entry", "VFREEBUSY": "free or busy time", "VALARM": "reminder"}
_PARTS = {
    "DESCRIPTION": "description",
    "LOCATION": "place",
    "ATTACH": "attachment",
    "CATEGORIES": "category",
    "URL": "link",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """`time_zone` empty: the calendar's own, else UTC. `team`: a slug, empty for the platform."""

    name: str
    text: str
    time_zone: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    username: str
    name: str
    shifts: int


@dataclass(frozen=True, slots=True)
class Unknown:
    words: str
    shifts: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """Shifts are those within a year of now. `left_out`: what of the calendar a schedule does not have, in words."""

    name: str
    is_new: bool
    time_zone: str
    recognised: tuple[Known, ...]
    unknown: tuple[Unknown, ...]
    left_out: tuple[str, ...]


@transaction.atomic
def take(wanted: Wanted, *, dry_run: bool = False) -> Imported:
    """Make the schedule, or give one that came from a calendar before its new text; raises AlertsError."""
    if not _NAME.fullmatch(wanted.name):
        raise AlertsError("A schedule's name has 1 to 200 characters, none of them /. Give another one.")
    whole = wanted.text.replace("\x00", "").removeprefix("\ufeff")
    text = reduced(whole)
    calendar = parse(text)
    zone = zone_named(wanted.time_zone) if wanted.time_zone else calendar.zone or zone_named("UTC")
    row = Schedule.objects.select_for_update(of=("self",)).filter(name=wanted.name).first()
    is_new = row is None or row.removed_at is not None
    people = {} if is_new else _people_of(row)
    recognised, unknown = _found(calendar, Reader.of(_directory(), people), clock.now(), zone)
    team = _team(wanted.team) if wanted.team or row is None or is_new else row.team
    if not dry_run:
        _store(row or Schedule(name=wanted.name, created_at=clock.now()), team, text, zone.key, people)
    left_out = (*_left_out(whole), *([calendar.problem] if calendar.problem else []))
    return Imported(wanted.name, is_new, zone.key, recognised, unknown, left_out)


def _people_of(row: Schedule | None) -> Mapping[str, str]:
    """What an earlier import was told about people; raises ConflictError for a schedule with layers of its own."""
    if row is None:
        return {}
    if [layer["name"] for layer in row.layers] != [LAYER] or "text" not in row.layers[0].get(ICAL, {}):
        raise ConflictError(f"The schedule '{row.name}' has layers of its own. Import under another name.")
    people: Mapping[str, str] = row.layers[0].get("people") or {}
    return people


def _store(row: Schedule, team: Team | None, text: str, time_zone: str, people: Mapping[str, str]) -> None:
    layer: dict[str, Any] = {"name": LAYER, ICAL: {"text": text}} | ({"people": dict(people)} if people else {})
    row.team, row.layers, row.time_zone, row.changed_at = team, [layer], time_zone, clock.now()
    row.removed_at = None
    row.save()
    feeds.keep(row)


def _team(slug: str) -> Team | None:
    found = Team.objects.filter(slug=slug).first() if slug else None
    if slug and found is None:
        known = ", ".join(Team.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise NotFoundError(f"No team is called '{slug[:64]}'. Known: {known or 'none'}.")
    return found


def _directory() -> Directory:
    rows = User.objects.filter(is_active=True)
    return Directory.of((row.username, row.email, row.get_full_name()) for row in rows)


def _found(
    calendar: Calendar, reader: Reader, now: datetime, zone: Any
) -> tuple[tuple[Known, ...], tuple[Unknown, ...]]:
    known: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    events = sorted(calendar.whole(now - AROUND, now + AROUND, zone), key=lambda event: event.from_at)
    for event in events:
        meaning = reader.meant(event)
        known.update(meaning.people)
        strangers.update(meaning.unknown)
        for words in meaning.unknown:
            first.setdefault(words, event.from_at)
    rows = User.objects.in_bulk(list(known), field_name="username")
    return (
        tuple(Known(name, rows[name].get_full_name() or name, count) for name, count in known.items() if name in rows),
        tuple(Unknown(words, count, first[words]) for words, count in strangers.items()),
    )


def _left_out(text: str) -> list[str]:
    """How many of which things a schedule has no place for."""
    found: Any = icalendar.Calendar.from_ical(text)
    counted: Counter[str] = Counter()
    for component in found.walk():
        counted[_COMPONENTS.get(component.name, "")] += 1
        if component.name == "VEVENT":
            counted.update(word for key, word in _PARTS.items() if key in component)
    return [_several(count, word) for word, count in counted.items() if word]


def _several(count: int, word: str) -> str:
    if count == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count} {plural}"
