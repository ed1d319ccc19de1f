"""Takes an escalation away: what has begun by it goes on, and the configuration may bring it back."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from fleetledger.fleet.access import Principal, TeamScope
from monitoring.alerts import clock
from monitoring.alerts.errors import ConflictError
from monitoring.alerts.escalation import reads, uses, webhooks
from monitoring.alerts.models import Escalation
from monitoring.alerts.tenants import may_act, of_team


@transaction.atomic
def remove(name: str, by: Principal, *, teams: TeamScope) -> None:
    """Raises NotFoundError, PermissionDenied, and ConflictError while a route names it."""
    row: Escalation = reads.named(name, teams=teams)
    if not may_act(by, of_team(row.team)):
        raise PermissionDenied("Only a lead of its team, or an SRE, can remove an escalation.")
    uses.hold_configuration()
    if tenants := uses.tenants_naming(row.name):
        raise ConflictError(
            f"Routes of {', '.join(tenants[:5])} still name the escalation '{row.name}'. Take it out of them first."
        )
    now = clock.now()
    if Escalation.objects.filter(pk=row.pk, removed_at=None).update(removed_at=now):
        webhooks.bring_to(row, (), now)
