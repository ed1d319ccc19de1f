"""Takes references in and lets people decide about them. What a version holds never changes."""

from typing import IO

from django.db import transaction
from django.db.models import Max

from drift.errors import DriftError, NoNoteError, NotProposedError, SenderDecidesError, UnreadableDataError
from drift.ingest import Sender, storable
from drift.models import Model, Reference, ReferenceState
from drift.native import files, work
from drift.native.locking import lock
from drift.reviews.errors import NotAPersonError
from fleetledger.fleet import jobs
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor

JOB_KIND = "drift-reference"
MAX_NOTE = 500


def active(model_id: int) -> Reference | None:
    return Reference.objects.filter(model_id=model_id, state=ReferenceState.ACTIVE).first()


def receive(model: Model, stream: IO[bytes], *, name: str = "", note: str = "", sender: Sender) -> Reference:
    """Store the rows as the model's next version, which a worker reads. The same rows once more are the same version.

    Raises DriftError.
    """
    with transaction.atomic():
        reference, is_new = _stored(model, stream, name, note, sender)
        if is_new:
            reference.job = jobs.enqueue(JOB_KIND, team=model.owner, created_by=sender.user)
            reference.save(update_fields=["job"])
            transaction.on_commit(lambda: work.ask("read_reference", reference.pk))
    return reference


def receive_now(model: Model, stream: IO[bytes], *, name: str = "", note: str = "", sender: Sender) -> Reference:
    """The same, read in this process. Raises UnreadableDataError once it is kept as unreadable."""
    from drift.native import reading

    with transaction.atomic():
        reference, _ = _stored(model, stream, name, note, sender)
    if reference.state == ReferenceState.WAITING:
        reading.read_reference(reference.pk)
        reference.refresh_from_db()
    if reference.state == ReferenceState.UNREADABLE:
        raise UnreadableDataError(reference.trouble)
    return reference


def decide(reference_id: int, *, is_accepted: bool, note: str, by: Actor) -> Reference:
    """Accept a proposed version, which retires the active one, or refuse it. Raises DriftError.

    For a production model it takes a person, and another one than who sent it.
    """
    if not note.strip() or len(note) > MAX_NOTE:
        raise NoNoteError(MAX_NOTE)
    with transaction.atomic():
        row = Reference.objects.filter(pk=reference_id).select_related("model").first()
        if row is None:
            raise DriftError(f"There is no reference {reference_id}.")
        lock(row.model_id)
        row.refresh_from_db(fields=["state"])
        if row.state != ReferenceState.PROPOSED:
            raise NotProposedError(row.version, ReferenceState(row.state).label.lower())
        _check(row, by)
        if is_accepted:
            retire(row.model_id)
        row.state = ReferenceState.ACTIVE if is_accepted else ReferenceState.REFUSED
        row.decided_at, row.decided_by, row.decision_note = clock.now(), by.name[:200], note.strip()
        row.save(update_fields=["state", "decided_at", "decided_by", "decision_note"])
    return row


def retire(model_id: int) -> None:
    Reference.objects.filter(model_id=model_id, state=ReferenceState.ACTIVE).update(state=ReferenceState.RETIRED)


def _check(row: Reference, by: Actor) -> None:
    if not row.model.is_production:
        return
    if by.user is None:
        raise NotAPersonError
    if by.user.pk == row.received_by_id:
        raise SenderDecidesError


def _stored(model: Model, stream: IO[bytes], name: str, note: str, sender: Sender) -> tuple[Reference, bool]:
    lock(model.pk)
    point = transaction.savepoint()
    file = files.store(model, stream, name=name, sender=sender)
    known = (
        Reference.objects.filter(model=model, file__digest=file.digest)
        .exclude(state__in=(ReferenceState.UNREADABLE, ReferenceState.REFUSED))
        .first()
    )
    if known is not None:
        transaction.savepoint_rollback(point)
        return known, False
    last = Reference.objects.filter(model=model).aggregate(last=Max("version"))["last"]
    reference = Reference.objects.create(
        model=model,
        version=(last or 0) + 1,
        file=file,
        note=storable(note.strip()[:MAX_NOTE]),
        received_at=clock.now(),
        received_by=sender.user,
        received_from=storable(sender.name[:200]),
    )
    return reference, True
