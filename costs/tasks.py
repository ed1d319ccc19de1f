"""The ledger's work for Celery: imports of stored bills and the hourly allocation of open periods."""

from typing import Any

import psycopg
import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from costs import allocate, importing
from costs.errors import CostsError, ImportBusyError

log = structlog.get_logger(__name__)

AGAIN: dict[str, Any] = {  # each is one transaction: nothing counts twice
    "autoretry_for": (
        ImportBusyError,
        OperationalError,
        InterfaceError,
        psycopg.OperationalError,  # COPY speaks past Django, and so do its errors
        psycopg.InterfaceError,
    ),
    "max_retries": 500,  # about four hours without a database
    "retry_backoff": 2,
    "retry_backoff_max": 60,
}


@shared_task(name="costs.tasks.import_delivery", **AGAIN)
def import_delivery(delivery_id: int) -> str:
    """Import a stored delivery; run again after a worker's death it counts nothing twice."""
    log.info("bill import starts", delivery_id=delivery_id)
    return importing.run(delivery_id)


@shared_task(name="costs.tasks.import_waiting")
def import_waiting() -> str:
    """Ask again for deliveries that no worker took: the broker is never the only place where work is written."""
    found = importing.waiting(timezone.now())
    for delivery_id in found:
        import_delivery.delay(delivery_id)
    return f"Asked again for {len(found)} deliveries."


@shared_task(name="costs.tasks.allocate_open_periods", **AGAIN)
def allocate_open_periods() -> str:
    """Allocate every period that is not closed; a period that is refused leaves the others alone."""
    done: list[str] = []
    for month in allocate.open_periods():
        log.info("allocation starts", period=str(month))
        try:
            sets = allocate.allocate(month)
            done.append(f"{month} {sum(not each.is_unchanged for each in sets)} of {len(sets)}")
        except CostsError as error:
            log.warning("allocation refused", period=str(month), reason=str(error))
            done.append(f"{month} refused")
    return f"Allocated {', '.join(done)}." if done else "No period is open."
