"""Whose alerts: each team is a tenant, and the platform is one that has no team."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleetledger.fleet.access import Capability, Principal, TokenPrincipal, can, teams_visible_to
from fleetledger.fleet.models import Team
from monitoring.alerts.errors import NotFoundError

PLATFORM_SLUG = "platform"
AREA = "alerts"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`team_id` None is the platform's own tenant."""

    team_id: int | None
    slug: str
    name: str


PLATFORM = Tenant(None, PLATFORM_SLUG, "Platform")


def of_team(team: Team | None) -> Tenant:
    return PLATFORM if team is None else Tenant(team.pk, team.slug, team.name)


def named(slug: str, principal: Principal) -> Tenant:
    """The tenant that `principal` may see under this slug; raises NotFoundError for every other."""
    own = principal.token.team if isinstance(principal, TokenPrincipal) else None
    if own is not None and own.slug == slug:
        return of_team(own)
    team = Team.objects.filter(slug=slug).first()
    scope = teams_visible_to(principal)
    if team is not None and scope.allows(team.pk):
        return of_team(team)
    if team is None and slug == PLATFORM_SLUG and scope.fleet:
        return PLATFORM
    raise NotFoundError(f"No team is called '{slug[:64]}', or none that you may see.")


def visible_to(principal: Principal) -> tuple[Tenant, ...]:
    """Every tenant whose alerts `principal` may see; the platform's first, for those who see the whole fleet."""
    scope = teams_visible_to(principal)
    teams: Iterable[Team] = Team.objects.order_by("name")
    if not scope.fleet:
        teams = Team.objects.filter(pk__in=scope.team_ids).order_by("name")
    return (*((PLATFORM,) if scope.fleet else ()), *map(of_team, teams))


def may_act(principal: Principal, tenant: Tenant) -> bool:
    """Whether `principal` may acknowledge, silence and so on for this tenant's alerts."""
    team = Team.objects.filter(pk=tenant.team_id).first() if tenant.team_id is not None else None
    return can(principal, Capability.HANDLE_ALERTS, team=team, area=AREA)
