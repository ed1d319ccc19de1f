"""Writes shifts as an iCalendar text that calendars read again and again: UTC instants, and names that stay."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

import icalendar

from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.lib.buckets import Window
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import found
from monitoring.alerts.oncall.ical_links import EVERYTHING, Link
from monitoring.alerts.oncall.loading import Loaded, load
from monitoring.alerts.oncall.plans import LOOK_AHEAD
from monitoring.alerts.oncall.stretches import Stretch

BACK, AHEAD = timedelta(weeks=8), timedelta(weeks=26)
REFRESH = timedelta(hours=1)


def text_for(link: Link, now: datetime, base_url: str) -> bytes | None:
    """The calendar of a link; None where its person may not see the schedule any more."""
    teams = teams_visible_to(link.person)
    rows = found.schedules(teams=teams)
    if link.schedule_id != EVERYTHING:
        rows = [row for row in rows if row.pk == link.schedule_id]
        if not rows:
            return None
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    shown = Window(day - BACK, day + AHEAD)
    loaded = load(rows, shown.start - LOOK_AHEAD, shown.end + LOOK_AHEAD)
    own = link.person if link.schedule_id == EVERYTHING else None
    events = [event for row in rows for event in _events(row, loaded, shown, own, base_url)]
    name = f"On call: {rows[0].name}" if own is None else "My on-call shifts"
    return _calendar(name, events, now)


def _calendar(name: str, events: Iterable[icalendar.Event], stamp: datetime) -> bytes:
    made = icalendar.Calendar()
    made.add("PRODID", "-//Fleetledger//On-call//EN")
    made.add("VERSION", "2.0")
    made.add("CALSCALE", "GREGORIAN")
    made.add("X-WR-CALNAME", name)
    made.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    made.add("X-PUBLISHED-TTL", "PT1H")
    for event in events:
        event.add("DTSTAMP", stamp)
        made.add_component(event)
    return bytes(made.to_ical())


def _events(row: Schedule, loaded: Loaded, shown: Window, own: User | None, base_url: str) -> Iterator[icalendar.Event]:
    plan = loaded.plans[row.pk]
    for stretch in plan.shifts(shown.start, shown.end):
        if own.username in stretch.people if own else stretch.people:
            since = plan.begun_at(stretch) if stretch.from_at == shown.start else stretch.from_at
            until = plan.ends_at(stretch) if stretch.until_at == shown.end else stretch.until_at
            names = ", ".join(person.name for person in loaded.persons(stretch.people))
            event = icalendar.Event()
            event.add("UID", _uid(row, stretch, since, base_url))
            event.add("SUMMARY", f"On call: {row.name}" if own else f"{names} ({row.name})")
            event.add("DTSTART", since or shown.start)
            event.add("DTEND", until or shown.end)
            event.add("DESCRIPTION", f"{names}, {stretch.source}")
            event.add("URL", f"{base_url.rstrip('/')}/alerts/on-call/schedules/{quote(row.name, safe='')}/")
            event.add("TRANSP", "TRANSPARENT")
            yield event


def _uid(row: Schedule, stretch: Stretch, since: datetime | None, base_url: str) -> str:
    """The same as long as the same people are on call from the same instant on."""
    told = "\n".join([str(row.pk), since.isoformat() if since else "ever", *stretch.people])
    host = urlsplit(base_url).hostname or "fleetledger"
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}@{host}"
