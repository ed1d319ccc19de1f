"""Windows of events that are over: computed once, again for late ones, and honest about what is too little."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from drift import tasks
from drift.models import DataWindow, Generation, Model, Report, Score, WindowState
from drift.native import closing, computing
from tests.alerts import world as alerts
from tests.drift import event_rows, row_files, world
from tests.drift.event_rows import counted, event, made, send, watched

pytestmark = pytest.mark.django_db


def test_a_window_is_computed_once_it_is_over_and_late_events_have_had_their_time() -> None:
    alerts.set_clock(world.START)
    model = watched(data={"lateness": "20m"})
    counted(model, made(hours=1))
    end = world.START + timedelta(hours=1)
    assert closing.close_due(end + timedelta(minutes=19)) == 0
    assert closing.close_due(end + timedelta(minutes=20)) == 1
    assert closing.close_due(end + timedelta(minutes=20)) == 0
    (row,) = event_rows.windows(model)
    report = row.report
    assert report is not None
    assert (row.state, row.rows, row.is_complete) == (WindowState.COMPUTED, 300, True)
    assert (report.generation, report.window_from, report.window_to) == (Generation.NATIVE, world.START, end)
    assert {one.column for one in Score.objects.filter(report=report, kind="drift")} == {"age", "plan"}
    assert tasks.close_windows() == "0 windows of events computed."


def test_late_events_let_a_computed_window_wait_again_once_in_an_hour() -> None:
    alerts.set_clock(world.START)
    model = watched(data={"lateness": "1m"})
    counted(model, made(hours=1))
    first_time = alerts.set_clock(world.START + timedelta(minutes=61))
    assert closing.close_due(first_time) == 1
    before = event_rows.windows(model)[0].report
    counted(model, made(9, 40, hours=1))
    (row,) = event_rows.windows(model)
    assert (row.state, row.rows, row.report) == (WindowState.WAITING, 340, before)
    assert closing.close_due(alerts.set_clock(first_time + timedelta(minutes=59))) == 0
    assert closing.close_due(alerts.set_clock(first_time + timedelta(minutes=60))) == 1
    (row,) = event_rows.windows(model)
    assert (row.state, Report.objects.filter(model=model).count()) == (WindowState.COMPUTED, 2)
    assert row.report != before


def test_events_that_nobody_counted_yet_are_counted_before_their_window_closes() -> None:
    alerts.set_clock(world.START)
    model = watched()
    counted(model, made(hours=1))
    send(model, made(2, hours=1))
    assert closing.close_due(alerts.set_clock(world.START + timedelta(hours=2))) == 1
    assert [row.rows for row in event_rows.windows(model)] == [600]


def hourly(model: Model, sizes: Sequence[int]) -> list[bool]:
    """Whether each hour was found complete."""
    for hour, size in enumerate(sizes):
        start = world.START + timedelta(hours=hour)
        sent = [
            one | {"at": (start + timedelta(seconds=place)).isoformat()} for place, one in enumerate(made(size=size))
        ]
        counted(model, sent, key=f"hour {hour}")
        closing.close_due(alerts.set_clock(start + timedelta(hours=2)))
    return [row.is_complete for row in event_rows.windows(model)]


def test_a_window_with_less_than_half_of_the_usual_rows_says_neither_drift_nor_none() -> None:
    alerts.set_clock(world.START)
    model = watched()
    assert hourly(model, [300, 310, 290, 148, 147, 300]) == [True, True, True, False, False, True]
    partial = event_rows.windows(model)[4].report
    assert partial is not None
    assert not Score.objects.filter(report=partial, kind="drift", is_drifted__isnull=False).exists()
    assert "not complete" in partial.note


def test_two_windows_do_not_tell_what_is_usual() -> None:
    alerts.set_clock(world.START)
    assert hourly(watched(), [300, 300, 100]) == [True, True, True]


@pytest.mark.parametrize(("minutes", "is_complete"), [(6, True), (7, False)])
def test_the_first_window_of_a_stream_that_began_late_is_not_complete(minutes: int, is_complete: bool) -> None:
    alerts.set_clock(world.START + timedelta(minutes=minutes))
    assert hourly(watched(), [300, 300]) == [is_complete, True]


def test_one_odd_window_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts.set_clock(world.START)
    model, other = watched(), watched("other")
    for one in (model, other):
        counted(one, made())
    compute = computing.compute

    def odd(row: DataWindow, *given: Any) -> Report:
        if row.model_id == model.pk and row.window_from == world.START:
            raise ValueError("odd")
        return compute(row, *given)

    now = alerts.set_clock(world.START + timedelta(hours=4))
    with monkeypatch.context() as patch:
        patch.setattr(computing, "compute", odd)
        assert closing.close_due(now) == 3
    assert [row.state for row in event_rows.windows(model)] == ["waiting", "computed"]
    assert closing.close_due(now) == 1


def test_a_model_that_was_removed_is_left_alone() -> None:
    model = watched()
    counted(model, made(hours=1))
    Model.objects.update(removed_at=world.START)
    assert closing.close_due(world.START + timedelta(hours=3)) == 0


def test_an_hour_is_compared_with_its_own_part_of_the_reference() -> None:
    alerts.set_clock(world.START)
    chance = np.random.default_rng(7)
    model = world.model(window_grain="hour", data={"time": "at", "season": "hour", "zone": "Asia/Kolkata"})
    held: dict[str, list[Any]] = {"at": [], "load": []}
    for hour, level in enumerate((0.0, 50.0)):  # from 5:30 on the clock of the zone
        held["at"] += [world.START - timedelta(days=1) + timedelta(hours=hour)] * 300
        held["load"] += chance.normal(level, 1, size=300).tolist()
    row_files.reference(model, held)
    for hour, level in enumerate((0.0, 50.0)):
        loads = chance.normal(level, 1, size=200).tolist()
        counted(model, [event(hour * 60 + place / 10, features={"load": load}) for place, load in enumerate(loads)])
    assert closing.close_due(alerts.set_clock(world.START + timedelta(hours=4))) == 2
    assert [one.is_drifted for one in Score.objects.filter(report__model=model, kind="drift")] == [False, False]
