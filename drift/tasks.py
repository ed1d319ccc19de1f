"""Drift's work for Celery: scores of stored reports, and reports that lie in watched folders."""

import sys
from typing import Any

import psycopg
import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError

from drift import folders, importing, objects
from drift.mitigation import following
from monitoring.alerts import clock

log = structlog.get_logger(__name__)

AGAIN: dict[str, Any] = {  # each is one transaction: nothing counts twice
    "autoretry_for": (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError),
    "max_retries": 500,  # about four hours without a database
    "retry_backoff": 2,
    "retry_backoff_max": 60,
}


@shared_task(name="drift.tasks.import_file", **AGAIN)
def import_file(file_id: int) -> str:
    """Write a stored file's scores; run again after a worker's death it writes nothing twice."""
    log.info("drift import starts", file_id=file_id)
    return importing.run(file_id)


@shared_task(name="drift.tasks.import_waiting")
def import_waiting() -> str:
    """Ask again for files that no worker took: the broker is never the only place where work is written."""
    found = importing.waiting(clock.now())
    for file_id in found:
        import_file.delay(file_id)
    return f"Asked again for {len(found)} files."


@shared_task(name="drift.tasks.scan_folders")
def scan_folders() -> str:
    """Take in what lies in watched folders and stores."""
    done = folders.scan() + objects.scan()
    return f"Took {done.taken} files in, refused {done.refused}; {done.stuck} could not be read or moved."


@shared_task(name="drift.tasks.weigh_waiting")
def weigh_waiting() -> str:
    """Look for findings in reports that nobody weighed: they were dated since, or a worker died."""
    from drift.findings import store

    found = store.waiting_models()
    done = [model_id for model_id in found if store.try_evaluate(model_id)]
    return f"Weighed the reports of {len(done)} models."


@shared_task(name="drift.tasks.read_reference", **AGAIN)
def read_reference(reference_id: int) -> str:
    """Profile the rows of a stored reference."""
    from drift.native import reading

    return reading.read_reference(reference_id)


@shared_task(name="drift.tasks.read_window", **AGAIN)
def read_window(window_id: int) -> str:
    """Compare the rows of a stored window with its reference."""
    from drift.native import reading

    return reading.read_window(window_id)


@shared_task(name="drift.tasks.count_events", **AGAIN)
def count_events(model_id: int) -> str:
    """Count a model's stored events, and weigh the labels that came with them."""
    from drift.native import events, labels

    counted = events.count(model_id)
    return f"{counted} batches of events counted, {labels.weigh(model_id)} labels weighed."


@shared_task(name="drift.tasks.close_windows")
def close_windows() -> str:
    """Compute the windows of events that are over."""
    from drift.native import closing

    return f"{closing.close_due(clock.now())} windows of events computed."


@shared_task(name="drift.tasks.compute_waiting")
def compute_waiting() -> str:
    """Ask again for rows that no worker took."""
    from drift.native import waiting

    found = waiting.found(clock.now())
    for name, number in found:
        getattr(sys.modules[__name__], name).delay(number)
    return f"Asked again for {len(found)} pieces of work."


@shared_task(name="drift.tasks.prune")
def prune() -> str:
    """Forget old batches and predictions."""
    from drift.native import retention

    batches, predictions = retention.prune(clock.now())
    return f"Forgot {batches} batches and {predictions} predictions."


@shared_task(name="drift.tasks.check_missing")
def check_missing() -> str:
    """Open a finding where a report is overdue."""
    from drift.findings import missing

    return missing.check(clock.now())


@shared_task(name="drift.tasks.check_reviews")
def check_reviews() -> str:
    """Raise an alert where nobody has decided in time."""
    from drift.findings import overdue

    return overdue.check_reviews(clock.now())


@shared_task(name="drift.tasks.follow_mitigations")
def follow_mitigations() -> str:
    """See whether webhooks took what was approved."""
    return following.follow()
