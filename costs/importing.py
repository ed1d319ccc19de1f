"""Brings files into the ledger now or by a worker, with a job that people can watch."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import transaction

from costs import ingest
from costs.errors import CostsError
from costs.models import Delivery, DeliveryMode, DeliveryState
from fleetledger.fleet import jobs
from fleetledger.fleet.models import User

JOB_KIND = "bill-import"
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A stored file whose rows a worker reads next. `is_known`: the same bytes were here before."""

    delivery_id: int
    job_id: uuid.UUID | None
    is_known: bool
    state: str


def receive_and_enqueue(
    source_name: str, name: str, stream: BinaryIO, *, mode: str = DeliveryMode.OVERWRITE, user: User | None = None
) -> Enqueued:
    """Store the bytes, then let a worker import them once the transaction is there to see. Raises CostsError."""
    from costs.tasks import import_delivery

    with transaction.atomic():
        received = ingest.receive(source_name, name, stream, mode=mode, user=user)
        delivery = Delivery.objects.select_related("job").get(pk=received.delivery_id)
        if received.is_known and delivery.state != "received":
            return Enqueued(delivery.pk, delivery.job_id, is_known=True, state=delivery.state)
        if delivery.job is None:
            delivery.job = jobs.enqueue(JOB_KIND, created_by=user, total=delivery.line_count)
            delivery.save(update_fields=["job"])
        transaction.on_commit(lambda: import_delivery.delay(delivery.pk))
    return Enqueued(delivery.pk, delivery.job_id, is_known=received.is_known, state=delivery.state)


def waiting(now: datetime) -> list[int]:
    """Deliveries that were stored a while ago and not read: the message to a worker was lost, the bytes were not."""
    stored = Delivery.objects.filter(state=DeliveryState.RECEIVED, received_at__lt=now - PATIENCE)
    return list(stored.order_by("pk").values_list("pk", flat=True))


def run(delivery_id: int) -> str:
    """A worker's import of a stored delivery; a second run of the same does nothing. Gives a sentence."""
    delivery = Delivery.objects.select_related("job").get(pk=delivery_id)
    if delivery.job is None:
        return sentence(ingest.import_delivery(delivery_id))
    progress = jobs.begin(delivery.job)
    try:
        done = ingest.import_delivery(delivery_id)
    except CostsError as error:
        jobs.fail(progress, str(error))
        raise
    if done.state == "refused":
        jobs.fail(progress, done.error)
        return sentence(done)
    progress.result(delivery=done.delivery_id, rows=done.row_count, quarantined=done.quarantined_count)
    jobs.finish(progress, sentence(done))
    return sentence(done)


def sentence(done: ingest.Imported) -> str:
    """What an import did, in words."""
    if done.state == "refused":
        return f"Refused: {done.error}"
    rows = "1 row" if done.row_count == 1 else f"{done.row_count} rows"
    aside = f", {done.quarantined_count} in quarantine" if done.quarantined_count else ""
    if done.is_known:
        return f"{done.file_name}: the same bytes are here already ({rows}{aside}); nothing changed."
    return f"{done.file_name}: {rows} imported{aside}."
