"""A rotation: people who hand over to each other in wall time, whatever the clocks do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.alerts.oncall.stretches import Stretch, clip
from monitoring.alerts.oncall.wall import instant, wall
from monitoring.alerts.oncall.windows import Window, spans

MIN_EVERY = timedelta(hours=1)
_REACH = timedelta(hours=25)  # no zone ever moved its clocks by more than a day


@dataclass(frozen=True, slots=True)
class Rotation:
    """Hand-over k is at `start` + k * `every` on the wall of `zone`; there item k modulo their number begins.

    `turns`: the user names of each turn, several where people are on call together. `start` and `until` are naive wall
    times; nobody is on call before the one and from the other on, nor outside of the windows, where there are any.
    """

    name: str
    turns: tuple[tuple[str, ...], ...]
    zone: ZoneInfo
    start: datetime
    every: timedelta
    until: datetime | None = None
    windows: tuple[Window, ...] = ()

    def hand_over_at(self, number: int) -> datetime:
        return instant(self.start + number * self.every, self.zone)

    def number_at(self, at: datetime) -> int:
        """The largest number whose hand-over is not after `at`; -1 before the first."""
        number = (wall(at, self.zone) - self.start + _REACH) // self.every
        while number >= 0 and self.hand_over_at(number) > at:
            number -= 1
        return max(number, -1)

    def stretches(self, from_at: datetime, until_at: datetime) -> list[Stretch]:
        """Who is on call within [from_at, until_at), in order; one stretch a turn and window, none where nobody is."""
        end = until_at if self.until is None else min(until_at, instant(self.until, self.zone))
        if from_at >= end:
            return []
        is_one = len(set(self.turns)) == 1  # who hands over to nobody else has one turn, however long
        turns = list(self._one(from_at, end) if is_one else self._turns(from_at, end))
        return turns if not self.windows else list(self._within_windows(turns, from_at, end))

    def _one(self, from_at: datetime, until_at: datetime) -> Iterator[Stretch]:
        begin = self.hand_over_at(0)
        whole = Stretch(min(begin, from_at), until_at, self.turns[0], f"layer {self.name}")
        found = clip(whole, max(begin, from_at), until_at)
        if found is not None:
            yield found

    def _turns(self, from_at: datetime, until_at: datetime) -> Iterator[Stretch]:
        first, last = max(self.number_at(from_at), 0), self.number_at(until_at)
        begins = [self.hand_over_at(number) for number in range(first, last + 1)]
        for place in range(len(begins) - 2, -1, -1):  # where the clocks skip more than a turn, a later one comes first
            begins[place] = min(begins[place], begins[place + 1])
        for place, begin in enumerate(begins):
            end = begins[place + 1] if place + 1 < len(begins) else until_at
            people = self.turns[(first + place) % len(self.turns)]
            found = clip(Stretch(begin, end, people, f"layer {self.name}"), from_at, until_at)
            if found is not None:
                yield found

    def _within_windows(self, turns: list[Stretch], from_at: datetime, until_at: datetime) -> Iterator[Stretch]:
        first = 0
        for span in spans(self.windows, self.zone, from_at, until_at):
            while first < len(turns) and turns[first].until_at <= span.from_at:
                first += 1
            for place in range(first, len(turns)):
                found = clip(turns[place], span.from_at, span.until_at)
                if found is None:
                    break
                yield found
