"""Escalations as ladders: their steps, whom each would page now, and which routes lead to them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.escalation.ladders import Rung, rungs
from monitoring.alerts.escalation.who import Directory, Now, directory_of
from monitoring.alerts.models import Escalation, Tree
from monitoring.alerts.oncall.found import seen
from monitoring.alerts.reads import visible
from monitoring.alerts.tenants import PLATFORM_SLUG

MOST = 500


@dataclass(frozen=True, slots=True)
class Step:
    """A step with whom it would page now; `now` None: it waits, or tells no person."""

    rung: Rung
    now: Now | None


@dataclass(frozen=True, slots=True)
class Use:
    """A route that leads to it: of which team's tree, for which alerts, for which severity ("default": all others)."""

    team: str
    matchers: str
    severity: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """An escalation. `repeat`: how often its steps begin again; `team` None: the platform's."""

    name: str
    team: str | None
    steps: tuple[Step, ...]
    repeat: int
    acknowledge_timeout_s: float | None
    uses: tuple[Use, ...]


def escalations(*, teams: TeamScope, at: datetime) -> tuple[Ladder, ...]:
    """By name, at most MOST; the platform's are everybody's to see."""
    rows = list(_rows(teams).order_by("name")[:MOST])
    known, uses = directory_of(rows, at), _uses(teams)
    return tuple(_ladder(row, known, uses) for row in rows)


def escalation(name: str, *, teams: TeamScope, at: datetime) -> Ladder:
    """Raises NotFoundError."""
    row = named(name, teams=teams)
    return _ladder(row, directory_of([row], at), _uses(teams))


def named(name: str, *, teams: TeamScope) -> Escalation:
    """The row itself; raises NotFoundError, as for what is another team's."""
    row: Escalation | None = _rows(teams).filter(name=name[:200].replace("\x00", "")).first()
    if row is None:
        raise NotFoundError(f"No escalation is called '{name[:64]}', or none that you may see.")
    return row


def _rows(teams: TeamScope) -> Any:
    return Escalation.objects.filter(seen(teams), removed_at=None).select_related("team")


def _ladder(row: Escalation, known: Directory, uses: Mapping[str, list[Use]]) -> Ladder:
    team = row.team.slug if row.team else None
    return Ladder(
        name=row.name,
        team=team,
        steps=tuple(Step(rung, known.of(rung, team)) for rung in rungs(row.steps)),
        repeat=row.repeat,
        acknowledge_timeout_s=row.acknowledge_timeout_s,
        uses=tuple(uses.get(row.name, ())),
    )


def _uses(teams: TeamScope) -> Mapping[str, list[Use]]:
    """Where the applied trees name escalations; routes below inherit it and are not listed."""
    found: dict[str, list[Use]] = defaultdict(list)
    rows = Tree.objects.filter(visible(teams)).exclude(route={}).order_by("team__slug")
    for slug, route in rows.values_list("team__slug", "route"):
        for severity, name, matchers in _named(route):
            found[name].append(Use(slug or PLATFORM_SLUG, matchers, severity))
    return found


def _named(route: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    named = route.get("escalation")
    by_severity = {"default": named} if isinstance(named, str) else named or {}
    for severity, name in by_severity.items():
        yield severity, name, _matchers(route.get("matchers") or ())
    for child in route.get("routes") or ():
        yield from _named(child)


def _matchers(stored: Any) -> str:
    """As they were written; everything where there are none."""
    return ", ".join(map(_matcher, stored)) if not isinstance(stored, str) else stored


def _matcher(one: Any) -> str:
    if not isinstance(one, Mapping):
        return str(one)
    return f'{one.get("name", "")}{one.get("op", "=")}"{one.get("value", "")}"'
