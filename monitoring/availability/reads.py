"""What pages and programs see of components: each as it is now, and its days. One list, made of few questions."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Q

from fleetledger.fleet.access import TeamScope
from monitoring.availability import judging, sql
from monitoring.availability.figures import Availability, Seconds, Tally
from monitoring.availability.models import Component, ComponentKind
from monitoring.availability.states import State
from monitoring.availability.tiles import SHORTEST_S, STALE_AFTER, Tile
from monitoring.availability.tree import Tree

DAYS = 30
ORDER = (State.DOWN, State.DEGRADED, State.UNKNOWN, State.MAINTENANCE, State.UP, State.IDLE)
"""From what somebody should look at first."""
_DAYS = """
SELECT component_id, sum(up_s), sum(degraded_s), sum(down_s), sum(maintenance_s), sum(idle_s), sum(unknown_s)
FROM availability_componentday WHERE day >= %(first)s AND day <= %(last)s
    AND (%(components)s::bigint[] IS NULL OR component_id = ANY(%(components)s)) GROUP BY component_id
"""
_SINCE = """
SELECT c.id, t.at FROM availability_component c CROSS JOIN LATERAL (
    SELECT at FROM availability_transition WHERE component_id = c.id ORDER BY at DESC, id DESC LIMIT 1
) t WHERE c.removed_at IS NULL AND (%(components)s::bigint[] IS NULL OR c.id = ANY(%(components)s))
"""
_DOWN = """
WITH RECURSIVE suspected AS (
    SELECT p.component_id AS id FROM availability_series s JOIN availability_probe p ON p.id = s.probe_id
    WHERE s.ended_at IS NULL AND s.state = 'down'
        AND s.last_at + make_interval(secs => %(stale)s * greatest(s.interval_s, %(shortest)s)) >= app_now()
    UNION SELECT (SELECT parent_id FROM availability_component WHERE id = suspected.id) FROM suspected
)
SELECT count(*) FROM suspected CROSS JOIN LATERAL (
    SELECT id, team_id FROM availability_component WHERE id = suspected.id AND removed_at IS NULL LIMIT 1
) c CROSS JOIN LATERAL (
    SELECT to_state FROM availability_transition WHERE component_id = c.id ORDER BY at DESC, id DESC LIMIT 1
) t WHERE t.to_state = 'down' AND (%(fleet)s OR c.team_id = ANY(%(teams)s))
"""
"""Every page asks: so only what a fresh sample calls down, and what stands above that, is looked up, row by row."""
_COLUMNS = ("id", "name", "title", "kind", "team", "zone", "needs", "runbook_url", "is_public")
_VALUES = """
SELECT c.id, c.name, c.title, c.kind, t.slug, c.zone, c.needs, c.runbook_url, c.is_public
FROM availability_component c LEFT JOIN fleet_team t ON t.id = c.team_id
WHERE c.removed_at IS NULL AND (%(fleet)s OR c.team_id = ANY(%(teams)s))
    AND (%(components)s::bigint[] IS NULL OR c.id = ANY(%(components)s)) ORDER BY c.position, c.name
"""
Picture = tuple[Tree, Mapping[int, Tile]]
"""All components, and how those are that somebody looks at."""


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A component as it is now. `why`: a sentence, empty where it is up. `tally`: its last days.

    `healthy` of `members` are up: what is below it, or what its own probes see.
    """

    id: int
    name: str
    title: str
    kind: str
    team: str | None
    parent: str | None
    zone: str
    needs: int | None
    state: State
    why: str
    since: datetime | None
    seen_at: datetime | None
    healthy: int
    members: int
    tally: Tally
    runbook_url: str
    is_own: bool
    is_public: bool

    @property
    def availability(self) -> Availability:
        return self.tally.availability


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which components a list is of."""

    state: str = ""
    kind: str = ""
    team: str = ""
    parent: str = ""
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture: the worst state of what has no parent, counts, and everything in the order of the file."""

    at: datetime
    state: State
    sentence: str
    counts: Mapping[State, int]
    components: tuple[ComponentRow, ...]
    own: tuple[ComponentRow, ...]


def components(wanted: Wanted, *, teams: TeamScope, at: datetime) -> tuple[ComponentRow, ...]:
    """In the order of the configuration."""
    picture, known = judging.now_of_all(at), (days_of_all(at, wanted.days), since_of_all())
    values = _values(teams)
    rows = _rows(values, picture, known, {row["id"] for row in values})
    return tuple(row for row in rows if _fits(row, wanted))


def some(
    component_ids: Collection[int], picture: Picture, *, teams: TeamScope, at: datetime
) -> dict[int, ComponentRow]:
    """Those of these that the reader may see, by id; `picture` has them with all below them."""
    above = {node.parent_id for pk in component_ids if (node := picture[0].nodes.get(pk)) and node.parent_id}
    asked = above | set(component_ids)
    shown = asked if teams.fleet else set(visible(teams).filter(id__in=asked).values_list("id", flat=True))
    known = days_of_all(at, DAYS, component_ids), since_of_all(component_ids)
    return {row.id: row for row in _rows(_values(teams, component_ids), picture, known, shown)}


