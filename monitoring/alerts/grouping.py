"""Puts firing alerts into the groups that their tenant's tree has for them. A group is one message at a time."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction
from django.db.models import Q

from monitoring.alerts import clock, routing, trees
from monitoring.alerts.models import Alert, AlertState, GroupMember
from monitoring.alerts.routing import Route

_GROUPS = """
INSERT INTO alerts_group AS g
  (team_id, key, route, receiver, labels, group_interval_s, repeat_interval_s, tick_at, has_ticked)
SELECT %(team)s, k, r, c, l, i, p, t, false
FROM unnest(%(keys)s::text[], %(routes)s::text[], %(receivers)s::text[], %(labels)s::jsonb[],
            %(intervals)s::float8[], %(repeats)s::float8[], %(ticks)s::timestamptz[]) AS u(k, r, c, l, i, p, t)
ORDER BY k
ON CONFLICT (team_id, key) DO UPDATE SET
  receiver = excluded.receiver,
  group_interval_s = excluded.group_interval_s,
  repeat_interval_s = excluded.repeat_interval_s,
  tick_at = CASE WHEN g.has_ticked THEN g.tick_at ELSE least(g.tick_at, excluded.tick_at) END
RETURNING g.key, g.id
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A group that an alert belongs into, by its route."""

    route: Route
    labels: Mapping[str, str]

    @property
    def key(self) -> str:
        """SHA-256 of route and labels."""
        return hashlib.sha256(orjson.dumps([self.route.path, sorted(self.labels.items())])).hexdigest()


def wanted(root: Route, labels: Mapping[str, str]) -> Iterator[Wanted]:
    """The groups of an alert with these labels, one for each route that it takes."""
    for route in routing.matched(root, labels):
        yield Wanted(route, routing.group_labels(route, labels))


def join(alerts: Sequence[Alert], now: datetime) -> None:
    """Put firing alerts into their groups; a group that was empty is due after its group_wait.

    As in Alertmanager an alert that began longer ago than that makes a group due at once which has told nothing yet.
    """
    by_team: dict[int | None, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_team[alert.team_id].append(alert)
    for team_id, members in by_team.items():
        _join(team_id, members, now)


def regroup(team_ids: Iterable[int | None]) -> None:
    """Put all open alerts of these tenants into the groups of their present trees.

    A group of a route that is gone keeps its members until what it told as firing was told as resolved.
    """
    with transaction.atomic():
        now = clock.now()
        for team_id in team_ids:
            still = Alert.objects.filter(Q(team_id=team_id)).exclude(state=AlertState.RESOLVED)
            join(list(still.select_for_update(no_key=True).order_by("fingerprint")), now)
        clock.ring()


def _join(team_id: int | None, alerts: Sequence[Alert], now: datetime) -> None:
    root = trees.tree_for(team_id).route
    members = [(alert, group) for alert in alerts for group in wanted(root, alert.labels)]
    groups = {group.key: group for _, group in members}
    ticks: dict[str, datetime] = {}
    for alert, group in members:
        wait = timedelta(seconds=group.route.group_wait_s)
        due = now if alert.starts_at + wait < now else now + wait
        ticks[group.key] = min(due, ticks.get(group.key, due))
    ids = _upsert(team_id, groups, ticks)
    GroupMember.objects.bulk_create(
        (GroupMember(group_id=ids[group.key], alert=alert) for alert, group in members), ignore_conflicts=True
    )


def _upsert(team_id: int | None, groups: Mapping[str, Wanted], ticks: Mapping[str, datetime]) -> dict[str, int]:
    values = {
        "team": team_id,
        "keys": list(groups),
        "routes": [group.route.path for group in groups.values()],
        "receivers": [group.route.receiver for group in groups.values()],
        "labels": [orjson.dumps(group.labels).decode() for group in groups.values()],
        "intervals": [group.route.group_interval_s for group in groups.values()],
        "repeats": [group.route.repeat_interval_s for group in groups.values()],
        "ticks": [ticks[key] for key in groups],
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, values)
        return dict(cursor.fetchall())
