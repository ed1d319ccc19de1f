"""Who still names an escalation or a schedule: the applied routes, and the steps of escalations."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.config.service import LOCK
from monitoring.alerts.models import Escalation, Tree
from monitoring.alerts.tenants import PLATFORM_SLUG


def tenants_naming(escalation: str) -> tuple[str, ...]:
    """The tenants of whose tree a route names it."""
    rows = Tree.objects.exclude(route={}).order_by("team__slug").values_list("team__slug", "route")
    return tuple(slug or PLATFORM_SLUG for slug, route in rows if escalation in set(names_in(route)))


def escalations_naming(schedule: str, *, teams: TeamScope) -> tuple[str, ...]:
    """The escalations of which a step names it; one of a team outside of `teams` without its name."""
    rows = Escalation.objects.filter(removed_at=None).order_by("name").values_list("name", "team_id", "steps")
    return tuple(
        f"'{name}'" if team_id is None or teams.allows(team_id) else "of another team"
        for name, team_id, steps in rows
        if any(step.get("schedule") == schedule for step in steps)
    )


def hold_configuration() -> None:
    """Within the caller's transaction no configuration is applied, so that nothing new names what is to go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def names_in(route: Mapping[str, Any]) -> Iterator[str]:
    """The escalations that a route and those below it name."""
    named = route.get("escalation")
    yield from [named] if isinstance(named, str) else (named or {}).values()
    for child in route.get("routes") or ():
        yield from names_in(child)
