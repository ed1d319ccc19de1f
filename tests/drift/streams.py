"""Seeded streams of windows with or without drift, and what opens on them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from drift.findings.grouping import by_root
from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.findings.tracking import Change, Track, step
from drift.measures.columns import Labels, Numbers, numbers
from drift.measures.robust.counts import count
from drift.measures.robust.profile import Profile, WindowCounts, profile_column
from tests.drift import odd_columns

Matrix = NDArray[np.float64]
Columns = list[Numbers | Labels]
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


def odd(seed: int, windows: int, *, reference: int = REFERENCE, window: int = WINDOW) -> Iterator[Columns]:
    """The same for columns that fool many measures."""
    chance = np.random.default_rng(seed)
    yield odd_columns.draw(chance, reference)
    for _ in range(windows):
        yield odd_columns.draw(chance, window)


def changes(stream: Iterator[Matrix] | Iterator[Columns], rules: Rules | None = None) -> list[tuple[int, str, Change]]:
    """What opened, worsened and closed: number of the window, root and change."""
    chosen = rules or Rules()
    windows = (_columns(one) for one in stream)
    reference = next(windows)
    profile = Profile(tuple(profile_column(column) for column in reference), reference[0].rows)
    tracks: dict[str, Track] = {}
    found = []
    for number, window in enumerate(windows):
        pairs = zip(profile.columns, window, strict=True)
        counts = {column.name: count(column.buckets, values) for column, values in pairs}
        judged = judge_window(profile, WindowCounts(window[0].rows, counts), chosen)
        for reading in by_root(judged.readings, profile.groups):
            track = tracks.get(reading.root, Track(reading.root))
            moved = step(track, reading, chosen, window=FIRST + timedelta(hours=number))
            tracks[reading.root] = moved.track
            if moved.change is not None:
                found.append((number, reading.root, moved.change))
    return found


def _columns(window: Matrix | Columns) -> Columns:
    if isinstance(window, list):
        return window
    return [numbers(f"c{place:02d}", window[:, place]) for place in range(window.shape[1])]
