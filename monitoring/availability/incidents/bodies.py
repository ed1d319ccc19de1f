"""Reads what a program sends to the endpoints about incidents: each refusal names its part."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fleetledger.fleet.models import User
from fleetledger.rest.params import FIRST_YEAR, LAST_YEAR
from fleetledger.rest.problems import ProblemError
from monitoring.alerts import api_bodies, people
from monitoring.availability.models import IncidentState, RoleKind, Severity

BIGINT = 2**63
MOST = 500
Data = Mapping[str, Any]


def severity(data: Data) -> Severity:
    return Severity(word(data, "severity", Severity.values))


def state(data: Data) -> IncidentState:
    return IncidentState(word(data, "state", IncidentState.values))


def word(data: Data, name: str, known: Sequence[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or value not in known:
        raise ProblemError(f"'{name}' is one of {', '.join(known)}.", parameter=name)
    return value


def names(data: Data, name: str) -> list[str]:
    """A list of texts; empty where it is not there."""
    value = data.get(name, [])
    if not isinstance(value, list) or len(value) > MOST:
        raise ProblemError(f"'{name}' is a list of at most {MOST} texts.", parameter=name)
    return [api_bodies.text({name: item}, name, most=100) for item in value]


def numbers(data: Data, name: str) -> list[int]:
    value = data.get(name, [])
    is_fine = isinstance(value, list) and len(value) <= MOST
    if not is_fine or not all(type(item) is int and 0 < item < BIGINT for item in value):
        raise ProblemError(f"'{name}' is a list of at most {MOST} numbers.", parameter=name)
    return list(value)


def day(data: Data, name: str) -> date | None:
    """A day, or null for none."""
    value = data.get(name)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        found = date.min
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ProblemError(f"'{name}' is a day such as 2026-11-30, or null.", parameter=name)
    return found


def person(data: Data, name: str, team_id: int | None) -> User | None:
    """Somebody of the team, or null for nobody."""
    if data.get(name) is None:
        return None
    username = api_bodies.text(data, name, most=150)
    found = people.assignable_person(team_id, username)
    if found is None:
        raise ProblemError(f"Nobody of this team is called '{username[:60]}'.", parameter=name)
    return found


def roles(data: Data, team_id: int | None) -> dict[RoleKind, User | None]:
    value = data.get("roles", {})
    if not isinstance(value, Mapping) or not all(name in RoleKind.values for name in value):
        raise ProblemError(f"'roles' is an object of {', '.join(RoleKind.values)} with user names.", parameter="roles")
    return {RoleKind(name): person(value, name, team_id) for name in value}
