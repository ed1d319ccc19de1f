"""Takes a schedule away: its overrides and swaps stay for the history, and the configuration may bring it back."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from fleetledger.fleet.access import Principal, teams_visible_to
from monitoring.alerts import clock
from monitoring.alerts.errors import ConflictError
from monitoring.alerts.escalation import uses
from monitoring.alerts.models import Schedule, Swap, SwapState
from monitoring.alerts.oncall import overrides, swaps
from monitoring.alerts.tenants import may_act, of_team


@transaction.atomic
def remove(schedule: Schedule, by: Principal) -> None:
    """Swaps that are open end. Raises PermissionDenied, and ConflictError while a step of an escalation names it.

    An escalation that began with it goes on by it.
    """
    if not may_act(by, of_team(schedule.team)):
        raise PermissionDenied("Only a lead of its team, or an SRE, can remove a schedule.")
    uses.hold_configuration()
    overrides.locked(schedule)
    if named := uses.escalations_naming(schedule.name, teams=teams_visible_to(by)):
        raise ConflictError(
            f"A step of the escalation {', '.join(named[:5])} still names the schedule '{schedule.name}'. "
            "Take it out of the steps first."
        )
    now = clock.now()
    Schedule.objects.filter(pk=schedule.pk, removed_at=None).update(removed_at=now, changed_at=now)
    for swap in Swap.objects.filter(schedule=schedule, state=SwapState.OPEN):
        swaps.take_back(schedule, swap.pk, by)
