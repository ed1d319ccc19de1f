"""Follows what was approved: sent when its webhook took it, failed when it never will; and what it cost in the end."""

from datetime import timedelta

from django.db import transaction

from drift.mitigation import acts, costs, sending
from drift.mitigation.acts import Move
from drift.models import Mitigation, MitigationState
from drift.reviews.verdicts import Person
from monitoring.alerts import clock
from monitoring.alerts.models import MessageState

OUTBOX = Person("the outbox")
COUNTED_FOR = timedelta(days=30)  # telemetry that comes later than that changes nothing here


def follow() -> str:
    """Look at all that is approved; a sentence as its result."""
    waiting = Mitigation.objects.filter(state=MitigationState.APPROVED).values_list("pk", flat=True)
    moved = sum(_follow_one(pk) for pk in list(waiting))
    ended = Mitigation.objects.filter(finished_at__isnull=False, actual={}).select_related("finding__model__owner")
    counted = sum(_count_one(row) for row in ended.filter(finished_at__gte=clock.now() - COUNTED_FOR))
    return f"{moved} mitigations moved, the cost of {counted} is known."


def _count_one(row: Mitigation) -> bool:
    cost = costs.actual(row)
    if cost is None:
        return False
    return bool(Mitigation.objects.filter(pk=row.pk, actual={}).update(actual=cost.packed()))


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
