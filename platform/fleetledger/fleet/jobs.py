"""Long work that people watch: started, moved on, and ended once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from fleetledger.fleet.models import Job, JobState, Team, User

WRITE_EVERY_S = 1.0
MAX_ERROR = 2000
log = structlog.get_logger(__name__)


class Progress:
    """A running job as its worker sees it; writes at most once a second."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written_at = 0.0

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Tell how far the work is. Units are the job's own: rows, buckets, files."""
        self.job.done = done
        self.job.total = total if total is not None else self.job.total
        self.job.message = message or self.job.message
        now = time.monotonic()
        if now - self._written_at >= WRITE_EVERY_S or done == self.job.total:
            self._written_at = now
            self.job.save(update_fields=["done", "total", "message"])

    def result(self, **values: Any) -> None:
        """Keep what the work gave, for the page and the API."""
        self.job.result = {**self.job.result, **values}


def enqueue(kind: str, *, team: Team | None = None, created_by: User | None = None, total: int | None = None) -> Job:
    """A job that waits for a worker."""
    return Job.objects.create(kind=kind, team=team, created_by=created_by, total=total)


def start(kind: str, *, team: Team | None = None, created_by: User | None = None, total: int | None = None) -> Progress:
    """A job that runs now, in this process; end it by `finish` or `fail`, or use `running`."""
    return begin(enqueue(kind, team=team, created_by=created_by, total=total))


def begin(job: Job) -> Progress:
    """Move a job to running; a job that a dead worker left running begins again."""
    job.state, job.started_at, job.done, job.error = JobState.RUNNING, timezone.now(), 0, ""
    job.save(update_fields=["state", "started_at", "done", "error"])
    return Progress(job)


def finish(progress: Progress, message: str = "") -> None:
    _end(progress.job, JobState.DONE, message=message)


def fail(progress: Progress, error: str) -> None:
    _end(progress.job, JobState.FAILED, error=error)


@contextmanager
def running(job: Job | str, **words: Any) -> Iterator[Progress]:
    """Work on a job (or a new one of this kind): done when the block ends, failed with its error when it raises."""
    progress = begin(job) if isinstance(job, Job) else start(job, **words)
    try:
        yield progress
    except BaseException as error:
        fail(progress, str(error) or type(error).__name__)
        raise
    finish(progress)


def _end(job: Job, state: JobState, *, message: str = "", error: str = "") -> None:
    """Once: a job that ended stays as it ended."""
    if transaction.get_connection().needs_rollback:
        log.warning("a job's end could not be written inside a broken transaction", job=str(job.pk), state=state)
        return
    job.state, job.finished_at, job.error = state, timezone.now(), error[:MAX_ERROR]
    job.message = message or job.message
    Job.objects.filter(pk=job.pk, state__in=[JobState.QUEUED, JobState.RUNNING]).update(
        state=state,
        finished_at=job.finished_at,
        error=job.error,
        message=job.message,
        result=job.result,
        done=job.done,
        total=job.total,
    )
