"""What streams no longer need goes, what was counted of it stays."""

from datetime import timedelta

import pytest

from drift.models import DataWindow, EventBatch, Prediction
from drift.native import retention
from monitoring.alerts import clock
from tests.drift import event_rows, row_files, world

pytestmark = pytest.mark.django_db


def test_old_batches_and_predictions_go_and_their_counts_stay() -> None:
    model = world.model()
    row_files.reference(model, {"a": list(range(300))})
    event_rows.counted(model, [event_rows.event(features={"a": 1}, id="x", prediction=1)], "first")
    now = clock.now()
    assert retention.prune(now) == (0, 0)
    assert retention.prune(now + timedelta(days=91)) == (1, 0)
    assert Prediction.objects.count() == 1
    assert retention.prune(now + timedelta(days=500)) == (0, 1)
    assert not EventBatch.objects.exists()
    assert DataWindow.objects.get(source="events").rows == 1


def test_a_batch_that_waits_is_never_forgotten() -> None:
    model = world.model()
    event_rows.send(model, [event_rows.event(features={"a": 1})], "waits")
    assert retention.prune(clock.now() + timedelta(days=1000)) == (0, 0)
