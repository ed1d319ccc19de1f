"""Telemetry's Celery tasks: a log line, one call, a sentence as the result. Each may run twice."""

from datetime import date, timedelta
from typing import Any

import psycopg
import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from fleetledger.lib.buckets import DAY, Window, floor
from monitoring.telemetry import pulling, rebuild, upkeep

log = structlog.get_logger(__name__)
AGAIN: dict[str, Any] = {  # for what the timetable asks for anew within minutes
    "autoretry_for": (
        OperationalError,
        InterfaceError,
        psycopg.OperationalError,  # COPY speaks past Django, and so do its errors
        psycopg.InterfaceError,
    ),
    "max_retries": 20,
    "retry_backoff": 2,
    "retry_backoff_max": 60,
    "retry_jitter": True,
}
AGAIN_FOR_HOURS = AGAIN | {"max_retries": 500}  # for what comes once a day, or once: about four hours of tries


@shared_task(**AGAIN)
def pull_all() -> str:
    """Ask every source for what is new; one task per source, so that a slow one delays nobody."""
    names = pulling.enabled_sources()
    for name in names:
        pull_source.apply_async([name], expires=240)
    return f"Asked {len(names)} sources."


@shared_task(bind=True, **AGAIN)
def pull_source(task: Any, name: str) -> str:
    """Catch up with one source, from its watermark to what can be expected by now."""
    log.info("pull", source=name)
    return pulling.catch_up(name, timezone.now(), is_again=task.request.retries > 0)


@shared_task(**AGAIN)
def scrape_all() -> str:
    """One scrape of each source that keeps no history itself."""
    return pulling.scrape_all(timezone.now())


@shared_task(**AGAIN)
def reread_recent() -> str:
    """The last two hours again: late samples replace what was unknown."""
    return pulling.reread(timedelta(hours=2), timezone.now())


@shared_task(**AGAIN_FOR_HOURS)
def reread_yesterday() -> str:
    """The whole of yesterday again."""
    today = floor(timezone.now(), DAY)
    return pulling.reread_window(Window(today - DAY, today))


@shared_task(**AGAIN_FOR_HOURS)
def check_identity() -> str:
    """Check of the last two days that allocated + unallocated + unknown is the GPUs' existence."""
    return upkeep.check_identity(timezone.now())


@shared_task(**AGAIN_FOR_HOURS)
def drop_old_facts() -> str:
    """Drop five-minute facts that are rolled up and final."""
    return upkeep.drop_old_facts(timezone.now())


@shared_task(**AGAIN_FOR_HOURS)
def rebuild_owners(from_day: str | None) -> str:
    """Give facts to the teams that own them by the rules of now."""
    log.info("rebuild owners", from_day=from_day)
    return rebuild.rebuild_owners(date.fromisoformat(from_day) if from_day else None)


def on_ownership_changed(*, from_day: date | None, **_: Any) -> None:
    """The rules changed: facts follow."""
    rebuild.request(from_day, enqueue=rebuild_owners.delay)
