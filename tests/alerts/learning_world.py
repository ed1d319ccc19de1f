"""A past to learn from: alerts that ended, whom they were told to, and who was paged."""

from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Team, User
from fleetledger.lib.buckets import Window
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.models import Alert, Attempt
from tests.alerts import escalation_world, pages_world
from tests.alerts.world import START, after

ALL = TeamScope.everything()
WEEK = Asked(Window(START - timedelta(days=7), START))


def ended(name: str = "Hot", *, at: datetime, minutes: float = 10, team: Team | None = None, **fields: Any) -> Alert:
    """An alert that began at `at` and ended by itself; told, acknowledged: minutes after its begin."""
    labels = {key: fields.pop(key) for key in ("node", "severity") if key in fields}
    alert = pages_world.alert(
        name, team=team, state="resolved", since=at, episode={}, n=f"{at.isoformat()}-{Alert.objects.count()}", **labels
    )
    known = {f"{key}_at": at + timedelta(minutes=value) for key, value in fields.items()}
    alert.episodes.update(ended_at=at + timedelta(minutes=minutes), **known)
    return alert


def told(*alerts: Alert, to: Any) -> None:
    """One message that told of all of these."""
    first = pages_world.message(to, alerts[0])
    attempt = Attempt.objects.get(message=first)
    attempt.episodes.set([alert.episodes.get() for alert in alerts])


def minute(minutes: float) -> datetime:
    return after(-86_400 + 60 * minutes)


def paged(person: User, *at: datetime, team: Team | None = None, **fields: Any) -> None:
    alert = ended("Paged", at=at[0], team=team)
    escalation = escalation_world.escalation(f"of {person.username} {at[0]}")
    run = escalation_world.run(escalation, alert, at=at[0])
    for place, moment in enumerate(at):
        escalation_world.page(escalation_world.step(run, place, at=moment), person, moment, **fields)
