"""Which schedules somebody may see: the platform's everybody who is signed in, a team's those of its scope."""

from collections.abc import Iterable, Iterator, Mapping

from django.db.models import Q, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts import people
from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall.loading import named
from monitoring.alerts.people import Person

MOST = 500


def seen(teams: TeamScope, field: str = "team") -> Q:
    """The schedules in `teams`, and those without a team."""
    return Q() if teams.fleet else Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": teams.team_ids})


def schedules(*, teams: TeamScope) -> list[Schedule]:
    """By name, at most MOST."""
    return list(_live(teams).order_by("name")[:MOST])


def schedule(name: str, *, teams: TeamScope) -> Schedule:
    """Raises NotFoundError, as for what is another team's."""
    row = _live(teams).filter(name=name[:200].replace("\x00", "")).first()
    if row is None:
        raise NotFoundError(f"No schedule is called '{name[:64]}', or none that you may see.")
    return row


def _live(teams: TeamScope) -> QuerySet[Schedule]:
    return Schedule.objects.filter(seen(teams), removed_at=None).select_related("team")


def may_be_on_call(schedule: Schedule) -> tuple[Person, ...]:
    """Whom an override or a swap may put on call: those of the layers, the team's people, and SREs."""
    known = {person.username: person for person in people.assignable(schedule.team_id)}
    rows = User.objects.filter(username__in=_named(schedule), is_active=True)
    known |= {row.username: Person(row.username, row.get_full_name() or row.username) for row in rows}
    return tuple(sorted(known.values(), key=lambda person: (person.name.casefold(), person.username)))


def person_on_call(schedule: Schedule, username: str) -> User | None:
    """The user where they are among `may_be_on_call`."""
    username = username[:150].replace("\x00", "")
    if username in _named(schedule):
        return User.objects.filter(username=username, is_active=True).first()
    return people.assignable_person(schedule.team_id, username)


def _named(schedule: Schedule) -> set[str]:
    return {name for layer in schedule.layers for name in named(layer)}


def takers(person: User, rows: Iterable[Schedule]) -> frozenset[int]:
    """The schedules in which this person may be on call."""
    if person.role in (Role.SRE, Role.ADMIN):
        return frozenset(row.pk for row in rows)
    own = set(person.memberships.values_list("team_id", flat=True))
    parents = dict(Team.objects.values_list("pk", "parent_id"))
    return frozenset(
        row.pk for row in rows if person.username in _named(row) or own & set(_upwards(row.team_id, parents))
    )


def _upwards(team_id: int | None, parents: Mapping[int, int | None]) -> Iterator[int]:
    """The team and those above it, whose members see it too."""
    passed: set[int] = set()
    while team_id is not None and team_id not in passed:
        passed.add(team_id)
        yield team_id
        team_id = parents.get(team_id)
