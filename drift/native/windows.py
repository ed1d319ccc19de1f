"""Takes windows of rows in: a file each, which a worker compares with the active reference."""

from typing import IO

from django.db import transaction

from drift.errors import NoReferenceError, UnreadableDataError
from drift.ingest import Sender
from drift.models import DataWindow, Model, WindowSource, WindowState
from drift.native import files, references, work
from drift.native.locking import lock
from drift.windows import ReportWindow
from fleetledger.fleet import jobs
from monitoring.alerts import clock

JOB_KIND = "drift-window"


def receive(
    model: Model, stream: IO[bytes], window: ReportWindow, *, name: str = "", is_complete: bool = True, sender: Sender
) -> DataWindow:
    """Store the rows of a window for a worker. The same rows of the same window are known. Raises DriftError."""
    with transaction.atomic():
        row, is_new = _stored(model, stream, window, name, sender, is_complete=is_complete)
        if is_new:
            row.job = jobs.enqueue(JOB_KIND, team=model.owner, created_by=sender.user)
            row.save(update_fields=["job"])
            transaction.on_commit(lambda: work.ask("read_window", row.pk))
    return row


def receive_now(
    model: Model, stream: IO[bytes], window: ReportWindow, *, name: str = "", is_complete: bool = True, sender: Sender
) -> DataWindow:
    """The same, computed in this process. Raises UnreadableDataError once it is kept as unreadable."""
    from drift.native import reading

    with transaction.atomic():
        row, _ = _stored(model, stream, window, name, sender, is_complete=is_complete)
    if row.state == WindowState.WAITING:
        reading.read_window(row.pk)
        row.refresh_from_db()
    if row.state == WindowState.UNREADABLE:
        raise UnreadableDataError(row.trouble)
    return row


def _stored(
    model: Model, stream: IO[bytes], window: ReportWindow, name: str, sender: Sender, *, is_complete: bool
) -> tuple[DataWindow, bool]:
    lock(model.pk)
    reference = references.active(model.pk)
    if reference is None:
        raise NoReferenceError(model.name)
    point = transaction.savepoint()
    file = files.store(model, stream, name=name, sender=sender)
    known = DataWindow.objects.filter(
        model=model, window_from=window.start, window_to=window.end, file__digest=file.digest, reference=reference
    ).exclude(state=WindowState.UNREADABLE)
    same = known.first()
    if same is not None:
        transaction.savepoint_rollback(point)
        return same, False
    now = clock.now()
    row = DataWindow.objects.create(
        model=model,
        reference=reference,
        source=WindowSource.FILE,
        window_from=window.start,
        window_to=window.end,
        file=file,
        is_complete=is_complete,
        received_at=now,
        changed_at=now,
    )
    return row, True
