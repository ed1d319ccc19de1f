"""Keeps the rows of a tree's destinations in step with its receivers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring.alerts.models import ChannelKind, Destination

Entry = Mapping[str, Any]
_Lane = tuple[str, str]
_FRESH = {"failures": 0, "open_until": None, "last_error": "", "last_error_at": None}


def bring_to(tree_id: int, receivers: Iterable[Entry], now: datetime) -> None:
    """One live row per entry of the receivers; rows of entries that are gone are marked removed, never deleted.

    Within a receiver and kind an entry keeps the row that says the same, wherever it stands now: a destination that
    was told "firing" is the one that is told "resolved". What is left over on both sides counts as edited.
    """
    stored: dict[_Lane, list[Destination]] = defaultdict(list)
    for row in Destination.objects.filter(tree_id=tree_id).order_by("receiver", "kind", "place"):
        stored[row.receiver, row.kind].append(row)
    wanted = dict(_lanes(receivers))
    for lane in stored.keys() | wanted.keys():
        _bring_lane(tree_id, lane, stored.get(lane, []), wanted.get(lane, ()), now)


def _lanes(receivers: Iterable[Entry]) -> Iterator[tuple[_Lane, Sequence[Entry]]]:
    for receiver in receivers:
        for kind in ChannelKind.values:
            if receiver.get(kind):
                yield (receiver["name"], kind), receiver[kind]


def _bring_lane(tree_id: int, lane: _Lane, rows: list[Destination], entries: Sequence[Entry], now: datetime) -> None:
    live = [row for row in rows if row.removed_at is None]
    gone = [row for row in rows if row.removed_at is not None]
    edited = [entry for entry in entries if not (_took_same(entry, live) or _took_same(entry, gone))]
    fresh = [entry for entry in edited if not _took_edited(entry, live)]
    first = max((row.place for row in rows), default=-1) + 1
    Destination.objects.bulk_create(
        Destination(
            tree_id=tree_id,
            receiver=lane[0],
            kind=lane[1],
            place=place,
            config=dict(entry),
            send_resolved=_sends_resolved(entry),
        )
        for place, entry in enumerate(fresh, first)
    )
    Destination.objects.filter(pk__in=[row.pk for row in live]).update(removed_at=now)


def _took_same(entry: Entry, rows: list[Destination]) -> bool:
    """Take the row that says the same out of `rows`, and see that it lives."""
    same = next((row for row in rows if row.config == entry), None)
    if same is None:
        return False
    rows.remove(same)
    if same.removed_at is not None:
        Destination.objects.filter(pk=same.pk).update(removed_at=None, **_FRESH)
    return True


def _took_edited(entry: Entry, rows: list[Destination]) -> bool:
    """Take the first row left and let it say what the entry says; its lane begins anew."""
    if not rows:
        return False
    row = rows.pop(0)
    Destination.objects.filter(pk=row.pk).update(config=dict(entry), send_resolved=_sends_resolved(entry), **_FRESH)
    return True


def _sends_resolved(entry: Entry) -> bool:
    return bool(entry.get("send_resolved", True))
