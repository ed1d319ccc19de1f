"""Looks at all components as they are now, and writes down which of them have changed."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from monitoring.availability import loading, sql
from monitoring.availability.models import Transition
from monitoring.availability.states import State
from monitoring.availability.tiles import Last, Look, Tile, tiles
from monitoring.availability.tree import Tree

KEY = "availability.judge"
_STATES = {state.value: state for state in State}
_PROBE = itemgetter(0, 1, 2, 3)
_LOOKS = """
SELECT p.component_id, p.id, p.name, p.failure, s.labels, s.state, s.detail, s.last_at, s.interval_s
FROM availability_probe p LEFT JOIN availability_series s ON s.probe_id = p.id AND s.ended_at IS NULL
WHERE p.removed_at IS NULL AND (%(components)s::bigint[] IS NULL OR p.component_id = ANY(%(components)s))
ORDER BY p.component_id, p.name, p.id, s.id
"""
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext(%s))"
_LAST = """
SELECT c.id, t.to_state FROM availability_component c CROSS JOIN LATERAL (
    SELECT to_state FROM availability_transition WHERE component_id = c.id ORDER BY at DESC, id DESC LIMIT 1
) t WHERE c.removed_at IS NULL
"""


def looks(component_ids: Collection[int] | None = None) -> dict[int, list[Look]]:
    """What every probe sees now, by component; of some components alone where they are named."""
    named = None if component_ids is None else list(component_ids)
    found: dict[int, list[Look]] = defaultdict(list)
    for (component_id, pk, name, failure), rows in groupby(sql.rows(_LOOKS, {"components": named}), _PROBE):
        found[component_id].append(Look(pk, name, failure, tuple(_last_words(rows))))
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


def _last_words(rows: Iterable[Sequence[Any]]) -> Iterator[Last]:
    """Of one probe's series, by rows of `_LOOKS`."""
    for _, probe_id, _, _, labels, state, *rest in rows:
        if state is not None:
            yield Last(probe_id, json.loads(labels), _STATES[state], *rest)


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
