"""Seeded streams of windows with or without drift, and what opens on them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from drift.findings.grouping import by_root
from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.findings.tracking import Change, Track, step
from drift.measures.columns import numbers
from drift.measures.robust.counts import count
from drift.measures.robust.profile import Profile, WindowCounts, profile_column

Matrix = NDArray[np.float64]
COLUMNS, REFERENCE, WINDOW = 20, 1000, 500
FIRST = datetime(2026, 10, 1, tzinfo=UTC)


def normal(seed: int, windows: int, change: Callable[[int, Matrix], None] | None = None) -> Iterator[Matrix]:
    """The reference, then windows of rows by columns; `change` alters a window by its number, in place."""
    chance = np.random.default_rng(seed)
    yield chance.normal(size=(REFERENCE, COLUMNS))
    for number in range(windows):
        window = chance.normal(size=(WINDOW, COLUMNS))
        if change is not None:
            change(number, window)
        yield window


def changes(stream: Iterator[Matrix], rules: Rules | None = None) -> list[tuple[int, str, Change]]:
    """What opened, worsened and closed: number of the window, root and change."""
    chosen = rules or Rules()
    reference = next(stream)
    profile = Profile(
        tuple(profile_column(numbers(name, values)) for name, values in _named(reference)), len(reference)
    )
    tracks: dict[str, Track] = {}
    found = []
    for number, window in enumerate(stream):
        counts = {
            column.name: count(column.buckets, numbers(name, values))
            for column, (name, values) in zip(profile.columns, _named(window), strict=True)
        }
        judged = judge_window(profile, WindowCounts(len(window), counts), chosen)
        for reading in by_root(judged.readings, profile.groups):
            moved = step(
                tracks.get(reading.root, Track(reading.root)), reading, chosen, window=FIRST + timedelta(hours=number)
            )
            tracks[reading.root] = moved.track
            if moved.change is not None:
                found.append((number, reading.root, moved.change))
    return found


def _named(matrix: Matrix) -> list[tuple[str, Matrix]]:
    return [(f"c{place:02d}", matrix[:, place]) for place in range(matrix.shape[1])]
