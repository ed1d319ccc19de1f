"""The caller and the jobs as frozen rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from fleetledger.fleet.access import Principal, TeamScope, TokenPrincipal, teams_visible_to
from fleetledger.fleet.models import Job, Team, User


@dataclass(frozen=True, slots=True)
class Me:
    """`scope` is fleet (everything) or teams (those of `teams`)."""

    kind: str
    name: str
    role: str | None
    scopes: list[str]
    scope: str
    teams: list[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobRow:
    """`done` of `total` in the job's own unit; `result` is what the work gave."""

    id: UUID
    kind: str
    state: str
    done: int
    total: int | None
    message: str
    error: str
    result: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def me(principal: Principal) -> Me:
    scope = teams_visible_to(principal)
    slugs = list(Team.objects.filter(pk__in=scope.team_ids).order_by("slug").values_list("slug", flat=True))
    word = "fleet" if scope.fleet else "teams"
    if isinstance(principal, TokenPrincipal):
        token = principal.token
        return Me("token", token.name, None, list(token.scopes), word, slugs, token.expires_at)
    role = principal.role if isinstance(principal, User) else None
    return Me("user", principal.username, role, [], word, slugs, None)


def job(pk: UUID, principal: Principal, *, teams: TeamScope) -> JobRow | None:
    """A job of the caller's own, of a team that they see, or any with fleet scope; None hides the others."""
    mine = Q(created_by=principal) if isinstance(principal, User) else Q(pk__in=[])
    visible = Q() if teams.fleet else mine | Q(team__in=teams.team_ids)
    row = Job.objects.filter(visible, pk=pk).first()
    if row is None:
        return None
    return JobRow(
        row.pk,
        row.kind,
        row.state,
        row.done,
        row.total,
        row.message,
        row.error,
        row.result,
        row.created_at,
        row.started_at,
        row.finished_at,
    )
