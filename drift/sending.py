"""Who may send reports and say of which days they are: for the models of which teams."""

from django.core.exceptions import PermissionDenied

from drift.models import Model
from fleetledger.fleet.access import Capability, Principal, TokenPrincipal, can
from fleetledger.fleet.models import Team, User

AREA = "drift"
REFUSAL = "You may look at this model but not send its reports. Ask a lead of its team, or an SRE."


def may_send(principal: Principal, owner: Team) -> bool:
    """Whether `principal` may send reports of this team's models."""
    return can(principal, Capability.SEND_REPORTS, area=AREA) or can(
        principal, Capability.SEND_REPORTS, team=owner, area=AREA
    )


def may_send_some(principal: Principal) -> bool:
    """Whether there may be a model whose reports `principal` may send."""
    if can(principal, Capability.SEND_REPORTS, area=AREA):
        return True
    if isinstance(principal, TokenPrincipal):
        return principal.token.team is not None and may_send(principal, principal.token.team)
    if not isinstance(principal, User):
        return False
    return any(may_send(principal, held.team) for held in principal.memberships.select_related("team"))


def check_may_send(principal: Principal, model: Model) -> None:
    """Raises PermissionDenied with what to do."""
    if not may_send(principal, model.owner):
        raise PermissionDenied(REFUSAL)
