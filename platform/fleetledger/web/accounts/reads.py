"""What the settings pages show of people, tokens and ownership rules."""

import platform
from dataclasses import dataclass
from datetime import date, datetime
from importlib import metadata

import django
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from fleetledger.fleet.access import Capability, Principal, TeamScope, can
from fleetledger.fleet.models import ApiToken, Membership, OwnershipRule, Role, Team, User


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class TeamRole:
    slug: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the page of people shows them. `can_sign_in` is false while they have no password."""

    username: str
    full_name: str
    email: str
    role: str
    role_label: str
    is_active: bool
    can_sign_in: bool
    last_sign_in_at: datetime | None
    teams: tuple[TeamRole, ...]

    @property
    def team_names(self) -> str:
        return ", ".join(team.name for team in self.teams)


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `state` is live, expired or revoked."""

    id: int
    name: str
    prefix: str
    scopes: str
    team: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An ownership rule. `conditions` are (key, value) pairs that must all hold."""

    position: int
    team: str
    slug: str
    valid_from: date | None
    valid_until: date | None
    conditions: tuple[tuple[str, str], ...]
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    version: str


def people() -> tuple[Person, ...]:
    """Everybody, active people first."""
    found = User.objects.prefetch_related("memberships__team").order_by("-is_active", "username")
    return tuple(_person(user) for user in found)


def person(username: str) -> Person | None:
    user = User.objects.prefetch_related("memberships__team").filter(username=username).first()
    return _person(user) if user else None


def own_teams(user: User) -> tuple[TeamRole, ...]:
    return _team_roles(list(user.memberships.select_related("team").order_by("team__name")))


def all_teams() -> tuple[Choice, ...]:
    return tuple(Choice(team.slug, team.name) for team in Team.objects.all())


def teams_to_hand_out(user: User) -> tuple[Choice, ...]:
    """The teams for which this person may make tokens: an administrator's are all, a lead's the led ones."""
    return tuple(
        Choice(team.slug, team.name) for team in Team.objects.all() if can(user, Capability.MANAGE_TEAM, team=team)
    )


def tokens(user: User) -> tuple[Token, ...]:
    """Tokens that this person may see: all of them for an administrator, else the own ones; live ones first."""
    found = ApiToken.objects.select_related("team", "created_by")
    if not can(user, Capability.ADMIN):
        found = found.filter(created_by=user)
    rows = [_token(token) for token in found]
    return tuple(sorted(rows, key=lambda row: row.state != "live"))


def rules(*, teams: TeamScope) -> tuple[Rule, ...]:
    """Ownership rules in the order in which they are asked."""
    found = OwnershipRule.objects.select_related("team")
    wanted = found if teams.fleet else found.filter(team_id__in=teams.team_ids)
    today = timezone.now().date()
    return tuple(_rule(rule, today) for rule in wanted)


def somebody_can_sign_in() -> bool:
    return User.objects.filter(Q(is_active=True) & ~Q(password__startswith="!") & ~Q(password="")).exists()  # noqa: S106 no password


def versions() -> tuple[Part, ...]:
    """The product with what it runs on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    return (
        Part("Fleetledger", _version("fleetledger")),
        Part("Python", platform.python_version()),
        Part("Django", django.get_version()),
        Part("Celery", _version("celery")),
        Part("PostgreSQL", server.split(" ")[0]),
    )


def product_version() -> str:
    return _version("fleetledger")


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "from a checkout"


def _person(user: User) -> Person:
    return Person(
        username=user.username,
        full_name=user.get_full_name(),
        email=user.email,
        role=user.role,
        role_label=Role(user.role).label,
        is_active=user.is_active,
        can_sign_in=user.is_active and user.has_usable_password(),
        last_sign_in_at=user.last_login,
        teams=_team_roles(sorted(user.memberships.all(), key=lambda row: row.team.name)),
    )


def _team_roles(memberships: list[Membership]) -> tuple[TeamRole, ...]:
    return tuple(TeamRole(row.team.slug, row.team.name, Role(row.role).label) for row in memberships)


def _token(token: ApiToken) -> Token:
    expired = token.expires_at is not None and token.expires_at <= timezone.now()
    return Token(
        id=token.pk,
        name=token.name,
        prefix=token.prefix,
        scopes=", ".join(token.scopes),
        team=token.team.name if token.team else "The whole fleet",
        created_by=token.created_by.username if token.created_by else "the command line",
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        state="revoked" if token.revoked_at else "expired" if expired else "live",
    )


def _rule(rule: OwnershipRule, today: date) -> Rule:
    tags = rule.match.get("tags", {})
    plain = [(key.replace("_", " "), str(value)) for key, value in rule.match.items() if key != "tags"]
    return Rule(
        position=rule.position,
        team=rule.team.name,
        slug=rule.team.slug,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        conditions=(*plain, *((f"tag {key}", str(value)) for key, value in tags.items())),
        is_in_force=(rule.valid_from is None or rule.valid_from <= today)
        and (rule.valid_until is None or today < rule.valid_until),
    )


def visible_token(user: Principal, token_id: int) -> ApiToken | None:
    """The token where this person may revoke it."""
    found = ApiToken.objects.filter(pk=token_id)
    if not can(user, Capability.ADMIN):
        found = found.filter(created_by_id=user.pk) if isinstance(user, User) else found.none()
    return found.first()
