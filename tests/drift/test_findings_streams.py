"""Seeded streams: silence without drift, one finding for a shift that stays."""

from collections.abc import Callable

import numpy as np
import pytest

from drift.findings.tracking import Change
from tests.drift import streams

SHIFT_FROM = 10


def shifted(by: float, until: int = 10_000) -> Callable[[int, streams.Matrix], None]:
    def change(number: int, window: streams.Matrix) -> None:
        if SHIFT_FROM <= number < until:
            window[:, 7] += by

    return change


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_opens_in_200_windows_without_drift(seed: int) -> None:
    assert streams.changes(streams.normal(seed, 200)) == []


@pytest.mark.parametrize(("reference", "window"), [(1000, 500), (200, 150), (300, 3000)])
def test_nothing_opens_on_columns_that_fool_many_measures(reference: int, window: int) -> None:
    assert streams.changes(streams.odd(4, 40, reference=reference, window=window)) == []


@pytest.mark.parametrize("seed", range(10, 18))
def test_a_shift_in_one_column_that_stays_opens_exactly_one_finding_within_4_windows(seed: int) -> None:
    found = streams.changes(streams.normal(seed, 30, shifted(0.35)))
    (number, root, change), *others = [one for one in found if one[2] is not Change.WORSENED]
    assert (root, change, others) == ("c07", Change.OPENED, [])
    assert SHIFT_FROM <= number < SHIFT_FROM + 4


def test_a_shift_that_ends_closes_after_5_clean_windows() -> None:
    found = streams.changes(streams.normal(20, 30, shifted(1.0, until=16)))
    assert [one for one in found if one[2] is not Change.WORSENED] == [
        (12, "c07", Change.OPENED),
        (20, "c07", Change.CLOSED),
    ]


def test_a_single_odd_window_opens_nothing() -> None:
    assert streams.changes(streams.normal(21, 30, shifted(1.0, until=SHIFT_FROM + 1))) == []


def test_missing_values_open_at_once() -> None:
    def half_missing(number: int, window: streams.Matrix) -> None:
        if number == SHIFT_FROM:
            window[::2, 3] = np.nan

    found = streams.changes(streams.normal(23, 20, half_missing))
    assert found == [(10, "c03", Change.OPENED), (15, "c03", Change.CLOSED)]
