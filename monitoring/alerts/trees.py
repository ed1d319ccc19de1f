"""Each tenant's routing tree as it is stored: its own, else the platform's, else one that tells nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Q

from fleetledger.fleet.models import Team
from monitoring.alerts import clock, intervals
from monitoring.alerts.destinations import bring_to
from monitoring.alerts.intervals import NamedInterval, intervals_of
from monitoring.alerts.models import Destination, Tree
from monitoring.alerts.routing import InhibitRule, Route, inhibit_rules_of, route_of

Document = Mapping[str, Any]
DEFAULT_RECEIVER = "default"
NOBODY_APPLIED = 0
MAX_CACHED = 1000
# xmin, the transaction that wrote a row, tells its version from one of the same number that was rolled back.
_KEY = """
SELECT id, version, xmin::text FROM alerts_tree
WHERE (team_id = %s::bigint OR team_id IS NULL) AND route <> '{}'::jsonb ORDER BY team_id NULLS LAST LIMIT 1
"""
_ROW = """
SELECT id, version, xmin::text, team_id, route, receivers, inhibit_rules, time_intervals FROM alerts_tree WHERE id = %s
"""
_Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class TreeDocument:
    """A tree as the configuration file has it, secrets as references."""

    route: Document
    receivers: Sequence[Document] = ()
    inhibit_rules: Sequence[Document] = ()
    time_intervals: Sequence[Document] = ()


@dataclass(frozen=True, slots=True)
class TreeView:
    """`team_id`: whose tree it is. `is_own`: not the platform's in place of one. `version` 0: nobody applied it."""

    tree_id: int
    version: int
    team_id: int | None
    is_own: bool
    route: Route
    inhibit_rules: tuple[InhibitRule, ...]
    time_intervals: tuple[NamedInterval, ...]
    receivers: tuple[str, ...]
    document: TreeDocument


_cache: dict[_Key, TreeView] = {}


def tree_for(team_id: int | None) -> TreeView:
    """The tree that routes this tenant's alerts now, for one small query."""
    key = _key(team_id)
    if key is None:
        _make_default()
        key = _key(team_id)
    assert key is not None  # noqa: S101 it was made if it was missing
    view = _cache.get(key) or _loaded(key[0])
    return view if view.team_id == team_id else replace(view, is_own=False)


def own_document(team_id: int | None) -> TreeDocument | None:
    """What was applied for this tenant itself, if anything was."""
    row = Tree.objects.filter(Q(team_id=team_id)).exclude(route={}).exclude(version=NOBODY_APPLIED).first()
    return document_of(row) if row else None


def document_of(row: Tree) -> TreeDocument:
    return TreeDocument(row.route, row.receivers, row.inhibit_rules, row.time_intervals)


def store(
    team_id: int | None,
    route: Document,
    receivers: Sequence[Document],
    inhibit_rules: Sequence[Document],
    now: datetime,
    *,
    time_intervals: Sequence[Document] = (),
) -> bool:
    """Bring a tenant's tree with its destinations to these documents; whether that changed anything.

    An empty `route` gives a team back to the platform's tree. The caller regroups the alerts of `followers`.
    """
    with transaction.atomic():
        blank = Tree(team_id=team_id, route={}, version=NOBODY_APPLIED, applied_at=now)
        Tree.objects.bulk_create([blank], ignore_conflicts=True)
        row = Tree.objects.select_for_update().get(Q(team_id=team_id))
        wanted = {
            "route": dict(route),
            "receivers": list(receivers),
            "inhibit_rules": list(inhibit_rules),
            "time_intervals": list(time_intervals),
        }
        if row.version != NOBODY_APPLIED and all(getattr(row, name) == value for name, value in wanted.items()):
            return False
        Tree.objects.filter(pk=row.pk).update(**wanted, version=row.version + 1, applied_at=now)
        bring_to(row.pk, receivers, now)
    return True


def followers(team_id: int | None) -> tuple[int | None, ...]:
    """The tenants that a change of this tenant's tree concerns: with the platform's, every team without an own one."""
    if team_id is not None:
        return (team_id,)
    own = Tree.objects.filter(team__isnull=False).exclude(route={}).values("team_id")
    return (None, *Team.objects.exclude(pk__in=own).order_by("pk").values_list("pk", flat=True))


def destinations(tree_id: int, receiver: str) -> tuple[Destination, ...]:
    """The places that a receiver tells now."""
    rows = Destination.objects.filter(tree_id=tree_id, receiver=receiver, removed_at=None)
    return tuple(rows.order_by("kind", "place"))


def fallback_of(tree: TreeView, receiver: str) -> str | None:
    """Who is told where `receiver` cannot be: the one that it names, else the root's, unless that is itself."""
    entry = next((item for item in tree.document.receivers if item["name"] == receiver), {})
    named = entry.get("fallback") or tree.route.receiver
    return named if named != receiver else None


def muted_by(tree: TreeView, route: Route, at: datetime) -> str:
    """Why this route of the tree tells nobody at `at`, in words; empty where it tells."""
    return intervals.muted_by(tree.time_intervals, route.mute_time_intervals, route.active_time_intervals, at)


def _key(team_id: int | None) -> _Key | None:
    with connection.cursor() as cursor:
        cursor.execute(_KEY, [team_id])
        row = cursor.fetchone()
    return (row[0], row[1], row[2]) if row else None


def _loaded(tree_id: int) -> TreeView:
    """Read whole, and kept under the key that was read with it."""
    with connection.cursor() as cursor:
        cursor.execute(_ROW, [tree_id])
        row = cursor.fetchone()
    assert row is not None  # noqa: S101 a tree is never deleted but with its team
    tree_id, version, written_by, team_id, *parts = row
    document = TreeDocument(*map(orjson.loads, parts))
    view = TreeView(
        tree_id=tree_id,
        version=version,
        team_id=team_id,
        is_own=True,
        route=route_of(document.route),
        inhibit_rules=inhibit_rules_of(document.inhibit_rules),
        time_intervals=intervals_of(document.time_intervals),
        receivers=tuple(item["name"] for item in document.receivers),
        document=document,
    )
    if len(_cache) >= MAX_CACHED:
        _cache.clear()
    _cache[tree_id, version, written_by] = view
    return view


def _make_default() -> None:
    """A tree of the platform that groups alerts and tells nobody, until one is applied."""
    row = Tree(
        team=None,
        route={"receiver": DEFAULT_RECEIVER},
        receivers=[{"name": DEFAULT_RECEIVER}],
        version=NOBODY_APPLIED,
        applied_at=clock.now(),
    )
    Tree.objects.bulk_create([row], ignore_conflicts=True)
