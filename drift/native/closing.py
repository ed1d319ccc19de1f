"""Computes windows of events that are over, and again those that late events or labels changed since."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

import numpy as np
import structlog
from django.db import transaction
from django.db.models import QuerySet

from drift.findings import store
from drift.findings.computed import of_estimate, of_performance
from drift.measures.errors import MeasureError
from drift.measures.labels.performance import MIN_LABELLED
from drift.measures.robust.profile import WindowCounts
from drift.models import DataWindow, EventBatch, Prediction, WindowSource, WindowState
from drift.native import computing, events, labelled
from drift.native.labelled import Baseline, Labelled
from drift.native.locking import lock
from drift.native.meanings import REGRESSION, Meanings
from drift.native.profiles import profile_for
from drift.sources.records import ReadScore
from monitoring.alerts import clock

MOST = 200  # windows in one turn
PAUSE = timedelta(hours=1)  # labels trickle in: a window is computed again once in so long
LAST, FEWEST = 5, 3  # windows that say how many rows are usual
FEW = 0.5  # of the usual rows
LATE = 0.1  # of a window's length
_ODD = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)  # the database's own are raised
log = structlog.get_logger(__name__)


def close_due(now: datetime) -> int:
    """Compute what is due, each model's windows in their order; how many. One model's trouble holds up no other."""
    by_model: dict[int, list[int]] = {}
    for row in _due(now):
        by_model.setdefault(row.model_id, []).append(row.pk)
    return sum(_close_model(model_id, windows) for model_id, windows in by_model.items())


def _due(now: datetime) -> list[DataWindow]:
    waiting = DataWindow.objects.filter(source=WindowSource.EVENTS, state=WindowState.WAITING, window_to__lte=now)
    rows = waiting.filter(model__removed_at__isnull=True)
    found = rows.select_related("model", "report").defer("counts", "report__note").order_by("window_to", "pk")
    return [row for row in found.iterator() if _is_due(row, now)][:MOST]


def _is_due(row: DataWindow, now: datetime) -> bool:
    last = row.report.received_at if row.report is not None else None
    is_pausing = last is not None and now - PAUSE < last <= now
    return row.window_to + Meanings.of(row.model).lateness <= now and not is_pausing


def _close_model(model_id: int, windows: Sequence[int]) -> int:
    """Batches that wait are counted first: they may lie in these windows. Findings follow window by window."""
    try:
        events.count(model_id)
    except _ODD:
        log.exception("drift.counting_failed", model_id=model_id)
        return 0
    done = 0
    for pk in windows:
        if _close(pk):
            done += 1
            store.try_evaluate(model_id)
    return done


def _close(pk: int) -> bool:
    try:
        return _compute(pk)
    except MeasureError as error:
        rows = DataWindow.objects.filter(pk=pk, state=WindowState.WAITING)
        rows.update(state=WindowState.UNREADABLE, trouble=str(error)[:1000], changed_at=clock.now())
    except _ODD:
        log.exception("drift.closing_failed", window_id=pk)
    return False


@transaction.atomic
def _compute(pk: int) -> bool:
    lock(DataWindow.objects.values_list("model_id", flat=True).get(pk=pk))
    row = DataWindow.objects.select_for_update(of=("self",)).select_related("model", "reference").get(pk=pk)
    if row.state != WindowState.WAITING or row.reference is None:
        return False
    profile = profile_for(row.model, row.reference, row.window_from)
    row.is_complete = _is_complete(row)
    row.save(update_fields=["is_complete"])
    extra = _measured(row, Baseline.from_json(row.reference.baseline))
    computing.compute(row, profile, WindowCounts.from_json(row.counts), extra)
    return True


def _is_complete(row: DataWindow) -> bool:
    """Whether there are as many rows as is usual, and the stream ran for the whole of it."""
    rows = DataWindow.objects.filter(model_id=row.model_id, source=WindowSource.EVENTS, window_to__lte=row.window_from)
    before = rows.filter(state=WindowState.COMPUTED).order_by("-window_to").values_list("rows", flat=True)[:LAST]
    if len(before) >= FEWEST and row.rows < FEW * median(before):
        return False
    return rows.exists() or not _began_late(row)


def _began_late(row: DataWindow) -> bool:
    """Of the first window of a stream: its program came when part of it was over."""
    batches = EventBatch.objects.filter(model_id=row.model_id).order_by("pk")
    first = batches.values_list("received_at", flat=True).first()
    return first is not None and first > row.window_from + LATE * (row.window_to - row.window_from)


def _measured(row: DataWindow, baseline: Baseline) -> tuple[ReadScore, ...]:
    """Performance by labels where there are enough, else estimated from scores."""
    meanings = Meanings.of(row.model)
    said = _labelled(row, meanings)
    if said is not None and len(said) >= MIN_LABELLED:
        return of_performance(baseline.metrics, labelled.metrics_of(meanings, said))
    if baseline.calibration is None:
        return ()
    scores = _predictions(row).filter(score__isnull=False).values_list("score", flat=True)[: labelled.MOST_ROWS]
    found = labelled.estimated(baseline, np.asarray(scores, dtype=np.float64))
    return of_estimate(baseline.metrics, found) if found is not None and np.isfinite(found.auc) else ()


def _labelled(row: DataWindow, meanings: Meanings) -> Labelled | None:
    known = _predictions(row).filter(value__isnull=False, label__isnull=False)
    rows = list(known.values_list("label", "value", "score")[: labelled.MOST_ROWS])
    scores = None
    if rows and meanings.task != REGRESSION and all(score is not None for _, _, score in rows):
        scores = np.asarray([score for _, _, score in rows], dtype=np.float64)
    return labelled.cleaned(meanings, [label for label, _, _ in rows], [said for _, said, _ in rows], scores)


def _predictions(row: DataWindow) -> QuerySet[Prediction]:
    rows = Prediction.objects.filter(model_id=row.model_id, at__gte=row.window_from, at__lt=row.window_to)
    return rows.order_by("at", "pk")
