"""How the status wall is laid out: groups below what stands at the top, or one list of what was asked for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitoring.availability.models import ComponentKind
from monitoring.availability.reads import ORDER, ComponentRow
from monitoring.availability.states import State

DAYS = (30, 90)
TILES = 72
"""So many tiles at most on one page: what is not green comes first."""
PER_GROUP = 24
GROUPS = 20
"""So many groups on one page."""
FEW = 60
"""With so many components or fewer everything is open."""
ALARMING = (State.DOWN, State.DEGRADED, State.UNKNOWN)
_PLACE = {state: place for place, state in enumerate(ORDER)}
ALONE = "alone"
_PLURALS: Mapping[str, str] = {
    ALONE: "On their own",
    ComponentKind.CLUSTER: "Clusters",
    ComponentKind.SERVICE: "Services",
    ComponentKind.REPLICA: "Replicas",
    ComponentKind.EXPORTER: "Exporters",
    ComponentKind.DATABASE: "Databases",
    ComponentKind.NODE: "Nodes",
    ComponentKind.SERVING: "Model serving",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; empty is everything."""

    state: str = ""
    kind: str = ""
    team: str = ""
    parent: str = ""
    text: str = ""
    days: int = DAYS[0]

    @property
    def is_filtered(self) -> bool:
        return bool(self.state or self.kind or self.team or self.parent or self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """`head` is what the tiles belong to; None for those without one, which are together by their kind."""

    key: str
    title: str
    head: ComponentRow | None
    tiles: tuple[ComponentRow, ...]
    members: int
    counts: Mapping[State, int]
    is_open: bool

    @property
    def hidden(self) -> int:
        return self.members - len(self.tiles)

    @property
    def states(self) -> tuple[tuple[State, int], ...]:
        """How many of its members are in each state, the worst first."""
        return tuple((state, self.counts[state]) for state in ORDER if self.counts[state])


@dataclass(frozen=True, slots=True)
class Layout:
    """One page of groups."""

    groups: tuple[Group, ...]
    page: int
    pages: int


Gathered = tuple[str, ComponentRow | None, list[ComponentRow]]


def read(query: Mapping[str, str]) -> Asked:
    """What an address asks for; what it cannot say is left out."""
    state, kind, days = query.get("state", ""), query.get("kind", ""), query.get("days", "")
    return Asked(
        state=state if state in State.values else "",
        kind=kind if kind in ComponentKind.values else "",
        team=_word(query, "team"),
        parent=_word(query, "parent"),
        text=_word(query, "q"),
        days=int(days) if days in map(str, DAYS) else DAYS[0],
    )


def fits(row: ComponentRow, asked: Asked) -> bool:
    """All but the state: what the counts of the states are of."""
    return (
        asked.kind in ("", row.kind)
        and asked.parent in ("", row.parent)
        and asked.team in ("", row.team or "platform")
        and all(word in f"{row.title} {row.name} {row.zone}".casefold() for word in asked.text.casefold().split())
    )


def listed(rows: Iterable[ComponentRow], asked: Asked) -> list[ComponentRow]:
    """One list, what somebody should look at first in front."""
    return sorted((row for row in rows if asked.state in ("", row.state.value)), key=lambda row: _PLACE[row.state])


def groups(rows: Sequence[ComponentRow], page: int = 1) -> Layout:
    """What is not green first; after that as in the configuration."""
    is_small = len(rows) <= FEW
    found = sorted(_gathered(rows, by_kind=not is_small), key=_worst)
    pages = max(1, -(-len(found) // GROUPS))
    page = min(max(page, 1), pages)
    left, shown = TILES, []
    for gathered in found[(page - 1) * GROUPS : page * GROUPS]:
        group = _group(gathered, len(gathered[2]) if is_small else min(left, PER_GROUP), is_small=is_small)
        left -= len(group.tiles)
        shown.append(group)
    return Layout(tuple(shown), page, pages)


def _group(gathered: Gathered, most: int, *, is_small: bool) -> Group:
    key, head, members = gathered
    counts = Counter(row.state for row in members)
    return Group(
        key=key,
        title=head.title if head else _PLURALS.get(key, key),
        head=head,
        tiles=tuple(sorted(members, key=lambda row: _PLACE[row.state])[:most]),
        members=len(members),
        counts=counts,
        is_open=is_small or any(counts[state] for state in ALARMING),
    )


def _gathered(rows: Sequence[ComponentRow], *, by_kind: bool) -> list[Gathered]:
    """What stands at the top with what is directly below it; what has nothing below is together, or by its kind."""
    names = {row.name for row in rows}
    below: dict[str, list[ComponentRow]] = defaultdict(list)
    for row in rows:
        if row.parent in names and row.parent is not None:
            below[row.parent].append(row)
    tops = [row for row in rows if row.parent not in names]
    found: list[Gathered] = []
    alone: dict[str, list[ComponentRow]] = {}
    for row in tops:
        if row.name in below:
            found.append((row.name, row, below[row.name]))
            continue
        key = row.kind if by_kind else ALONE
        if key not in alone:
            found.append((key, None, alone.setdefault(key, [])))
        alone[key].append(row)
    return found


def _worst(group: Gathered) -> int:
    """Of those that are not alarming none goes in front of another."""
    _, head, members = group
    states = [row.state for row in members] + ([head.state] if head else [])
    return min((_PLACE[state] for state in states if state in ALARMING), default=len(ALARMING))


def _word(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "")[:100].replace("\x00", "").strip()
