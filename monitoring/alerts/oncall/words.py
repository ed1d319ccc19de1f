"""Says a schedule's layers and its fallback in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetledger.fleet.models import Team, User
from monitoring.alerts.models import CalendarFeed, Schedule
from monitoring.alerts.oncall.documents import ICAL, turns

_EVERY = {"hour": "every hour", "day": "every day", "week": "every week"}


@dataclass(frozen=True, slots=True)
class LayerWords:
    """`people`: the turns in their order, those of one turn joined. `read_at`: of a calendar, None for others."""

    name: str
    people: tuple[str, ...]
    course: str
    hours: str
    time_zone: str
    is_calendar: bool
    read_at: datetime | None = None


def layers(schedule: Schedule) -> tuple[LayerWords, ...]:
    """The upper first, as they lie."""
    feeds = dict(CalendarFeed.objects.filter(schedule=schedule).values_list("layer", "read_at"))
    return tuple(_layer(layer, schedule, feeds) for layer in reversed(schedule.layers))


def fallback(schedule: Schedule) -> str:
    """Who is paged where nobody is on call, as the end of a sentence."""
    given = schedule.fallback
    if "person" in given:
        row = User.objects.filter(username=given["person"]).first()
        return (row.get_full_name() or row.username) if row else f"{given['person']}, who is gone"
    if "team" in given:
        team = Team.objects.filter(slug=given["team"]).first()
        return f"everybody of {team.name if team else given['team']}"
    if "receiver" in given:
        return f"the receiver {given['receiver']}"
    return "the first receiver of the routes"


def _layer(layer: Mapping[str, Any], schedule: Schedule, feeds: Mapping[str, datetime | None]) -> LayerWords:
    name, zone = str(layer["name"]), str(layer.get("time_zone") or schedule.time_zone)
    if ICAL in layer:
        people = tuple(f"{words}: {username}" for words, username in (layer.get("people") or {}).items())
        where = "A calendar, read every 15 minutes" if "url" in layer[ICAL] else "A calendar, as it was handed in"
        return LayerWords(name, people, where, "", zone, is_calendar=True, read_at=feeds.get(name))
    people = tuple(" and ".join(turn) for turn in turns(layer["people"]))
    every = _EVERY.get(layer["every"], f"every {layer['every']}")
    until = f" until {layer['until']}" if layer.get("until") else ""
    hours = "; ".join(_windows(layer.get("active") or ()))
    return LayerWords(name, people, f"Hand-over {every} from {layer['start']}{until}", hours, zone, is_calendar=False)


def _windows(active: Any) -> Iterator[str]:
    for window in active:
        days = ", ".join(day.capitalize() for day in window.get("days", ())) or "every day"
        yield f"{days} {window.get('from', '00:00')} to {window.get('until', '24:00')}"
