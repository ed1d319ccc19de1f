"""Facts of our own that rules can be about, by name: each room registers its own at start-up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.found import Found
from monitoring.alerts.rules.options import read


@dataclass(frozen=True, slots=True)
class Question:
    """When and about whom: `team_id` None asks about everybody. `options` is an instance of the fact's own class."""

    at: datetime
    options: Any
    team_id: int | None = None


Look = Callable[[Question], Sequence[Found]]


@dataclass(frozen=True, slots=True)
class Fact:
    """`look` gives all that holds at an instant and writes nothing; `about` is one sentence for people."""

    name: str
    look: Look
    options: type[Any]
    about: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any]) -> Any:
        """The options as the fact reads them; raises OptionError."""
        return read(self.options, given)


_facts: dict[str, Fact] = {}


def register(fact: Fact) -> None:
    """Called from an AppConfig.ready; the same name again takes the place of the first."""
    _facts[fact.name] = fact


def names() -> list[str]:
    return sorted(_facts)


def named(name: str) -> Fact:
    """The fact of that name; raises RuleError."""
    fact = _facts.get(name)
    if fact is None:
        close = get_close_matches(name, _facts, n=1)
        meant = f" Did you mean '{close[0]}'?" if close else ""
        raise RuleError(f"No fact is called '{name}'.{meant} Known: {', '.join(names())}.")
    return fact


def look(name: str, given: Mapping[str, Any], at: datetime, team_id: int | None) -> list[Found]:
    """What holds; a rule of a team is told of that team alone."""
    fact = named(name)
    found = fact.look(Question(at, fact.check(given), team_id))
    return [one for one in found if team_id is None or one.team_id == team_id]
