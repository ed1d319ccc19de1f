"""Schedules and escalations that are taken away: not while something names them, and never without their history."""

import re
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet import config
from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts import clock
from monitoring.alerts.models import Destination, Escalation, Override, Run, Schedule, Swap
from tests import world as fleet
from tests.alerts import escalation_world, pages_world, world
from tests.alerts.schedules_world import at, override, person, schedule

pytestmark = pytest.mark.django_db
FILE = """
schedules:
  - name: primary
    team: vision
    time_zone: Europe/Berlin
    layers: [{name: base, people: [mira, tom], every: week, start: 2026-11-02 09:00}]
escalations:
  - {name: gpu, team: vision, steps: [{schedule: primary}]}
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


@pytest.fixture
def lead(vision: Team) -> User:
    return person("mira", vision, role=Role.LEAD)


@pytest.fixture
def member(vision: Team) -> User:
    return person("tom", vision)


@pytest.fixture
def stranger() -> User:
    return person("eve", fleet.team("audio"), role=Role.LEAD)


def delete(team: Team | None, path: str) -> tuple[int, str]:
    headers = fleet.bearer(fleet.token(scopes=("write",), team=team))
    answer = Client().delete(f"/api/v1/{path}", headers=headers)
    return answer.status_code, answer.json()["detail"] if answer.content else ""


def send(who: User, path: str) -> tuple[int, str]:
    """The status, and what the page says afterwards."""
    client = Client()
    client.force_login(who)
    answer = client.post(path)
    if answer.status_code != 302:
        return answer.status_code, ""
    body = client.get(answer["Location"]).content.decode()
    return answer.status_code, " ".join(re.sub(r"<[^>]+>", " ", body[body.index("<body") :]).split())


def applied(text: str) -> list[str]:
    return [str(change) for change in config.apply([("fleet.yaml", text)]).changes]


def test_a_schedule_that_a_step_names_stays_and_then_goes_with_its_history_kept(
    vision: Team, lead: User, member: User
) -> None:
    applied(FILE)
    row = Schedule.objects.get()
    override(row, member, at(11, 3), at(11, 4))
    asked = Swap.objects.create(
        schedule=row, asked_by=lead, from_at=at(11, 7), until_at=at(11, 9), created_at=world.START
    )
    named = "A step of the escalation 'gpu' still names the schedule 'primary'. Take it out of the steps first."
    assert delete(vision, "schedules/primary") == (409, named)
    applied("escalations: [{name: gpu, team: vision, steps: [{person: mira}]}]")
    assert delete(vision, "schedules/primary") == (204, "")
    assert delete(vision, "schedules/primary")[0] == 404
    row.refresh_from_db()
    asked.refresh_from_db()
    assert (row.removed_at, asked.state, Override.objects.get().cancelled_at) == (world.START, "cancelled", None)
    assert "schedules:" not in config.export()
    with pytest.raises(config.ConfigError, match="No schedule is called 'primary'"):
        applied("escalations: [{name: gpu, team: vision, steps: [{schedule: primary}]}]")
    assert applied(FILE) == [
        "+ schedule primary: again, team vision, time_zone Europe/Berlin, layers base",
        "~ escalation gpu: steps",
    ]
    assert Schedule.objects.get().removed_at is None


def test_an_escalation_that_a_route_names_stays_and_what_has_begun_goes_on(vision: Team, lead: User) -> None:
    steps: list[dict[str, Any]] = [{"person": "mira"}, {"webhook": {"url": "http://127.0.0.1:9/x"}}]
    row = escalation_world.escalation("gpu", steps, team=vision)
    hook = Destination.objects.create(escalation=row, receiver="gpu", kind="webhook", config=steps[1]["webhook"])
    world.tree(vision, route={"receiver": "default", "escalation": {"critical": "gpu"}})
    run = escalation_world.run(row, pages_world.alert(team=vision))
    assert delete(vision, "escalations/gpu") == (
        409, "Routes of vision still name the escalation 'gpu'. Take it out of them first.",
    )  # fmt: skip
    world.tree(vision, route={"receiver": "default"})
    assert delete(vision, "escalations/gpu") == (204, "")
    row.refresh_from_db()
    hook.refresh_from_db()
    assert (row.removed_at, hook.removed_at, Run.objects.get(pk=run.pk).state) == (clock.now(), clock.now(), "active")


def test_the_name_of_another_teams_escalation_is_not_told(vision: Team, lead: User) -> None:
    schedule(team=vision)
    escalation_world.escalation("secret", [{"schedule": "primary"}], team=fleet.team("audio"))
    status, said = delete(vision, "schedules/primary")
    assert (status, said.partition(".")[0]) == (
        409,
        "A step of the escalation of another team still names the schedule 'primary'",
    )


@pytest.mark.parametrize("path", ["schedules/primary", "escalations/gpu"])
def test_who_may_not_act_for_the_team_removes_nothing(vision: Team, stranger: User, path: str) -> None:
    schedule(team=vision)
    escalation_world.escalation("gpu", team=vision)
    assert delete(Team.objects.get(slug="audio"), path)[0] == 404
    reader = fleet.bearer(fleet.token(scopes=("read",), team=vision))
    assert Client().delete(f"/api/v1/{path}", headers=reader).status_code == 403
    assert (Schedule.objects.get().removed_at, Escalation.objects.get().removed_at) == (None, None)


def test_the_pages_let_a_lead_remove_a_member_not_and_a_stranger_sees_nothing(
    vision: Team, lead: User, member: User, stranger: User
) -> None:
    schedule(team=vision)
    escalation_world.escalation("gpu", [{"schedule": "primary"}], team=vision)
    of_schedule, of_escalation = "/alerts/on-call/schedules/primary/remove/", "/alerts/escalations/gpu/remove/"
    shown: dict[str, Any] = {}
    for who in (lead, member):
        client = Client()
        client.force_login(who)
        pages = (("/alerts/on-call/schedules/primary/", of_schedule), ("/alerts/escalations/", of_escalation))
        shown[who.username] = [path in client.get(page).content.decode() for page, path in pages]
    assert shown == {"mira": [True, True], "tom": [False, False]}
    for path in (of_schedule, of_escalation):
        assert (send(member, path)[0], send(stranger, path)[0]) == (403, 404)
    assert "still names the schedule &#x27;primary&#x27;" in send(lead, of_schedule)[1]
    assert "The escalation gpu is removed." in send(lead, of_escalation)[1]
    assert "The schedule primary is removed." in send(lead, of_schedule)[1]
