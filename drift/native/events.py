"""Takes events in, batch by batch, and counts them: the web stores, workers count."""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from drift.errors import OtherEventsError
from drift.ingest import Sender, storable
from drift.models import EventBatch, Model
from drift.native import sent, work
from monitoring.alerts import clock

MAX_KEY = 200
COMPRESSION = 3  # of 9: a batch is kept for moments


@dataclass(frozen=True, slots=True)
class ReceivedEvents:
    """A batch that is stored. `is_known`: it was here before."""

    batch_id: int
    events: int
    is_known: bool


def receive(model: Model, events: Sequence[Mapping[str, Any]], *, key: str = "", sender: Sender) -> ReceivedEvents:
    """Store a batch for a worker, once per key however many send it at once; without a key its content is the key.

    Nothing of a batch with an error is stored. Raises EventsError, OtherEventsError.
    """
    sent.check_text("key", key, MAX_KEY)
    content = sent.packed(sent.checked(events), limit_bytes=int(settings.DRIFT_REPORT_MAX_BYTES))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        row, is_new = EventBatch.objects.defer("content").get_or_create(
            model=model,
            key=key or digest,
            defaults={
                "digest": digest,
                "events": len(events),
                "content": gzip.compress(content, COMPRESSION),
                "received_at": clock.now(),
                "received_from": storable(_name(sender)[:200]),
            },
        )
        if row.digest != digest:
            raise OtherEventsError(key)
        if row.counted_at is None:
            transaction.on_commit(lambda: work.ask("count_events", model.pk))
    return ReceivedEvents(row.pk, row.events, not is_new)


def count(model_id: int) -> int:
    """Count the batches that wait, the oldest first; how many. A second run of the same does nothing.

    Batches of a model without an active reference wait on.
    """
    from drift.native import counting  # numpy is for workers alone

    done = 0
    while counted := counting.count_portion(model_id):
        done += counted
    return done


def _name(sender: Sender) -> str:
    return sender.name or (sender.user.get_username() if sender.user else "")
