"""Looks at all components as they are now, and writes down which of them have changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection, transaction

from monitoring.availability import loading
from monitoring.availability.models import Probe, Series, Transition
from monitoring.availability.states import State
from monitoring.availability.tiles import Last, Look, Tile, tiles
from monitoring.availability.tree import Tree

KEY = "availability.judge"
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext(%s))"
_LAST = """
SELECT c.id, t.to_state FROM availability_component c CROSS JOIN LATERAL (
    SELECT to_state FROM availability_transition WHERE component_id = c.id ORDER BY at DESC, id DESC LIMIT 1
) t WHERE c.removed_at IS NULL
"""


def looks(component_ids: Collection[int] | None = None) -> dict[int, list[Look]]:
    """What every probe sees now, by component; of some components alone where they are named."""
    seen, probes = Series.objects.filter(ended_at=None), Probe.objects.filter(removed_at=None)
    if component_ids is not None:
        seen, probes = seen.filter(probe__component__in=component_ids), probes.filter(component__in=component_ids)
    series: dict[int, list[Last]] = defaultdict(list)
    columns = ("probe_id", "labels", "state", "detail", "last_at", "interval_s")
    for probe_id, labels, state, *rest in seen.order_by("id").values_list(*columns):
        series[probe_id].append(Last(probe_id, labels, State(state), *rest))
    found: dict[int, list[Look]] = defaultdict(list)
    probes = probes.order_by("component_id", "name")
    for pk, component_id, name, failure in probes.values_list("id", "component_id", "name", "failure"):
        found[component_id].append(Look(pk, name, failure, tuple(series[pk])))
    return found


def now_of_all(now: datetime) -> tuple[Tree, dict[int, Tile]]:
    """The tree with each component's tile."""
    tree = loading.tree()
    return tree, tiles(tree, looks(), now)


def now_of(component_ids: Collection[int], now: datetime) -> tuple[Tree, dict[int, Tile]]:
    """The tree around these components, with the tiles of them and of all below them."""
    tree = loading.tree_around(component_ids)
    wanted = tree.with_descendants(component_ids)
    return tree, tiles(tree, looks(wanted), now, wanted)


def judge(now: datetime) -> dict[int, Tile]:
    """The tiles of now; changes are written by one judge at a time."""
    _, found = now_of_all(now)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [KEY])
            if not (cursor.fetchone() or (False,))[0]:
                return found
        _write(found, _last(), now)
    return found


def _write(found: Mapping[int, Tile], last: Mapping[int, State], now: datetime) -> None:
    Transition.objects.bulk_create(
        Transition(component_id=pk, at=now, from_state=before, to_state=tile.state, why=tile.why)
        for pk, tile in found.items()
        if (before := last.get(pk, State.UNKNOWN)) is not tile.state
    )


def _last() -> dict[int, State]:
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        return {pk: State(state) for pk, state in cursor.fetchall()}
