"""Stored work of which no worker knows any more: the broker was away, or a worker died."""

from datetime import datetime, timedelta

from drift.models import DataWindow, EventBatch, Prediction, Reference, ReferenceState, WindowSource, WindowState

PATIENCE = timedelta(minutes=5)
MOST = 1000


def found(now: datetime) -> list[tuple[str, int]]:
    """Tasks by name, with the number that they take."""
    old = now - PATIENCE
    references = Reference.objects.filter(state=ReferenceState.WAITING, received_at__lt=old)
    windows = DataWindow.objects.filter(state=WindowState.WAITING, source=WindowSource.FILE, received_at__lt=old)
    batches = EventBatch.objects.filter(counted_at__isnull=True, received_at__lt=old)
    labels = Prediction.objects.filter(is_weighed=False, label__isnull=False, value__isnull=False, labelled_at__lt=old)
    models = set(batches.values_list("model_id", flat=True).distinct()[:MOST])
    models |= set(labels.values_list("model_id", flat=True).distinct()[:MOST])
    return [
        *(("read_reference", pk) for pk in references.values_list("pk", flat=True)[:MOST]),
        *(("read_window", pk) for pk in windows.order_by("window_to").values_list("pk", flat=True)[:MOST]),
        *(("count_events", pk) for pk in sorted(models)),
    ]
