"""Learning: times until acknowledged and resolved, noise, load per person, and alerts nobody acted on."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import Role, Team, User
from fleetledger.lib.buckets import Window
from fleetledger.lib.keyset import Cut
from monitoring.alerts import acts
from monitoring.alerts.acts import Actor
from monitoring.alerts.learning import load, noise, times
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.load import PersonLoad
from monitoring.alerts.learning.times import Spread
from monitoring.alerts.models import Episode, Event, EventKind
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.learning_world import ALL, WEEK, ended, minute, paged, told
from tests.alerts.world import set_clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


def test_times_say_what_they_leave_out() -> None:
    ended(at=minute(0), minutes=10, told=1, first_acknowledged=3)
    ended(at=minute(1), minutes=20, told=1, first_acknowledged=7)
    ended(at=minute(2), minutes=30, told=5, first_acknowledged=2)  # somebody had it before a message came
    ended(at=minute(3), minutes=40, told=1)
    ended(at=minute(4), minutes=-1)  # over before we heard of it
    ended(at=minute(5), minutes=500).episodes.update(is_withheld=True)
    pages_world.alert("Open", since=minute(6))
    pages_world.alert("OpenAndTold", since=minute(6), episode={"told_at": minute(7)})
    now = times.summary(WEEK, teams=ALL).now
    assert (now.episodes, now.told, now.acknowledged) == (8, 5, 3)
    assert now.to_acknowledge == Spread(2, 240.0, 240.0, 336.0)
    left = (
        now.acknowledged_untold, now.ended_unacknowledged, now.open_unacknowledged, now.withheld, now.never_told,
    )  # fmt: skip
    assert left == (1, 1, 1, 1, 2)
    assert sum(left) + now.to_acknowledge.measured == now.episodes
    assert now.to_resolve == Spread(4, 1500.0, 1500.0, 2220.0)
    assert (now.still_open, now.ended_withheld, now.ended_before_heard) == (2, 1, 1)


def test_nothing_to_measure_is_nothing_and_not_zero() -> None:
    summary = times.summary(WEEK, teams=ALL)
    assert (summary.now, summary.severities, summary.teams) == (times.NOTHING, (), ())
    assert summary.now.to_acknowledge == Spread(0, None, None, None)
    assert {step.times for step in times.over_time(WEEK, teams=ALL)} == {times.NOTHING}


def test_times_come_by_severity_team_day_and_the_week_before(vision: Team) -> None:
    ended(at=minute(0), team=vision, severity="critical")
    ended(at=minute(0) - timedelta(days=1), severity="warning")
    ended(at=minute(0) - timedelta(days=7), severity="warning")
    summary = times.summary(WEEK, teams=ALL)
    assert (summary.now.episodes, summary.before.episodes) == (2, 1)
    assert {part.name: part.times.episodes for part in summary.severities} == {"critical": 1, "warning": 1}
    assert {part.name: part.times.episodes for part in summary.teams} == {"vision": 1, "platform": 1}
    steps = [(f"{step.at:%d %b}", step.times.episodes) for step in times.over_time(WEEK, teams=ALL)]
    assert steps == [
        ("26 Oct", 0), ("27 Oct", 0), ("28 Oct", 0), ("29 Oct", 0), ("30 Oct", 0), ("31 Oct", 1), ("01 Nov", 1),
        ("02 Nov", 0),
    ]  # fmt: skip
    quarter = Asked(Window(WEEK.window.end - timedelta(days=90), WEEK.window.end))
    weeks = times.over_time(quarter, teams=ALL)
    assert [(f"{step.at:%a %d %b}", step.times.episodes) for step in weeks[-3:]] == [
        ("Mon 19 Oct", 1), ("Mon 26 Oct", 2), ("Mon 02 Nov", 0),
    ]  # fmt: skip


def test_the_noisiest_rules_count_messages_pages_and_what_ended_by_itself(vision: Team) -> None:
    tom = world.user("tom")
    to = pages_world.destination(team=vision)
    hot = [ended(at=minute(place), team=vision, node=f"n{place}") for place in range(3)]
    ended("Cold", at=minute(9), first_acknowledged=1)
    told(hot[0], hot[1], to=to)
    run = escalation_world.run(escalation_world.escalation(), hot[0], at=minute(0))
    escalation_world.page(escalation_world.step(run), tom)
    acts.comment(hot[2].pk, "Again", Actor("Mira"))
    Event.objects.create(alert=hot[1], at=minute(2), kind=EventKind.FLAPPING)
    found = noise.noisiest(WEEK, teams=ALL)
    assert (found.all_rules, found.unattended) == (2, 2)
    assert noise.noisiest(WEEK, teams=ALL, most=1).rules == found.rules[:1]
    first, second = found.rules
    assert (first.flapping, second.flapping) == (1, 0)
    assert (first.name, first.team, first.episodes, first.share, first.messages, first.pages) == (
        "Hot", "vision", 3, 0.75, 1, 1,
    )  # fmt: skip
    assert (first.unattended, first.acknowledged_share, second.acknowledged_share) == (2, 0.0, 1.0)
    assert [row.alert_id for row in noise.unattended(WEEK, Cut(10), None, teams=ALL)] == [hot[1].pk, hot[0].pk]


def test_a_silence_is_an_act_and_inhibition_is_none() -> None:
    quiet, inhibited = (ended(name, at=minute(0)) for name in ("Quiet", "Inhibited"))
    for alert, note in ((quiet, "sre by webhook: silence 7d0f"), (inhibited, "inhibited by 0102030405060708")):
        episode = alert.episodes.get()
        Event.objects.create(alert=alert, episode=episode, at=minute(1), kind=EventKind.WITHHELD, note=note)
    assert [row.name for row in noise.unattended(WEEK, Cut(10), None, teams=ALL)] == ["Inhibited"]
    assert {rule.name: rule.unattended for rule in noise.noisiest(WEEK, teams=ALL).rules} == {
        "Quiet": 0,
        "Inhibited": 1,
    }


def test_load_counts_pages_on_the_persons_own_clock_over_a_change_of_the_clocks(vision: Team) -> None:
    mira = world.user("mira", time_zone="Europe/Berlin", first_name="Mira")
    asked = Asked(Window(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)))
    paged(
        mira,
        datetime(2026, 10, 24, 20, 30, tzinfo=UTC),  # Saturday 22:30 of summer: night
        datetime(2026, 10, 25, 5, 30, tzinfo=UTC),  # Sunday 06:30 of winter: the same night
        datetime(2026, 10, 25, 20, 30, tzinfo=UTC),  # Sunday 21:30 of winter: weekend
        datetime(2026, 10, 26, 6, 30, tzinfo=UTC),  # Monday 07:30: day
        datetime(2026, 10, 26, 17, 30, tzinfo=UTC),  # Monday 18:30: evening
        team=vision,
    )
    paged(mira, datetime(2026, 10, 27, 9, 0, tzinfo=UTC), team=vision, state="dead")
    by = load.Reader(ALL, sees_names=True, user_id=None)
    assert load.people(asked, by) == (PersonLoad("mira", "Mira", "Europe/Berlin", 5, 1, 1, 2, 1, 1, 1, 5, 1),)
    hours = load.hours(asked, by)
    assert (sum(map(sum, hours)), hours[5][22], hours[6][6], hours[6][21], hours[0][7]) == (5, 1, 1, 1, 1)


def test_interrupted_nights_in_a_row_are_counted() -> None:
    tom = world.user("tom", time_zone="Asia/Tokyo")
    nights = [datetime(2026, 10, day, hour, 30, tzinfo=UTC) for day, hour in ((27, 14), (28, 21), (29, 20), (31, 15))]
    paged(tom, *nights)  # 23:30 of the 27th, 06:30 and 05:30 of the nights of the 28th and 29th, then the 31st
    (row,) = load.people(WEEK, load.Reader(ALL, sees_names=True, user_id=None))
    assert (row.at_night, row.interrupted_nights, row.longest_sleepless) == (4, 4, 3)


def test_a_page_about_what_somebody_acknowledged_is_not_unacknowledged() -> None:
    paged(world.user("tom"), minute(0), minute(1))
    Episode.objects.update(first_acknowledged_at=minute(2))
    (row,) = load.people(WEEK, load.Reader(ALL, sees_names=True, user_id=None))
    assert (row.pages, row.unacknowledged) == (2, 0)


def test_a_zone_that_nobody_knows_counts_as_utc() -> None:
    tom = world.user("tom", time_zone="Mars/Olympus")
    paged(tom, minute(0))
    (row,) = load.people(WEEK, load.Reader(ALL, sees_names=True, user_id=None))
    assert (row.time_zone, row.pages) == ("UTC", 1)


def test_names_are_for_sres_and_members_and_others_see_their_own(vision: Team) -> None:
    mira, audio = world.member(vision, username="mira"), world.team("audio")
    tom = world.member(audio, username="tom")
    paged(mira, minute(0), team=vision)
    paged(tom, minute(1), team=vision)
    finance = world.user("fay", role=Role.FINANCE)
    paged(finance, minute(2), team=vision)

    def seen(person: User) -> list[str]:
        return sorted(row.username for row in load.people(WEEK, load.reader(person)))

    assert seen(world.user("sam", role=Role.SRE)) == ["fay", "mira", "tom"]
    assert seen(mira) == ["fay", "mira", "tom"]
    assert (seen(tom), seen(finance), seen(world.user("eve"))) == (["tom"], ["fay"], [])


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    body = b"".join(answer) if answer.streaming else answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", body.decode()).split())


def test_the_page_tells_all_of_it(vision: Team) -> None:
    mira = world.member(vision, role=Role.LEAD, username="mira")
    for place in range(10):
        alert = ended(at=minute(place), minutes=1, team=vision, told=0.1)
    told(alert, to=pages_world.destination(team=vision))
    paged(mira, minute(20), team=vision)
    text = _text(_as(mira), "/alerts/learning/?from=now-7d&to=now")
    assert "Until acknowledged, median \N{EN DASH}" in text
    assert "0 measured of 11" in text
    assert (
        "Of 11 alerts, 0 are in “until acknowledged”. Not in it: 0 acknowledged before or without a message, "
        "10 told but over without anybody, 0 told and still open, 0 withheld, 1 never told."
    ) in text
    assert "Hot vision : Raise its “for” by 2 min" in text
    assert "1 of 2 rules fired fewer than 10 times: too few to say." in text
    assert "The latest 10 of 11; all of them in the CSV." in text
    assert "SREs and admins see everybody here" in text


def test_an_empty_page_says_so_and_a_wrong_range_too() -> None:
    text = _text(_as(world.user("sam", role=Role.SRE)), "/alerts/learning/?from=soon")
    assert "Nothing fired in this range" in text
    assert "is not a time for" in text


def test_a_stranger_sees_nothing(vision: Team) -> None:
    ended(at=minute(0), team=vision)
    stranger = world.member(world.team("audio"), role=Role.LEAD)
    assert "Nothing fired in this range" in _text(_as(stranger), "/alerts/learning/")
    assert times.summary(WEEK, teams=teams_visible_to(stranger)).now.episodes == 0
    assert noise.noisiest(WEEK, teams=teams_visible_to(stranger)).rules == ()
    assert _text(_as(stranger), "/alerts/learning/?format=csv&table=unattended").count("Hot") == 0


@pytest.mark.parametrize("table", ["parts", "rules", "people", "unattended", "suggestions", "nonsense"])
def test_every_table_is_csv(vision: Team, table: str) -> None:
    mira = world.member(vision, username="mira")
    paged(mira, minute(0), team=vision)
    body = b"".join(_as(mira).get(f"/alerts/learning/?format=csv&table={table}")).decode().splitlines()
    header = {"parts": "by,name,", "people": "username,", "unattended": "id,", "suggestions": "kind,"}
    assert body[0].startswith(header.get(table, "name,team,episodes,"))
    assert len(body) >= (1 if table == "suggestions" else 2)


def test_figures_have_units_an_empty_state_and_csv() -> None:
    client = _as(world.user("sam", role=Role.SRE))
    empty = json.loads(client.get("/alerts/learning/figures/times.json").content)
    assert (empty["data"], empty["empty"]) == ([], "Nothing fired in this range, so there is nothing to measure.")
    assert json.loads(client.get("/alerts/learning/figures/hours.json").content)["data"] == []
    ended(at=minute(0), minutes=10)
    full = json.loads(client.get("/alerts/learning/figures/times.json").content)
    known = [[value for value in trace["y"] if value is not None] for trace in full["data"]]
    assert (full["layout"]["meta"]["unit"], known, len(full["data"][0]["x"])) == ("min", [[], [10.0]], 31)
    paged(world.user("tom"), minute(0))
    heat = json.loads(client.get("/alerts/learning/figures/hours.json").content)
    assert heat["data"][1]["zmax"] == 1
    assert b"".join(client.get("/alerts/learning/figures/hours.json?format=csv")).startswith(b"day,0,1,")


@pytest.mark.parametrize("name", ["summary", "rules", "people", "unattended", "suggestions"])
def test_the_api_answers_and_refuses(vision: Team, name: str, client: Client) -> None:
    ended(at=minute(0), team=vision)
    path, own = f"/api/v1/alert-reports/{name}", world.bearer(world.token(team=vision))
    answer = client.get(f"{path}?from=2026-10-26T00:00:00Z&to=2026-11-02T00:00:00Z&severity=warning", headers=own)
    assert answer.status_code == 200
    assert client.get(f"{path}?since=1", headers=own).status_code == 422
    assert client.get(f"{path}?from=yesterday", headers=own).status_code == 422
    assert client.get(path).status_code in (401, 403)


def test_the_api_and_the_page_give_the_same_numbers(vision: Team, client: Client) -> None:
    ended(at=minute(0), team=vision, told=1, first_acknowledged=3)
    own = world.bearer(world.token(team=vision))
    summary = client.get("/api/v1/alert-reports/summary", headers=own).json()
    assert summary["now"]["to_acknowledge"] == {"measured": 1, "median_s": 120.0, "mean_s": 120.0, "p90_s": 120.0}
    assert summary["teams"][0]["name"] == "vision"
    (rule,) = client.get("/api/v1/alert-reports/rules", headers=own).json()["results"]
    assert (rule["name"], rule["median_to_acknowledge_s"], rule["never_told"]) == ("Hot", 120.0, 0)
    stranger = world.bearer(world.token("other", team=world.team("audio")))
    assert client.get("/api/v1/alert-reports/rules", headers=stranger).json()["results"] == []


def test_unattended_alerts_are_paged(vision: Team, client: Client) -> None:
    made = [ended(at=minute(place), team=vision).pk for place in range(3)]
    own = world.bearer(world.token(team=vision))
    first = client.get("/api/v1/alert-reports/unattended?limit=2", headers=own).json()
    second = client.get(first["next"], headers=own).json()
    assert [row["alert_id"] for row in (*first["results"], *second["results"])] == made[::-1]
    back = client.get(second["previous"], headers=own).json()
    assert [row["alert_id"] for row in back["results"]] == made[:0:-1]
