"""For whom a program acts: the tenant that it names, else its token's own team, else the platform."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied

from fleetledger.fleet.access import Principal, TokenPrincipal
from fleetledger.fleet.models import Team
from fleetledger.rest.problems import NotFoundError
from monitoring.alerts import api_bodies
from monitoring.alerts.acting import REFUSAL
from monitoring.alerts.tenants import PLATFORM, PLATFORM_SLUG, Tenant, may_act, named, of_team, visible_to


def tenant_to_act(caller: Principal, data: Mapping[str, Any]) -> Tenant:
    """The tenant of a change; 404 for one that the caller may not see, 403 where they may only look."""
    slug = _own(caller) if data.get("team") is None else api_bodies.text(data, "team", most=64)
    tenant = named(slug, caller)
    if not may_act(caller, tenant):
        raise PermissionDenied(REFUSAL)
    return tenant


def tenant_to_change(caller: Principal, team_id: int | None) -> Tenant:
    """The tenant of something that the caller sees; 403 where they may only look."""
    tenant = of_team(Team.objects.get(pk=team_id)) if team_id is not None else PLATFORM
    if not may_act(caller, tenant):
        raise PermissionDenied(REFUSAL)
    return tenant


def tenant_to_read(caller: Principal, slug: str) -> Tenant:
    """The tenant named, else the first that the caller may see."""
    if slug:
        return named(slug, caller)
    seen = visible_to(caller)
    if not seen:
        raise NotFoundError("You see no team's alerts yet. Ask an administrator to make you a member of one.")
    return seen[0]


def _own(caller: Principal) -> str:
    team = caller.token.team if isinstance(caller, TokenPrincipal) else None
    return team.slug if team else PLATFORM_SLUG
