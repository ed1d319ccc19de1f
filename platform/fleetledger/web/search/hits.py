"""What a search finds, and who finds it: each room adds its own finder."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetledger.fleet.access import TeamScope


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, with the words that tell it from others. `icon` is one of the sprite's."""

    label: str
    url: str
    note: str = ""
    icon: str = "hash"


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind; `has_more` where only the first ones are shown."""

    label: str
    hits: tuple[Hit, ...]
    has_more: bool = False


Finder = Callable[[str, TeamScope, int], Group]
_FINDERS: dict[str, Finder] = {}


def register(name: str, finder: Finder) -> None:
    """Add a finder (query, scope, limit) -> Group, asked after those that came before; the same name replaces."""
    _FINDERS[name] = finder


def find(query: str, *, teams: TeamScope, limit: int = 8) -> tuple[Group, ...]:
    """Everything that the caller may see and that `query` names, by kind."""
    return tuple(group for finder in _FINDERS.values() if (group := finder(query, teams, limit)).hits)
