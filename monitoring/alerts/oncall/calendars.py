"""A layer that a calendar gives: whoever its events mean is on call, several at once together."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.alerts.oncall.ical_in import Calendar, CalendarError, Event
from monitoring.alerts.oncall.ical_people import Reader
from monitoring.alerts.oncall.stretches import GAP, Stretch, merged

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CalendarLayer:
    """`zone`: where days and times without a zone are. Time given to nobody whom we know is a gap."""

    name: str
    calendar: Calendar
    reader: Reader
    zone: ZoneInfo

    def stretches(self, from_at: datetime, until_at: datetime) -> list[Stretch]:
        try:
            events = self.calendar.events(from_at, until_at, self.zone)
        except CalendarError:  # told among the problems
            return []
        meant = [(event, self.reader.meant(event).people) for event in events]
        return list(merged(self._swept(meant, from_at, until_at)))

    def unknown(self, from_at: datetime, until_at: datetime) -> Mapping[str, datetime]:
        """Words that mean nobody, with the first time that they stand for; the first MOST_SHOWN of them."""
        found: dict[str, datetime] = {}
        for event in self.calendar.events(from_at, until_at, self.zone):
            for words in self.reader.meant(event).unknown:
                found.setdefault(words, event.from_at)
        return dict(list(found.items())[:MOST_SHOWN])

    def _swept(
        self, meant: Sequence[tuple[Event, tuple[str, ...]]], from_at: datetime, until_at: datetime
    ) -> Iterator[Stretch]:
        """From each edge to the next, everybody of the events that are on."""
        times = {at for event, _ in meant for at in (event.from_at, event.until_at) if from_at < at < until_at}
        edges = sorted({from_at, until_at, *times})
        on: list[tuple[Event, tuple[str, ...]]] = []
        place = 0
        for begin, end in itertools.pairwise(edges):
            while place < len(meant) and meant[place][0].from_at <= begin:
                on.append(meant[place])
                place += 1
            on = [one for one in on if one[0].until_at > begin]
            if on:
                people = tuple(sorted({person for _, several in on for person in several}))
                yield Stretch(begin, end, people, f"layer {self.name}" if people else GAP)
