"""Schedules and people for tests: mira and tom in turn, weekly from Monday 2 November 2026, 9 o'clock in Berlin."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fleetledger.fleet.models import Membership, Role, Team, User
from monitoring.alerts.models import Override, Schedule
from tests.alerts.world import START

WEEKLY: Mapping[str, Any] = {"name": "base", "people": ["mira", "tom"], "every": "week", "start": "2026-11-02 09:00"}


def at(month: int, day: int, hour: int = 8, minute: int = 0, year: int = 2026) -> datetime:
    """UTC; in Berlin's winter that is an hour later."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def person(username: str, team: Team | None = None, *, role: str = Role.VIEWER) -> User:
    """A person with a name and no password; a member of `team` with `role` where one is given, else of the fleet."""
    made = User.objects.create(
        username=username,
        first_name=username.title(),
        last_name="Example",
        role=Role.VIEWER if team else role,
    )
    if team is not None:
        Membership.objects.create(team=team, user=made, role=role)
    return made


def schedule(
    name: str = "primary", *, team: Team | None = None, layers: Sequence[Mapping[str, Any]] = (WEEKLY,), **fields: Any
) -> Schedule:
    values: dict[str, Any] = {"time_zone": "Europe/Berlin", "created_at": START, "changed_at": START, **fields}
    return Schedule.objects.create(name=name, team=team, layers=list(layers), **values)


def override(of: Schedule, who: User, begin: datetime, end: datetime, **fields: Any) -> Override:
    values: dict[str, Any] = {"created_by": "sre", "created_at": START, **fields}
    return Override.objects.create(schedule=of, person=who, from_at=begin, until_at=end, **values)
