"""Long work that people watch."""

from datetime import UTC, datetime

import pytest
import time_machine

from fleetledger.fleet import jobs
from fleetledger.fleet.models import Job, JobState

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@time_machine.travel(NOW, tick=False)
def test_work_that_ends_well_is_done() -> None:
    with jobs.running("import", total=2) as work:
        work.progress(1, message="half")
        assert Job.objects.get().done == 1
        work.progress(2, message="all of it")
        work.result(rows=2)
    job = Job.objects.get()
    assert (job.state, job.done, job.total, job.message, job.result) == (JobState.DONE, 2, 2, "all of it", {"rows": 2})
    assert (job.started_at, job.finished_at) == (NOW, NOW)


def test_work_that_breaks_is_failed_with_its_reason() -> None:
    with pytest.raises(ValueError, match="no such file"), jobs.running("import"):
        raise ValueError("no such file")
    job = Job.objects.get()
    assert (job.state, job.error) == (JobState.FAILED, "no such file")


def test_a_job_that_a_dead_worker_left_begins_again() -> None:
    left = jobs.start("import").job
    with jobs.running(left) as work:
        work.progress(5, 5)
    job = Job.objects.get()
    assert (job.state, job.done) == (JobState.DONE, 5)


def test_a_job_ends_once() -> None:
    work = jobs.start("import")
    jobs.fail(work, "the first reason")
    jobs.finish(work)
    assert (Job.objects.get().state, Job.objects.get().error) == (JobState.FAILED, "the first reason")
