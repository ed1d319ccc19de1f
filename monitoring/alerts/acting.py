"""Who may do something about alerts, for which tenants, and under which name."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import PermissionDenied

from fleetledger.fleet.access import Capability, Principal, TokenPrincipal, can
from fleetledger.fleet.models import Team, User
from monitoring.alerts.acts import Actor
from monitoring.alerts.models import Alert
from monitoring.alerts.tenants import AREA, Tenant, may_act, of_team

REFUSAL = "You may look at these alerts but not act on them. Ask a lead of the team, or an SRE."


def actor(principal: Principal) -> Actor:
    """Under which name an act stands in the history."""
    if isinstance(principal, User):
        return Actor(principal.first_name or principal.username, principal)
    return Actor(principal.username)


def acts_for(principal: Principal, seen: Sequence[Tenant]) -> tuple[Tenant, ...]:
    """Those of the tenants that are `seen` for which `principal` may act."""
    if can(principal, Capability.HANDLE_ALERTS, area=AREA):
        return tuple(seen)
    if isinstance(principal, User) and not principal.memberships.exists():
        return ()
    if isinstance(principal, TokenPrincipal) and principal.token.team_id is None:
        return ()
    return tuple(tenant for tenant in seen if may_act(principal, tenant))


def check_may_act(principal: Principal, alerts: Iterable[Alert]) -> None:
    """Raises PermissionDenied where one of the alerts is of a tenant for which `principal` may not act."""
    teams: dict[int | None, Team | None] = {alert.team_id: alert.team for alert in alerts}
    if not all(may_act(principal, of_team(team)) for team in teams.values()):
        raise PermissionDenied(REFUSAL)
