"""Moves mitigations from state to state; each move is conditional, and a step of history that stays."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from drift.mitigation import costs, sending
from drift.mitigation.errors import NoSuchMitigationError, OneIsLiveError, SecondPersonError, WrongStepError
from drift.models import Finding, Mitigation, MitigationKind, MitigationState, MitigationStep
from drift.native import renewing
from drift.reviews.verdicts import Person
from monitoring.alerts import clock

State = MitigationState
MAX_NOTE = 4000
AFTER = {
    State.PROPOSED: frozenset({State.APPROVED, State.CANCELLED}),
    State.APPROVED: frozenset({State.SENT, State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.SENT: frozenset({State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED}),
}
ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """`nonce` is a callback's signature; `link` is where the other side shows its run."""

    state: State
    note: str = ""
    link: str = ""
    nonce: str = ""


def propose(finding: Finding, kind: MitigationKind, note: str, by: Person) -> Mitigation:
    """Raises OneIsLiveError. What it will cost is written down as it is known now."""
    now = clock.now()
    try:
        with transaction.atomic():
            row = Mitigation.objects.create(
                finding=finding,
                kind=kind,
                note=note,
                cost=costs.estimate(finding.model, kind, now).packed(),
                proposed_at=now,
                proposed_by=by.name[:200],
                proposed_by_user=by.user,
            )
            _step(row, Move(State.PROPOSED, note), by)
    except IntegrityError as error:
        raise OneIsLiveError(kind) from error
    return row


@transaction.atomic
def approve(mitigation_id: int, note: str, by: Person) -> Mitigation:
    """What goes by webhook is queued with it, once; a new reference of computed windows is active at once.

    Raises SecondPersonError and WrongStepError.
    """
    row = locked(mitigation_id)
    is_own = by.user is None or row.proposed_by_user_id in (None, by.user.pk)
    needs_another = row.finding.model.is_production or row.kind == MitigationKind.NEW_REFERENCE
    if needs_another and is_own:
        raise SecondPersonError
    move(row, Move(State.APPROVED, note), by)
    if row.kind == MitigationKind.NEW_REFERENCE and renewing.can_renew(row.finding):
        reference = renewing.renew(row.finding, note or row.note, by)
        move(row, Move(State.SUCCEEDED, f"Reference {reference.version} is active: {reference.rows} rows."), by)
        return row
    sending.enqueue(row)
    return row


@transaction.atomic
def change(mitigation_id: int, wanted: Move, by: Person) -> Mitigation:
    """Say how it goes, or cancel it. Raises WrongStepError."""
    row = locked(mitigation_id)
    if wanted.state is State.APPROVED:
        return approve(mitigation_id, wanted.note, by)
    move(row, wanted, by)
    if wanted.state is State.CANCELLED:
        sending.withdraw(row)
    return row


def locked(mitigation_id: int) -> Mitigation:
    """Until the transaction ends; raises NoSuchMitigationError."""
    found = Mitigation.objects.select_for_update(of=("self",)).select_related("finding__model__owner")
    row = found.filter(pk=mitigation_id).first()
    if row is None:
        raise NoSuchMitigationError(mitigation_id)
    return row


def move(row: Mitigation, wanted: Move, by: Person) -> None:
    """Within the transaction that locked the row."""
    if wanted.state not in AFTER.get(State(row.state), frozenset()):
        raise WrongStepError(row.state, wanted.state)
    now = clock.now()
    row.state = wanted.state
    row.link = wanted.link or row.link
    if wanted.state is State.SENT:
        row.sent_at = now
    if wanted.state in (State.RUNNING, State.SUCCEEDED):
        row.started_at = row.started_at or now
    if wanted.state in ENDS:
        row.finished_at = now
    row.save(update_fields=["state", "link", "sent_at", "started_at", "finished_at"])
    _step(row, wanted, by)


def _step(row: Mitigation, move: Move, by: Person) -> None:
    MitigationStep.objects.create(
        mitigation=row,
        state=move.state,
        by_name=by.name[:200],
        by_user=by.user,
        note=move.note,
        nonce=move.nonce,
        at=clock.now(),
    )
