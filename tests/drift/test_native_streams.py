"""Seeded streams of events from the batch to the finding: silence, a shift that stays, errors that rise."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from drift.models import Finding, Model, Report, Score
from drift.native import closing, events, labels
from tests.alerts import world as alerts
from tests.drift import event_rows, row_files, streams, world

pytestmark = pytest.mark.django_db
BATCHES = 5  # of a window
SHIFT_FROM = 10


def hourly(stream: Iterator[streams.Matrix]) -> Model:
    """A model with the stream's reference."""
    alerts.set_clock(world.START)
    model = world.model(window_grain="hour", data={"lateness": "10m"})
    row_files.reference(model, event_rows.columns(next(stream)))
    return model


def play(model: Model, stream: Iterator[streams.Matrix]) -> list[set[str]]:
    """Send window by window in some batches, and close each once it is over: what is open after it."""
    opened: list[set[str]] = []
    for number, values in enumerate(stream):
        start = world.START + number * event_rows.HOUR
        sent = event_rows.of_matrix(start, values)
        for place in range(BATCHES):
            event_rows.send(model, sent[place::BATCHES])
        events.count(model.pk)
        now = alerts.set_clock(start + timedelta(minutes=71))
        assert closing.close_due(now) == 1
        live = Finding.objects.filter(model=model, closed_at__isnull=True)
        opened.append(set(live.values_list("signal", flat=True)))
    return opened


def test_nothing_opens_without_drift() -> None:
    stream = streams.normal(31, 40)
    model = hourly(stream)
    assert play(model, stream) == [set()] * 40
    assert not Finding.objects.exists()
    assert Report.objects.filter(model=model).count() == 40
    assert not Score.objects.filter(report__model=model, is_drifted__isnull=True).exists(), "each window was judged"


def test_a_shift_that_stays_opens_exactly_one_finding_within_four_windows() -> None:
    def shifted(number: int, window: streams.Matrix) -> None:
        if number >= SHIFT_FROM:
            window[:, 7] += 0.35

    stream = streams.normal(32, 22, shifted)
    model = hourly(stream)
    opened = play(model, stream)
    first = opened.index({"column:c07"})
    assert SHIFT_FROM <= first < SHIFT_FROM + 4
    assert opened == [set()] * first + [{"column:c07"}] * (22 - first)
    assert Finding.objects.get().model == model


def test_errors_that_rise_on_inputs_that_do_not_move_are_one_finding_within_500_rows() -> None:
    """From 10 % to 40 % at row 2,000; labels come an hour after their predictions, out of the order of batches."""
    alerts.set_clock(world.START)
    chance = np.random.default_rng(33)
    model = world.model(window_grain="hour", data={"prediction": "said", "label": "was"})
    said = chance.integers(0, 2, size=1000)
    wrong = chance.random(1000) < 0.1
    held = {"x": chance.normal(size=1000), "said": said, "was": np.where(wrong, 1 - said, said)}
    row_files.reference(model, {name: values.tolist() for name, values in held.items()})
    seen: list[set[str]] = []
    for number in range(8):
        start = world.START + number * event_rows.HOUR
        made, known = predicted(chance, number, errors=0.4 if number >= 4 else 0.1)
        event_rows.counted(model, made)
        for part in (known[250:], known[:250]):
            event_rows.send(model, part)
        events.count(model.pk)
        assert labels.weigh(model.pk) == 500
        closing.close_due(alerts.set_clock(start + timedelta(minutes=125)))
        concept = Finding.objects.filter(model=model, signal="concept").values_list("signal", flat=True)
        seen.append(set(concept))
    assert seen == [set()] * 4 + [{"concept"}] * 4
    finding = Finding.objects.get(signal="concept")
    assert 2000 <= finding.evidence["row"] < 2500
    assert not Finding.objects.filter(signal__startswith="column:").exists()


def predicted(
    chance: np.random.Generator, hour: int, *, errors: float
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """500 predictions of an hour, and their labels an hour later."""
    said = chance.integers(0, 2, size=500).tolist()
    wrong = (chance.random(500) < errors).tolist()
    values = chance.normal(size=500).tolist()
    minutes = [hour * 60 + place * 0.12 for place in range(500)]
    made = [
        event_rows.event(at, id=f"{hour}-{place}", features={"x": values[place]}, prediction=said[place])
        for place, at in enumerate(minutes)
    ]
    known: list[dict[str, object]] = [
        {
            "id": f"{hour}-{place}",
            "label": 1 - said[place] if wrong[place] else said[place],
            "at": event_rows.instant(at + 60),
        }
        for place, at in enumerate(minutes)
    ]
    return made, known
