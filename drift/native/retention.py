"""Forgets what streams no longer need: keys of counted batches, and predictions whose label never came or was weighed.

What was counted of them, and the reports that it gave, stay.
"""

from datetime import datetime, timedelta

from drift.models import EventBatch, Prediction

BATCHES = timedelta(days=90)  # so long a batch that is sent again is known
PREDICTIONS = timedelta(days=400)  # so long a label finds its prediction
MOST = 100_000  # rows in one turn


def prune(now: datetime) -> tuple[int, int]:
    """How many batches and predictions went."""
    batches = EventBatch.objects.filter(counted_at__lt=now - BATCHES).order_by("pk").values("pk")[:MOST]
    old = Prediction.objects.filter(at__lt=now - PREDICTIONS).order_by("at").values("pk")[:MOST]
    return (
        EventBatch.objects.filter(pk__in=batches).delete()[0],
        Prediction.objects.filter(pk__in=old).delete()[0],
    )
