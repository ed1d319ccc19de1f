"""A schedule's plan: its layers with the overrides on top, read at an instant or over a stretch of time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from monitoring.alerts.oncall.stretches import GAP, OVERRIDE, Ranked, Stretch, topmost

_MOMENT = timedelta(microseconds=1)
_LOOKS = tuple(timedelta(days=days) for days in (2, 10, 40, 160, 400))
LOOK_AHEAD = _LOOKS[-1]


class Layer(Protocol):
    """Anything that says who is on call when; `stretches` are in order and don't overlap."""

    @property
    def name(self) -> str: ...

    def stretches(self, from_at: datetime, until_at: datetime) -> list[Stretch]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """An override: one person from one instant to another. `number` grows with when it was made."""

    number: int
    from_at: datetime
    until_at: datetime
    person: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Later layers lie on those before, overrides on all of them, and later made ones on earlier ones.

    `known`: the user names of people who can be on call; None: whoever is named. Time that is given to nobody known
    is a gap, whatever lies beneath.
    """

    layers: tuple[Layer, ...]
    changes: tuple[Change, ...] = ()
    known: frozenset[str] | None = None

    def shifts(self, from_at: datetime, until_at: datetime) -> tuple[Stretch, ...]:
        """Who is on call throughout [from_at, until_at), with gaps as stretches of nobody; costs the range's length."""
        pieces = [*self._laid(from_at, until_at), *self._changed()]
        return topmost(pieces if self.known is None else map(self._of_known, pieces), from_at, until_at)

    def at(self, at: datetime) -> Stretch:
        """Who is on call at an instant; costs the same whenever that is. The stretch is only as long as a moment."""
        return self.shifts(at, at + _MOMENT)[0]

    def now_and_next(self, at: datetime) -> tuple[Stretch, Stretch | None]:
        """The stretch from `at` until something changes, and the one after it.

        Where nothing changes within LOOK_AHEAD, the first ends there and the second is None.
        """
        found: tuple[Stretch, ...] = ()
        for ahead in _LOOKS:
            found = self.shifts(at, at + ahead)
            if len(found) > 2:  # noqa: PLR2004 only then is the second one's end seen as well
                break
        return found[0], found[1] if len(found) > 1 else None

    def begun_at(self, stretch: Stretch) -> datetime | None:
        """When a stretch that was cut began in truth; None: over a year before."""
        for ahead in _LOOKS:
            farthest = stretch.from_at - ahead
            last = self.shifts(farthest, stretch.from_at + _MOMENT)[-1]
            if last.from_at > farthest:
                return last.from_at
        return None

    def ends_at(self, stretch: Stretch) -> datetime | None:
        """When a stretch that was cut ends in truth; None: over a year later."""
        for ahead in _LOOKS:
            farthest = stretch.until_at + ahead
            first = self.shifts(stretch.until_at - _MOMENT, farthest)[0]
            if first.until_at < farthest:
                return first.until_at
        return None

    def alone(self, layer: Layer) -> "Plan":
        """One of the layers without the others and without overrides."""
        return Plan((layer,), known=self.known)

    def above(self, from_at: datetime, until_at: datetime) -> tuple[Stretch, ...]:
        """The overrides alone."""
        return replace(self, layers=()).shifts(from_at, until_at)

    def _laid(self, from_at: datetime, until_at: datetime) -> Iterator[Ranked]:
        for rank, layer in enumerate(self.layers):
            for stretch in layer.stretches(from_at, until_at):
                yield Ranked(rank, stretch)

    def _changed(self) -> Iterator[Ranked]:
        above = len(self.layers)
        for place, change in enumerate(sorted(self.changes, key=lambda one: one.number)):
            stretch = Stretch(change.from_at, change.until_at, (change.person,), OVERRIDE)
            yield Ranked(above + place, stretch)

    def _of_known(self, piece: Ranked) -> Ranked:
        assert self.known is not None  # noqa: S101 its callers asked
        stretch = piece.stretch
        people = tuple(person for person in stretch.people if person in self.known)
        if people == stretch.people:
            return piece
        return replace(piece, stretch=replace(stretch, people=people, source=stretch.source if people else GAP))
