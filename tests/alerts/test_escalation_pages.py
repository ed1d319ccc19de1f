"""Escalations on pages and in the API: ladders, what runs, what ran, whom it paged, and that strangers see nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.models import Membership, Role, Team, User
from monitoring.alerts.escalation.ladders import rungs
from monitoring.alerts.models import OutboxMessage, Run
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.world import START, after, set_clock, tree

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


@pytest.fixture
def mira(vision: Team) -> User:
    person = world.user("mira", first_name="Mira")
    Membership.objects.create(team=vision, user=person, role=Role.LEAD)
    return person


@pytest.fixture
def tom() -> User:
    return world.user("tom", first_name="Tom")


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    body = b"".join(answer) if answer.streaming else answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", body.decode()).split())


def _running(team: Team, person: User, **fields: Any) -> Run:
    run = escalation_world.run(
        escalation_world.escalation(team=team), pages_world.alert(team=team), at=after(-120), **fields
    )
    escalation_world.page(escalation_world.step(run, words="Paged Mira."), person, why="named by the step")
    escalation_world.step(run, 1, words="Waited 5 min.")
    return run


def test_without_an_escalation_the_page_says_how_to_write_one(mira: User) -> None:
    text = _text(_as(mira), "/alerts/escalations/")
    assert "No escalation is there yet" in text
    assert "{schedule: primary}" in text


def test_a_ladder_says_its_steps_in_words_and_whom_each_would_page(vision: Team, mira: User, tom: User) -> None:
    steps: list[dict[str, Any]] = [
        {"person": "tom"},
        {"wait": "5m"},
        {"team": "vision", "if": {"time": {"from": "09:00", "until": "17:00", "days": ["mon", "tue"]}}},
        {"person": "gone", "if": {"more_than": {"alerts": 5, "within": "10m"}}},
        {"schedule": "primary"},
        {"everyone": True},
        {"receiver": "sre"},
        {"webhook": {"url": "https://hooks.example.org/secret"}},
    ]
    escalation_world.escalation("ladder", steps, team=vision, repeat=2, acknowledge_timeout_s=1800)
    escalation_world.way(mira)
    tree(vision, {"receiver": "default", "escalation": {"critical": "ladder"}})
    text = _text(_as(mira), "/alerts/escalations/")
    assert "begins again 2 times · an acknowledgement holds for 30 min" in text
    assert "Page tom Now: Tom no verified way Then wait 5 min Page the team vision" in text
    assert "Only if it is between 09:00 and 17:00 on Mon, Tue · Now: Mira Page gone" in text
    assert "Only if there are more than 5 alerts within 10 min · is not there any more" in text
    assert "Page who is on call in primary no such schedule Page everyone of the team Now: Mira" in text
    assert "Tell the receiver sre Call the webhook of hooks.example.org" in text
    assert "vision: everything where critical" in text
    assert "secret" not in text
    assert "critical escalates to ladder" in _text(_as(mira), "/alerts/routing/?team=vision")


def test_what_runs_says_where_it_stands_and_what_comes_next(vision: Team, mira: User, tom: User) -> None:
    run = _running(vision, mira, due_at=after(180))
    said = "Step 2 of 3 done; Tom is paged in 3 min unless somebody acknowledges."
    for path in ("/alerts/escalations/", f"/alerts/escalations/runs/{run.pk}/"):
        assert said in _text(_as(mira), path), path
    assert tom.is_active


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"step": 0, "due_at": START}, "No step of 3 done yet; Mira is paged now unless somebody acknowledges."),
        ({"step": 3, "repeat": 1}, "Step 3 of 3 done; the steps begin again in 60 s unless somebody acknowledges."),
        ({"held_for": "a silence"}, "Step 2 of 3 done; put off: a silence"),
        ({"state": "acknowledged"}, "Stopped after step 2 of 3: somebody acknowledged."),
        ({"state": "resolved"}, "Stopped after step 2 of 3: the alerts are over."),
        ({"state": "exhausted"}, "All steps are done and nobody acknowledged."),
    ],
)
def test_every_state_has_its_sentence(vision: Team, mira: User, fields: dict[str, Any], said: str) -> None:
    alert = pages_world.alert(team=vision)
    run = escalation_world.run(escalation_world.escalation(team=vision), alert, at=after(-120))
    Run.objects.filter(pk=run.pk).update(
        **fields, **({"due_at": None} if "state" in fields else {}) | ({} if "repeat" in fields else {"repeat": 0})
    )
    assert said in _text(_as(mira), f"/alerts/escalations/runs/{run.pk}/")


def test_a_runs_page_shows_pages_with_their_ways(vision: Team, mira: User, tom: User) -> None:
    run = _running(vision, mira)
    done = escalation_world.step(run, 2, words="Paged Tom.", at=START)
    escalation_world.page(done, tom, state="queued", quiet_until_at=after(3600))
    passed = escalation_world.step(run, 0, words="Not now: outside of 09:00 to 17:00.", round=1, is_passed_over=True)
    escalation_world.page(passed, world.user("eve"), state="withheld", problem="No verified way.")
    text = _text(_as(mira), f"/alerts/escalations/runs/{run.pk}/")
    assert "Step 1: Paged Mira. Mira, named by the step: Mail (mail) Delivered" in text
    assert "Tom: Mail (mail) waits until 12:00" in text
    assert "quiet hours until 2 Nov 13:00" in text
    assert "Step 1, round 2: Not now: outside of 09:00 to 17:00. Passed over eve: No verified way. Mail (mail)" in text
    first = OutboxMessage.objects.order_by("pk").first()
    assert first is not None
    assert f"/alerts/deliveries/{first.pk}/" in _as(mira).get(f"/alerts/escalations/runs/{run.pk}/").content.decode()
    lines = _text(_as(mira), f"/alerts/escalations/runs/{run.pk}/?format=csv")
    assert lines.startswith("round,step,at,words,passed_over,person,why,channel,state,finished_at 1,1,")


def test_the_alerts_page_has_the_escalation_and_who_was_paged(vision: Team, mira: User, tom: User) -> None:
    run = _running(vision, mira, due_at=after(180))
    alert = run.episodes.get().alert
    text = _text(_as(mira), f"/alerts/{alert.pk}/")
    assert "Step 2 of 3 done; Tom is paged in 3 min unless somebody acknowledges." in text
    assert "Mira paged Mail (mail): delivered" in text
    assert "Nobody yet" not in text
    assert "Escalation Of this episode" not in _text(_as(mira), f"/alerts/{pages_world.alert('Cold', team=vision).pk}/")


def test_finished_runs_are_paged_and_csv(vision: Team, mira: User) -> None:
    escalation = escalation_world.escalation(team=vision)
    for place in range(27):
        alert = pages_world.alert(f"Alert{place}", team=vision, node=f"n{place}")
        escalation_world.run(escalation, alert, at=after(-3600 + place), state="resolved")
    client = _as(mira)
    text = _text(client, "/alerts/escalations/")
    assert ("Alert26" in text, "Alert1 " in text, "Older" in text) == (True, False, True)
    (older,) = re.findall(r'rel="next" href="([^"]+)"', client.get("/alerts/escalations/").content.decode())
    assert "Alert1 " in _text(client, older)
    body = b"".join(client.get("/alerts/escalations/?format=csv")).decode().splitlines()
    assert (body[0][:13], len(body)) == ("id,escalation", 28)


def test_more_than_fifty_that_escalate_now_are_paged(vision: Team, mira: User) -> None:
    escalation = escalation_world.escalation(team=vision)
    for place in range(52):
        escalation_world.run(escalation, pages_world.alert(f"Alert{place}", team=vision, node=f"n{place}"))
    client = _as(mira)
    first = client.get("/alerts/escalations/").content.decode()
    assert ("Alert51<" in first, "Alert2<" in first, "Alert1<" in first) == (True, True, False)
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    last = client.get(older).content.decode()
    assert ("Alert1<" in last, "Alert0<" in last, "Alert2<" in last, 'rel="next"' in last) == (True, True, False, False)


def test_a_stranger_sees_neither_ladder_nor_run(vision: Team, mira: User) -> None:
    run = _running(vision, mira)
    stranger = _as(world.member(world.team("audio"), role=Role.LEAD))
    assert "No escalation is there yet" in _text(stranger, "/alerts/escalations/")
    assert stranger.get(f"/alerts/escalations/runs/{run.pk}/").status_code == 404
    headers = world.bearer(world.token(team=Team.objects.get(slug="audio")))
    for path in (f"escalation-runs/{run.pk}", "escalations/primary"):
        assert Client().get(f"/api/v1/{path}", headers=headers).status_code == 404
    for path in ("escalation-runs", "escalations"):
        assert Client().get(f"/api/v1/{path}", headers=headers).json()["results"] == []


def test_the_api_gives_ladders_runs_and_their_pages(vision: Team, mira: User, client: Client) -> None:
    run = _running(vision, mira, due_at=after(180))
    alert = run.episodes.get().alert
    headers = world.bearer(world.token(team=vision))

    def ask(path: str) -> Any:
        return client.get(f"/api/v1/{path}", headers=headers).json()

    (ladder,) = ask("escalations")["results"]
    assert [step["rung"]["words"] for step in ladder["steps"]] == ["Page mira", "Then wait 5 min", "Page tom"]
    assert ladder["steps"][0]["now"]["people"] == [{"username": "mira", "name": "Mira", "is_reachable": True}]
    assert ask("escalations/primary") == ladder
    for query in ("", "?state=active", "?escalation=primary", f"?alert={alert.pk}"):
        assert [row["id"] for row in ask(f"escalation-runs{query}")["results"]] == [run.pk], query
    for query in ("?state=resolved", "?escalation=other", "?alert=999"):
        assert ask(f"escalation-runs{query}")["results"] == [], query
    detail = ask(f"escalation-runs/{run.pk}")
    assert detail["row"]["sentence"] == "Step 2 of 3 done; tom is paged in 3 min unless somebody acknowledges."
    assert [way["state"] for way in detail["done"][0]["pages"][0]["ways"]] == ["sent"]
    assert [one["alert_id"] for one in detail["alerts"]] == [alert.pk]
    for query in ("?state=odd", "?alert=x", "?since=1"):
        assert client.get(f"/api/v1/escalation-runs{query}", headers=headers).status_code == 422, query


def test_many_runs_cost_no_more_statements_than_few(
    vision: Team, mira: User, django_assert_max_num_queries: Any
) -> None:
    for place in range(20):
        alert = pages_world.alert(f"Alert{place}", team=vision)
        run = escalation_world.run(escalation_world.escalation(f"e{place}", team=vision), alert)
        escalation_world.page(escalation_world.step(run), mira, START + timedelta(seconds=place))
    client = _as(mira)
    client.get("/alerts/escalations/")
    with django_assert_max_num_queries(35):
        client.get("/alerts/escalations/")


def test_pages_by_assignment_and_messages_to_receivers_show_too(vision: Team, mira: User, tom: User) -> None:
    run = _running(vision, mira)
    page = escalation_world.page(escalation_world.step(run, 2, words="Told sre."), tom, why="it was given to them")
    page.done = None
    page.save()
    message = pages_world.message(pages_world.destination(team=vision), run.episodes.get().alert)
    OutboxMessage.objects.filter(pk=message.pk).update(run=run)
    text = _text(_as(mira), f"/alerts/escalations/runs/{run.pk}/")
    assert "Paged because the alert was given to them Tom, it was given to them: Mail (mail) Delivered" in text
    assert "Messages of steps that page nobody sre by Webhook Delivered" in text


def test_a_window_with_one_end_reaches_to_midnight() -> None:
    (rung,) = rungs([{"everyone": True, "if": {"time": {"from": "18:00"}}}])
    assert rung.condition == "only if it is between 18:00 and 24:00"
