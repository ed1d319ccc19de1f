"""Brings reports in now or by a worker, with a job that people can watch."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from kombu.exceptions import OperationalError

from drift import ingest
from drift.errors import DriftError
from drift.ingest import Imported, Received, Sender
from drift.models import Model, Report, ReportFile, ReportState
from drift.windows import ReportWindow
from fleetledger.fleet import jobs
from fleetledger.fleet.models import JobState

JOB_KIND = "drift-import"
PATIENCE = timedelta(minutes=5)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A stored report whose scores a worker writes next. `is_known`: it was here before."""

    received: Received
    job_id: uuid.UUID | None

    @property
    def is_known(self) -> bool:
        return self.received.is_known


def receive_and_enqueue(
    model: Model, content: bytes, *, name: str = "", window: ReportWindow | None = None, sender: Sender | None = None
) -> Enqueued:
    """Store the report, then let a worker write its scores once the transaction is there to see. Raises DriftError."""
    with transaction.atomic():
        received = ingest.receive(model, content, name=name, window=window, sender=sender)
        file = ReportFile.objects.select_related("job").get(pk=received.file_id)
        if received.waiting:
            if file.job is None or (not received.is_known and file.job.state in (JobState.DONE, JobState.FAILED)):
                user = sender.user if sender else None
                file.job = jobs.enqueue(JOB_KIND, team=model.owner, created_by=user, total=received.waiting)
                file.save(update_fields=["job"])
            transaction.on_commit(lambda: _ask_a_worker(file.pk))
    return Enqueued(received, file.job_id)


def import_now(
    model: Model, content: bytes, *, name: str = "", window: ReportWindow | None = None, sender: Sender | None = None
) -> Received:
    """Store the report and write its scores in this process, without a broker. Raises DriftError."""
    received = ingest.receive(model, content, name=name, window=window, sender=sender)
    weigh(ingest.import_file(received.file_id))
    return received


def waiting(now: datetime) -> list[int]:
    """Files that were stored a while ago and not read: the message to a worker was lost, the bytes were not."""
    stored = Report.objects.filter(state=ReportState.RECEIVED, received_at__lt=now - PATIENCE, file__isnull=False)
    return list(stored.order_by("file_id").values_list("file_id", flat=True).distinct())


def run(file_id: int) -> str:
    """A worker's import of a stored file; a second run of the same does nothing. Gives a sentence."""
    file = ReportFile.objects.select_related("job").get(pk=file_id)
    if file.job is None:
        return sentence(weigh(ingest.import_file(file_id)))
    progress = jobs.begin(file.job) if file.job.state in (JobState.QUEUED, JobState.RUNNING) else None
    try:
        done = weigh(ingest.import_file(file_id))
    except DriftError as error:
        if progress is not None:
            jobs.fail(progress, str(error))
        raise
    if progress is not None:
        progress.result(reports=list(file.reports.order_by("pk").values_list("pk", flat=True)[:100]))
        progress.job.done = progress.job.total or 0
        jobs.finish(progress, sentence(done))
    return sentence(done)


def weigh(done: Imported) -> Imported:
    """Look for findings now; what a dying worker leaves, the timetable takes up."""
    if done.report_ids:
        from drift.findings import store  # numpy is for workers alone

        model_ids = Report.objects.filter(pk__in=done.report_ids).values_list("model_id", flat=True)
        for model_id in model_ids.order_by("model_id").distinct():
            store.try_evaluate(model_id)
    return done


def sentence(done: Imported) -> str:
    """What an import did, in words."""
    if not done.report_ids:
        return "These reports are imported already; nothing changed."
    return f"{counted(len(done.report_ids), 'report')} imported with {counted(done.scores, 'score')}."


def counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _ask_a_worker(file_id: int) -> None:
    """Where the broker is away the report is stored all the same: `waiting` finds it later."""
    from drift.tasks import import_file

    try:
        import_file.delay(file_id)
    except OperationalError as error:
        log.warning("the broker takes no work: a stored report waits", file_id=file_id, reason=str(error))
