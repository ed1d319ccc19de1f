"""What looking at one of our own parts gives."""

from dataclasses import dataclass

from django.utils.text import slugify

from monitoring.availability.slots import Seen
from monitoring.availability.sources.answers import Fact
from monitoring.availability.states import State

PREFIX = "fleetledger-"
INTERVAL_S = 10
LOOK_EVERY_S = 4.0
"""Twice an interval: a look that comes late loses no slot."""
SILENCE_S = 15.0
"""After this long without a word a part is down: three of the words that each leaves every 5 s."""


@dataclass(frozen=True, slots=True)
class PartSeen:
    """`seen` None: nothing can be said now, and `failure` says why. `parent`: the part it stands below."""

    part: str
    title: str
    seen: Seen | None
    failure: str = ""
    facts: tuple[Fact, ...] = ()
    parent: str = ""

    @property
    def name(self) -> str:
        return component_name(self.part)


def component_name(part: str) -> str:
    return f"{PREFIX}{slugify(part.replace('@', '-').replace('.', '-'))}"[:100].rstrip("-")


def up(part: str, title: str, *facts: Fact, parent: str = "") -> PartSeen:
    return PartSeen(part, title, Seen(State.UP), facts=facts, parent=parent)


def down(part: str, title: str, why: str, *facts: Fact, parent: str = "") -> PartSeen:
    return PartSeen(part, title, Seen(State.DOWN, why), facts=facts, parent=parent)


def degraded(part: str, title: str, why: str, *facts: Fact) -> PartSeen:
    return PartSeen(part, title, Seen(State.DEGRADED, why), facts=facts)


def unknown(part: str, title: str, why: str, parent: str = "") -> PartSeen:
    return PartSeen(part, title, None, failure=why, parent=parent)
