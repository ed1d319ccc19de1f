"""Who may see and do what: the tenant filter that every read asks for, and the capabilities that a role brings."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from django.contrib.auth.models import AnonymousUser

from fleetledger.fleet.models import ApiToken, Membership, Role, Team, User

FLEET_ROLES = frozenset({Role.ADMIN, Role.FINANCE, Role.SRE})


@dataclass(frozen=True, slots=True)
class TeamScope:
    """The teams a caller may see. `fleet` sees all of it, with idle, unknown and what nobody owns."""

    fleet: bool
    team_ids: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def everything(cls) -> Self:
        return cls(fleet=True)

    @classmethod
    def nothing(cls) -> Self:
        return cls(fleet=False)

    def allows(self, team_id: int | None) -> bool:
        return self.fleet or (team_id is not None and team_id in self.team_ids)


class Capability(StrEnum):
    READ = "read"
    IMPORT_BILLS = "import_bills"
    CLOSE_PERIODS = "close_periods"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_TEAM = "manage_team"
    SEND_ALERTS = "send_alerts"
    HANDLE_ALERTS = "handle_alerts"
    SEND_REPORTS = "send_reports"
    ADMIN = "admin"


_FLEET_CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.VIEWER: frozenset({Capability.READ}),
    Role.LEAD: frozenset({Capability.READ}),
    Role.FINANCE: frozenset({Capability.READ, Capability.IMPORT_BILLS, Capability.CLOSE_PERIODS}),
    Role.SRE: frozenset(
        {
            Capability.READ,
            Capability.MANAGE_SOURCES,
            Capability.SEND_ALERTS,
            Capability.HANDLE_ALERTS,
            Capability.SEND_REPORTS,
        }
    ),
    Role.ADMIN: frozenset(Capability),
}
_TEAM_CAPABILITIES: dict[Capability, tuple[Role, ...]] = {  # what a membership's role brings, for that team and below
    Capability.MANAGE_TEAM: (Role.LEAD, Role.ADMIN),
    Capability.SEND_ALERTS: (Role.LEAD, Role.SRE, Role.ADMIN),
    Capability.HANDLE_ALERTS: (Role.LEAD, Role.SRE, Role.ADMIN),
    Capability.SEND_REPORTS: (Role.LEAD, Role.SRE, Role.ADMIN),
}
_TOKEN_CAPABILITIES: dict[str, frozenset[Capability]] = {
    "read": frozenset({Capability.READ}),
    "write": frozenset(
        {
            Capability.READ,
            Capability.IMPORT_BILLS,
            Capability.CLOSE_PERIODS,
            Capability.MANAGE_SOURCES,
            Capability.SEND_ALERTS,
            Capability.HANDLE_ALERTS,
            Capability.SEND_REPORTS,
        }
    ),
    "admin": frozenset(Capability),
}


@dataclass(frozen=True, slots=True)
class TokenPrincipal:
    """A program that signed in with an API token; stands where a user stands."""

    token: ApiToken
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def pk(self) -> str:
        return f"token:{self.token.pk}"

    @property
    def username(self) -> str:
        return f"token {self.token.name}"


Principal = User | TokenPrincipal | AnonymousUser


def teams_visible_to(principal: Principal) -> TeamScope:
    """The teams whose usage and money `principal` may see: own teams and all below them; fleet roles see everything."""
    if isinstance(principal, TokenPrincipal):
        team_id = principal.token.team_id
        return (
            TeamScope.everything() if team_id is None else TeamScope(fleet=False, team_ids=_with_descendants({team_id}))
        )
    if isinstance(principal, AnonymousUser) or not principal.is_active:
        return TeamScope.nothing()
    if principal.is_superuser or principal.role in FLEET_ROLES:
        return TeamScope.everything()
    own = set(Membership.objects.filter(user=principal).values_list("team_id", flat=True))
    return TeamScope(fleet=False, team_ids=_with_descendants(own))


def can(principal: Principal, capability: Capability, *, team: Team | None = None, area: str = "") -> bool:
    """Whether `principal` may do this, for a team where one is named. `area` narrows scopes: read:costs."""
    if isinstance(principal, TokenPrincipal):
        return _token_can(principal.token, capability, team, area)
    if isinstance(principal, AnonymousUser) or not principal.is_active:
        return False
    if principal.is_superuser or capability in _FLEET_CAPABILITIES[principal.role]:
        return team is None or capability is not Capability.READ or teams_visible_to(principal).allows(team.pk)
    if team is not None and capability in _TEAM_CAPABILITIES:
        roles = _TEAM_CAPABILITIES[capability]
        held = principal.memberships.filter(role__in=roles).values_list("team_id", flat=True)
        return team.pk in _with_descendants(set(held))
    return False


def _token_can(token: ApiToken, capability: Capability, team: Team | None, area: str) -> bool:
    is_own = team is not None and team.pk == token.team_id  # a Prometheus asks each second: no tree of teams for it
    if team is not None and not is_own and not teams_visible_to(TokenPrincipal(token)).allows(team.pk):
        return False
    if token.team_id is not None and team is None and capability is not Capability.READ:
        return False  # a team's token changes nothing that belongs to the whole fleet
    for scope in token.scopes:
        level, _, narrowed = scope.partition(":")
        if narrowed in ("", area) and capability in _TOKEN_CAPABILITIES.get(level, frozenset()):
            return True
    return False


def _with_descendants(roots: set[int]) -> frozenset[int]:
    """`roots` and every team below them; one query, since companies have hundreds of teams, not millions."""
    if not roots:
        return frozenset()
    children: dict[int, list[int]] = {}
    for pk, parent in Team.objects.values_list("pk", "parent_id"):
        if parent is not None:
            children.setdefault(parent, []).append(pk)
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        team_id = waiting.pop()
        if team_id not in seen:
            seen.add(team_id)
            waiting.extend(children.get(team_id, []))
    return frozenset(seen)
