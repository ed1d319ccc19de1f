"""How far long work has come, for pages that watch it."""

import uuid
from dataclasses import dataclass

from fleetledger.fleet.models import Job, JobState


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A job as a page shows it. `percent` is None while nobody knows how much there is."""

    label: str
    message: str
    error: str
    percent: float | None
    is_over: bool


def progress_of(job_id: uuid.UUID | None) -> JobProgress | None:
    """The job's progress, or None where there is no such job."""
    job = Job.objects.filter(pk=job_id).first() if job_id else None
    if job is None:
        return None
    return JobProgress(
        label=JobState(job.state).label,
        message=job.message,
        error=job.error,
        percent=min(100.0, 100 * job.done / job.total) if job.total else None,
        is_over=job.state in {JobState.DONE, JobState.FAILED},
    )
