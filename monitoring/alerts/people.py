"""To whom an alert may be given: the members of its team and of those above it, and the fleet's SREs."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from fleetledger.fleet.models import Role, Team, User

MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str


def assignable(team_id: int | None) -> tuple[Person, ...]:
    rows = _rows(team_id).order_by("first_name", "username")[:MAX_SHOWN]
    return tuple(Person(row.username, row.get_full_name() or row.username) for row in rows)


def assignable_person(team_id: int | None, username: str) -> User | None:
    return _rows(team_id).filter(username=username[:150].replace("\x00", "")).first()


def _rows(team_id: int | None) -> QuerySet[User]:
    on_call = Q(role__in=(Role.SRE, Role.ADMIN))
    members = Q(memberships__team__in=list(_upwards(team_id))) if team_id is not None else Q(pk__in=[])
    return User.objects.filter(on_call | members, is_active=True).distinct()


def _upwards(team_id: int | None) -> Iterator[int]:
    """The team and those above it: a member of a parent sees it too."""
    parents = dict(Team.objects.values_list("pk", "parent_id"))
    while team_id is not None:
        yield team_id
        team_id = parents.pop(team_id, None)
