"""Open alerts that their route wants escalated, and that no escalation has taken up two minutes after the tick."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.alerts import routing, trees
from monitoring.alerts.escalation.stuck import LATE, Stuck
from monitoring.alerts.models import Group, RunEpisode, Tree
from monitoring.alerts.routing import Route
from monitoring.alerts.trees import TreeView

OWN_ALERT = "EscalationStuck"  # that it stands still itself must not keep it alive
MOST = 1000
# One that was acknowledged once is left out: given back, it is taken up at the next tick, and that is not kept.
_CANDIDATES = """
SELECT g.team_id, g.route, g.id, g.tick_at, g.group_interval_s, g.has_ticked, e.id, e.opened_at, a.name, a.severity
FROM unnest(%(teams)s::bigint[], %(routes)s::text[]) AS wanted (team_id, route)
JOIN alerts_group AS g ON g.route = wanted.route AND g.team_id IS NOT DISTINCT FROM wanted.team_id
JOIN alerts_groupmember AS m ON m.group_id = g.id
JOIN alerts_alert AS a ON a.id = m.alert_id
JOIN alerts_episode AS e ON e.alert_id = a.id
WHERE g.tick_at IS NOT NULL AND e.ended_at IS NULL AND e.first_acknowledged_at IS NULL AND NOT e.is_withheld
  AND e.opened_at <= %(before)s AND a.name <> %(own)s
  AND NOT EXISTS (SELECT FROM alerts_runepisode AS r WHERE r.episode_id = e.id AND r.group_id = g.id)
ORDER BY e.opened_at LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An open alert in a group whose route has an escalation, without a run of this group."""

    team_id: int | None
    route: str
    group_id: int
    tick_at: datetime
    group_interval_s: float
    has_ticked: bool
    episode_id: int
    opened_at: datetime
    name: str
    severity: str

    def last_tick(self, before: datetime) -> datetime | None:
        """The last tick by `before`; None where there was none yet."""
        if self.tick_at <= before:
            return self.tick_at
        missed = math.ceil((self.tick_at - before).total_seconds() / self.group_interval_s)
        return self.tick_at - timedelta(seconds=missed * self.group_interval_s) if self.has_ticked else None


@dataclass(frozen=True, slots=True)
class _Ways:
    """A tenant's tree with its routes that escalate, by their paths."""

    tree: TreeView
    routes: Mapping[str, Route]
    applied_at: datetime


def find(now: datetime) -> Iterator[Stuck]:
    """One statement for all tenants, after one small one for each that has open groups."""
    ways = {team_id: found for team_id, found in _ways() if found.routes}
    candidates = _candidates(ways, now - LATE)
    taken_up = _taken_up(candidates)
    for candidate in candidates:
        found = ways[candidate.team_id]
        name = found.routes[candidate.route].escalation_for(candidate.severity)
        tick_at = candidate.last_tick(now - LATE)
        if name and tick_at and name not in taken_up[candidate.episode_id]:
            was_there = max(candidate.opened_at, found.applied_at) <= tick_at
            if was_there and not _is_muted(found, candidate.route, (tick_at, now)):
                yield Stuck(name, f"Nobody took up the alert {candidate.name}.", tick_at)


def _ways() -> Iterator[tuple[int | None, _Ways]]:
    teams = Group.objects.filter(tick_at__isnull=False).order_by().values_list("team_id", flat=True).distinct()
    trees_of = {team_id: trees.tree_for(team_id) for team_id in teams}
    applied = dict(
        Tree.objects.filter(pk__in={tree.tree_id for tree in trees_of.values()}).values_list("pk", "applied_at")
    )
    for team_id, tree in trees_of.items():
        routes = {route.path: route for route in routing.every(tree.route) if route.escalation}
        yield team_id, _Ways(tree, routes, applied[tree.tree_id])


def _candidates(ways: Mapping[int | None, _Ways], before: datetime) -> list[_Candidate]:
    wanted = [(team_id, path) for team_id, found in ways.items() for path in found.routes]
    if not wanted:
        return []
    values: dict[str, Any] = {
        "teams": [team_id for team_id, _ in wanted],
        "routes": [path for _, path in wanted],
        "before": before,
        "own": OWN_ALERT,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, values)
        return [_Candidate(*row) for row in cursor.fetchall()]


def _taken_up(candidates: list[_Candidate]) -> Mapping[int, set[str]]:
    """By which escalations each episode was taken up through whatever group."""
    found: dict[int, set[str]] = defaultdict(set)
    if candidates:
        members = RunEpisode.objects.filter(episode__in=[candidate.episode_id for candidate in candidates])
        for episode_id, name in members.values_list("episode_id", "run__escalation__name"):
            found[episode_id].add(name)
    return found


def _is_muted(found: _Ways, path: str, instants: tuple[datetime, ...]) -> bool:
    return any(trees.muted_by(found.tree, found.routes[path], at) for at in instants)
