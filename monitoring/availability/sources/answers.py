"""What asking a probe gives: samples of things that are up or not, facts, and what has come to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.availability.slots import Seen

Labels = Mapping[str, str]


class AskError(Exception):
    """A probe could not be asked at all: nothing is known. The text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Sample:
    at_us: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Observation:
    """The samples of one thing, told from others by its labels; in any order."""

    labels: Labels
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A number or a word about the component as it is now."""

    key: str
    value: float | None = None
    text: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """One thing that is no longer expected, and why."""

    labels: Labels
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`detail`: what was seen, one sentence for people."""

    observations: tuple[Observation, ...] = ()
    facts: tuple[Fact, ...] = ()
    ended: tuple[Ended, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A series that is expected, as a source needs it to go on: its labels, and its last slot."""

    labels: Labels
    last_us: int


@dataclass(frozen=True, slots=True)
class Question:
    """When a probe is asked: `at_us` is the instant it was due, `now_us` the instant of asking."""

    at_us: int
    now_us: int
    interval_us: int
    timeout_s: float
    known: tuple[Known, ...] = field(default=())
