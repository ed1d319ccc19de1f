"""Stretches of time with who is on call in them, and what of several such lies on top."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

GAP = "gap"
OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Stretch:
    """[from_at, until_at), with the user names of who is on call and what says so.

    `source` is "override", "layer NAME" or "gap"; `people` is empty in a gap alone.
    """

    from_at: datetime
    until_at: datetime
    people: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A stretch, and how high it lies: of two at the same time the one of higher rank counts."""

    rank: int
    stretch: Stretch


def topmost(pieces: Iterable[Ranked], from_at: datetime, until_at: datetime) -> tuple[Stretch, ...]:
    """What lies on top throughout [from_at, until_at): without overlap, without holes, as few as can be."""
    found = _clipped(pieces, from_at, until_at)
    edges = sorted({from_at, until_at, *(p.stretch.from_at for p in found), *(p.stretch.until_at for p in found)})
    return tuple(merged(_swept(found, edges)))


def merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours with the same people from the same source become one."""
    last: Stretch | None = None
    for one in stretches:
        if last is not None and (last.until_at, last.people, last.source) == (one.from_at, one.people, one.source):
            last = replace(last, until_at=one.until_at)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def clip(stretch: Stretch, from_at: datetime, until_at: datetime) -> Stretch | None:
    """The part of it within [from_at, until_at), if any."""
    begin, end = max(stretch.from_at, from_at), min(stretch.until_at, until_at)
    if begin >= end:
        return None
    return (
        stretch
        if (begin, end) == (stretch.from_at, stretch.until_at)
        else replace(stretch, from_at=begin, until_at=end)
    )


def _clipped(pieces: Iterable[Ranked], from_at: datetime, until_at: datetime) -> list[Ranked]:
    clipped = ((piece.rank, clip(piece.stretch, from_at, until_at)) for piece in pieces)
    found = [Ranked(rank, stretch) for rank, stretch in clipped if stretch is not None]
    return sorted(found, key=lambda piece: piece.stretch.from_at)


def _swept(pieces: Sequence[Ranked], edges: Sequence[datetime]) -> Iterator[Stretch]:
    """One stretch from each edge to the next: the highest of those that have begun and not ended."""
    open_ones: list[tuple[int, int]] = []
    begun = 0
    for begin, end in pairwise(edges):
        while begun < len(pieces) and pieces[begun].stretch.from_at <= begin:
            heapq.heappush(open_ones, (-pieces[begun].rank, begun))
            begun += 1
        while open_ones and pieces[open_ones[0][1]].stretch.until_at <= begin:
            heapq.heappop(open_ones)
        top = pieces[open_ones[0][1]].stretch if open_ones else Stretch(begin, end, (), GAP)
        yield replace(top, from_at=begin, until_at=end)
