"""A game day that was, with what was seen of it, and one that is planned."""

from datetime import datetime, timedelta

from django.db import transaction

from fleetledger.demo.outages import Trouble
from fleetledger.demo.targets import CHAT, troubles
from fleetledger.demo.work import DAY_S
from fleetledger.fleet.models import Team
from fleetledger.lib.buckets import DAY, HOUR, floor, from_us
from monitoring.availability.healing import gamedays
from monitoring.availability.models import Component, GameDay, Outcome
from monitoring.availability.slots import SECOND_US

TEAM = "platform-ml"
BY = "tomas"
KILLED = CHAT[4]
KILLED_TITLE = "A chat replica is killed"
ZONE_TITLE = "A zone is taken away"
AGO_S = 9 * DAY_S
WATCHED = timedelta(minutes=10)


@transaction.atomic
def write(now: datetime) -> int:
    """Once; gives how many."""
    if GameDay.objects.filter(title__in=(KILLED_TITLE, ZONE_TITLE)).exists():
        return 0
    team = Team.objects.get(slug=TEAM)
    _killed(team, now)
    _planned(team, now)
    return 2


def _killed(team: Team, now: datetime) -> None:
    fault = _fault(now)
    start, end = (from_us(at * SECOND_US) for at in (fault.start, fault.end))
    row = GameDay.objects.create(
        team=team,
        title=KILLED_TITLE,
        fault=f"kubectl delete pod {KILLED.pod} --grace-period=0 at noon, while people use it",
        expectation="The replica is seen as down within 90 seconds. Chat stays up, and nobody is paged.",
        expected_state="down",
        expected_within_s=90,
        planned_at=start - DAY,
        started_at=start,
        ended_at=end + WATCHED,
        outcome=Outcome.AS_EXPECTED,
        learned="Chat stayed up. Requests that were on their way failed: clients should try again once.",
        created_at=start - 3 * DAY,
        created_by=BY,
    )
    row.components.set(Component.objects.filter(name__in=[KILLED.pod, "chat-api"]))
    row.evidence = gamedays.evidence(row, end + WATCHED)
    row.save(update_fields=["evidence"])


def _planned(team: Team, now: datetime) -> None:
    row = GameDay.objects.create(
        team=team,
        title=ZONE_TITLE,
        fault="Block all traffic of the chat replicas in us-east-1b for half an hour",
        expectation="Two of six replicas are down, chat stays up, and the page for it does not go out.",
        planned_at=floor(now, DAY) + 8 * DAY + 9 * HOUR,
        created_at=now - DAY,
        created_by=BY,
    )
    row.components.set(Component.objects.filter(name="chat-api"))


def _fault(now: datetime) -> Trouble:
    """The last time the replica failed, of at least a week ago."""
    at = int(now.timestamp()) - AGO_S
    return troubles(KILLED, at - 3 * DAY_S, at)[-1]
