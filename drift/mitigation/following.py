"""Follows what was sent: a mitigation is sent when its webhook took it, and failed when it never will."""

from django.db import transaction

from drift.mitigation import acts, sending
from drift.mitigation.acts import Move
from drift.models import Mitigation, MitigationState
from drift.reviews.verdicts import Person
from monitoring.alerts.models import MessageState

OUTBOX = Person("the outbox")


def follow() -> str:
    """Look at all that is approved; a sentence as its result."""
    waiting = Mitigation.objects.filter(state=MitigationState.APPROVED).values_list("pk", flat=True)
    moved = sum(_follow_one(pk) for pk in list(waiting))
    return f"{moved} mitigations moved."


@transaction.atomic
def _follow_one(mitigation_id: int) -> bool:
    row = acts.locked(mitigation_id)
    message = sending.message_of(row)
    if message is None or row.state != MitigationState.APPROVED:
        return False
    if message.state == MessageState.SENT:
        acts.move(row, Move(MitigationState.SENT, "The webhook took it."), OUTBOX)
        return True
    if message.state == MessageState.DEAD:
        acts.move(row, Move(MitigationState.FAILED, f"The webhook refused it: {message.last_error}"[:4000]), OUTBOX)
        return True
    return False