def status(*, teams: TeamScope, at: datetime, days: int = DAYS) -> Status:
    rows = components(Wanted(days=days), teams=teams, at=at)
    names = {row.name for row in rows}
    tops = [row for row in rows if row.parent not in names]
    state = next((state for state in ORDER if any(row.state is state for row in tops)), State.UNKNOWN)
    return Status(
        at=at,
        state=state,
        sentence=_sentence(tops),
        counts=Counter(row.state for row in rows),
        components=tuple(row for row in rows if not row.is_own),
        own=tuple(row for row in rows if row.is_own),
    )


def count_of_down(*, teams: TeamScope) -> int:
    """The number alone, for the navigation: judged down, and something that was seen lately still says so."""
    terms = {"stale": STALE_AFTER, "shortest": SHORTEST_S} | seen_by(teams)
    return int(sql.rows(_DOWN, terms)[0][0])


def seen_by(teams: TeamScope) -> dict[str, Any]:
    """What the statements of this room are told of who asks."""
    return {"fleet": teams.fleet, "teams": list(teams.team_ids)}


def visible(teams: TeamScope) -> Any:
    """The components that somebody may see: their teams'; what has no team is for those who see the whole fleet."""
    rows = Component.objects.filter(removed_at=None)
    return rows if teams.fleet else rows.filter(Q(team_id__in=teams.team_ids))


def days_of_all(at: datetime, days: int, component_ids: Collection[int] | None = None) -> dict[int, Tally]:
    """Each component's last days together, today included as far as it was counted."""
    today = at.astimezone(UTC).date()
    return tallies_between(today - timedelta(days=days - 1), today, component_ids)


def tallies_between(first: date, last: date, component_ids: Collection[int] | None = None) -> dict[int, Tally]:
    """Each component's days from `first` to `last`, both included; of some components alone where they are named."""
    values = {"first": first, "last": last, "components": _listed(component_ids)}
    return {pk: Tally(*map(exact, seconds)) for pk, *seconds in sql.rows(_DAYS, values)}


def exact(seconds: Decimal) -> Seconds:
    whole = int(seconds)
    return whole if whole == seconds else Fraction(seconds)


def healthy_of(component_id: int, tree: Tree, tiles: Mapping[int, Tile]) -> tuple[int, int]:
    """How many of what is below it are up, of how many."""
    states = [tiles[child].state for child in tree.children.get(component_id, ())]
    return sum(state is State.UP for state in states), len(states)


def _values(teams: TeamScope, component_ids: Collection[int] | None = None) -> Sequence[Mapping[str, Any]]:
    terms = {"components": _listed(component_ids)} | seen_by(teams)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in sql.rows(_VALUES, terms)]


def _rows(
    values: Sequence[Mapping[str, Any]],
    picture: Picture,
    known: tuple[Mapping[int, Tally], Mapping[int, datetime]],
    shown: Collection[int],
) -> list[ComponentRow]:
    tree, tiles = picture
    return [_row(row, tree, tiles, known, shown) for row in values if row["id"] in tree.nodes]


def _row(
    values: Mapping[str, Any],
    tree: Tree,
    tiles: Mapping[int, Tile],
    known: tuple[Mapping[int, Tally], Mapping[int, datetime]],
    shown: Collection[int],
) -> ComponentRow:
    pk = values["id"]
    tile, above = tiles[pk], tree.nodes.get(tree.nodes[pk].parent_id or 0)
    healthy, members = healthy_of(pk, tree, tiles)
    return ComponentRow(
        id=pk,
        name=values["name"],
        title=values["title"],
        kind=values["kind"],
        team=values["team"],
        parent=above.name if above is not None and above.id in shown else None,
        zone=values["zone"],
        needs=values["needs"],
        state=tile.state,
        why=tile.why,
        since=known[1].get(pk),
        seen_at=tile.seen_at,
        healthy=healthy,
        members=members,
        tally=known[0].get(pk, Tally()),
        runbook_url=values["runbook_url"],
        is_own=values["kind"] == ComponentKind.OWN,
        is_public=values["is_public"],
    )


def _fits(row: ComponentRow, wanted: Wanted) -> bool:
    return (
        wanted.state in ("", row.state.value)
        and wanted.kind in ("", row.kind)
        and wanted.parent in ("", row.parent)
        and (not wanted.team or wanted.team == (row.team or "platform"))
    )


def since_of_all(component_ids: Collection[int] | None = None) -> dict[int, datetime]:
    """Since when each component is in its state."""
    return dict(sql.rows(_SINCE, {"components": _listed(component_ids)}))


def _listed(component_ids: Collection[int] | None) -> list[int] | None:
    return None if component_ids is None else list(component_ids)


def _sentence(tops: Sequence[ComponentRow]) -> str:
    """What somebody should know first; the state comes before the names, which may be one thing or many."""
    by_state = {state: [row for row in tops if row.state is state] for state in ORDER}
    if not tops:
        return "There is nothing to look at yet. Add components to the configuration."
    said = [
        f"{state.label}: {_few(by_state[state])}."
        for state in (State.DOWN, State.DEGRADED, State.UNKNOWN)
        if by_state[state]
    ]
    return " ".join(said) or "Everything that is looked at is up."


def _few(rows: Sequence[ComponentRow], most: int = 3) -> str:
    names = ", ".join(row.title for row in rows[:most])
    return names if len(rows) <= most else f"{names} and {len(rows) - most} more"
