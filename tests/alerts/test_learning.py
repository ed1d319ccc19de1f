"""Learning: times until acknowledged and resolved, noise, load per person, alerts nobody acted on, suggestions."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import Role, Team, User
from fleetledger.lib.buckets import Window
from fleetledger.lib.keyset import Cut
from monitoring.alerts import acts
from monitoring.alerts.acts import Actor
from monitoring.alerts.learning import load, noise, suggestions, times
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.load import PersonLoad
from monitoring.alerts.learning.times import Spread
from monitoring.alerts.models import Alert, Attempt
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.world import START, after, set_clock

pytestmark = pytest.mark.django_db
ALL = TeamScope.everything()
WEEK = Asked(Window(START - timedelta(days=7), START))
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


def ended(name: str = "Hot", *, at: datetime, minutes: float = 10, team: Team | None = None, **fields: Any) -> Alert:
    """An alert that began at `at` and ended by itself; told, acknowledged: minutes after its begin."""
    labels = {key: fields.pop(key) for key in ("node", "severity") if key in fields}
    alert = pages_world.alert(
        name, team=team, state="resolved", since=at, episode={}, n=f"{at.isoformat()}-{Alert.objects.count()}", **labels
    )
    known = {f"{key}_at": at + timedelta(minutes=value) for key, value in fields.items()}
    alert.episodes.update(ended_at=at + timedelta(minutes=minutes), **known)
    return alert


def _told(*alerts: Alert, to: Any) -> None:
    """One message that told of all of these."""
    first = pages_world.message(to, alerts[0])
    attempt = Attempt.objects.get(message=first)
    attempt.episodes.set([alert.episodes.get() for alert in alerts])


def _at(minutes: float) -> datetime:
    return after(-86_400 + 60 * minutes)


def test_times_say_what_they_leave_out() -> None:
    ended(at=_at(0), minutes=10, told=1, first_acknowledged=3)
    ended(at=_at(1), minutes=20, told=1, first_acknowledged=7)
    ended(at=_at(2), minutes=30, told=5, first_acknowledged=2)  # somebody had it before a message came
    ended(at=_at(3), minutes=40, told=1)
    pages_world.alert("Open", since=_at(4))
    now = times.summary(WEEK, teams=ALL).now
    assert (now.episodes, now.told, now.never_told) == (5, 4, 1)
    assert (now.acknowledged, now.never_acknowledged, now.acknowledged_untold, now.still_open) == (3, 2, 1, 1)
    assert now.to_acknowledge == Spread(2, 240.0, 240.0, 336.0)
    assert now.to_resolve == Spread(4, 1500.0, 1500.0, 2220.0)


def test_nothing_to_measure_is_nothing_and_not_zero() -> None:
    summary = times.summary(WEEK, teams=ALL)
    assert (summary.now.episodes, summary.now.to_acknowledge) == (0, Spread(0, None, None, None))
    assert (summary.severities, summary.teams, times.over_time(WEEK, teams=ALL)) == ((), (), ())


def test_times_come_by_severity_team_day_and_the_week_before(vision: Team) -> None:
    ended(at=_at(0), team=vision, severity="critical")
    ended(at=_at(0) - timedelta(days=1), severity="warning")
    ended(at=_at(0) - timedelta(days=7), severity="warning")
    summary = times.summary(WEEK, teams=ALL)
    assert (summary.now.episodes, summary.before.episodes) == (2, 1)
    assert {part.name: part.times.episodes for part in summary.severities} == {"critical": 1, "warning": 1}
    assert {part.name: part.times.episodes for part in summary.teams} == {"vision": 1, "platform": 1}
    steps = times.over_time(WEEK, teams=ALL)
    assert [(f"{step.at:%d %b}", step.times.episodes) for step in steps] == [("31 Oct", 1), ("01 Nov", 1)]


def test_the_noisiest_rules_count_messages_pages_and_what_ended_by_itself(vision: Team) -> None:
    tom = world.user("tom")
    to = pages_world.destination(team=vision)
    hot = [ended(at=_at(place), team=vision, node=f"n{place}") for place in range(3)]
    ended("Cold", at=_at(9), first_acknowledged=1)
    _told(hot[0], hot[1], to=to)
    run = escalation_world.run(escalation_world.escalation(), hot[0], at=_at(0))
    escalation_world.page(escalation_world.step(run), tom)
    acts.comment(hot[2].pk, "Again", Actor("Mira"))
    first, second = noise.noisiest(WEEK, teams=ALL)
    assert (first.name, first.team, first.episodes, first.share, first.messages, first.pages) == (
        "Hot", "vision", 3, 0.75, 1, 1,
    )  # fmt: skip
    assert (first.unattended, first.acknowledged_share, second.acknowledged_share) == (2, 0.0, 1.0)
    assert [row.alert_id for row in noise.unattended(WEEK, Cut(10), None, teams=ALL)] == [hot[1].pk, hot[0].pk]


def _paged(person: User, *at: datetime, team: Team | None = None, **fields: Any) -> None:
    alert = ended("Paged", at=at[0], team=team)
    escalation = escalation_world.escalation(f"of {person.username} {at[0]}")
    run = escalation_world.run(escalation, alert, at=at[0])
    for place, moment in enumerate(at):
        escalation_world.page(escalation_world.step(run, place, at=moment), person, moment, **fields)


def test_load_counts_pages_on_the_persons_own_clock_over_a_change_of_the_clocks(vision: Team) -> None:
    mira = world.user("mira", time_zone="Europe/Berlin", first_name="Mira")
    asked = Asked(Window(datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)))
    _paged(
        mira,
        datetime(2026, 10, 24, 20, 30, tzinfo=UTC),  # Saturday 22:30 of summer: night
        datetime(2026, 10, 25, 5, 30, tzinfo=UTC),  # Sunday 06:30 of winter: the same night
        datetime(2026, 10, 25, 20, 30, tzinfo=UTC),  # Sunday 21:30 of winter: weekend
        datetime(2026, 10, 26, 6, 30, tzinfo=UTC),  # Monday 07:30: day
        datetime(2026, 10, 26, 17, 30, tzinfo=UTC),  # Monday 18:30: evening
        team=vision,
    )
    _paged(mira, datetime(2026, 10, 27, 9, 0, tzinfo=UTC), team=vision, state="dead")
    by = load.Reader(ALL, sees_names=True, user_id=None)
    assert load.people(asked, by) == (PersonLoad("mira", "Mira", "Europe/Berlin", 5, 1, 1, 2, 1, 1, 5, 1),)
    hours = load.hours(asked, by)
    assert (sum(map(sum, hours)), hours[5][22], hours[6][6], hours[6][21], hours[0][7]) == (5, 1, 1, 1, 1)


def test_a_zone_that_nobody_knows_counts_as_utc() -> None:
    tom = world.user("tom", time_zone="Mars/Olympus")
    _paged(tom, _at(0))
    (row,) = load.people(WEEK, load.Reader(ALL, sees_names=True, user_id=None))
    assert (row.time_zone, row.pages) == ("UTC", 1)


def test_names_are_for_sres_and_members_and_others_see_their_own(vision: Team) -> None:
    mira, audio = world.member(vision, username="mira"), world.team("audio")
    tom = world.member(audio, username="tom")
    _paged(mira, _at(0), team=vision)
    _paged(tom, _at(1), team=vision)
    finance = world.user("fay", role=Role.FINANCE)
    _paged(finance, _at(2), team=vision)

    def seen(person: User) -> list[str]:
        return sorted(row.username for row in load.people(WEEK, load.reader(person)))

    assert seen(world.user("sam", role=Role.SRE)) == ["fay", "mira", "tom"]
    assert seen(mira) == ["fay", "mira", "tom"]
    assert (seen(tom), seen(finance), seen(world.user("eve"))) == (["tom"], ["fay"], [])


def test_a_longer_for_is_suggested_with_what_it_spares_and_delays() -> None:
    to = pages_world.destination()
    for place in range(10):
        _told(ended(at=_at(place), minutes=1.5 if place < 8 else 40, node=f"n{place}"), to=to)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.title, one.saved_messages, one.delayed, one.delay_s) == (
        "raise_for", "Raise its “for” by 2 min", 8, 2, 120,
    )  # fmt: skip
    assert one.evidence == (
        "80% of its 10 alerts ended by themselves within 2 min, without an act. "
        "The other 2 would have come 2 min later."
    )


def test_a_longer_for_is_not_suggested_where_somebody_needed_to_know() -> None:
    to = pages_world.destination()
    for place in range(10):
        acknowledged: dict[str, Any] = {} if place else {"first_acknowledged": 1}
        _told(ended(at=_at(place), minutes=1.5, node=f"n{place}", **acknowledged), to=to)
    assert suggestions.suggestions(WEEK, teams=ALL).found == ()


def test_bursts_suggest_grouping_by_the_labels_that_stay_the_same() -> None:
    to = pages_world.destination()
    for burst in range(3):
        for node in range(5):
            _told(ended(at=_at(60 * burst), minutes=90, node=f"n{node}", first_acknowledged=1), to=to)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.title, one.saved_messages) == ("group", "Group it: group_by: [alertname, severity]", 12)
    assert one.evidence == (
        "3 times at least 5 of its alerts began within one minute, 15 in all; they came as 15 messages where 3 do."
    )


def test_a_rule_on_which_nobody_acted_in_ninety_days_may_go() -> None:
    for place in range(20):
        ended(at=_at(0) - timedelta(days=3 * place), minutes=200, node=f"n{place}")
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.episodes, one.evidence) == (
        "delete", 20, "Nobody acted on any of its 20 alerts in 90 days; all ended by themselves.",
    )  # fmt: skip


def test_night_pages_on_which_nobody_acted_can_wait() -> None:
    tom = world.user("tom", time_zone="America/New_York")
    for place in range(10):
        _paged(tom, START - timedelta(days=1, hours=6, minutes=place))  # 01:00 in New York
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.saved_pages) == ("route_lower", 10)


def test_what_is_always_withheld_is_told() -> None:
    for place in range(10):
        ended(at=_at(place), minutes=200, node=f"n{place}").episodes.update(is_withheld=True)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert one.kind == "silence"


def test_too_few_is_said_and_not_guessed_from() -> None:
    ended(at=_at(0))
    found = suggestions.suggestions(WEEK, teams=ALL)
    assert (found.found, found.too_few, found.rules) == ((), 1, 1)


# --- the page and the API ---


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
        alert = ended(at=_at(place), minutes=1, team=vision, told=0.1)
    _told(alert, to=pages_world.destination(team=vision))
    _paged(mira, _at(20), team=vision)
    text = _text(_as(mira), "/alerts/learning/?from=now-7d&to=now")
    assert "Until acknowledged, median \N{EN DASH}" in text
    assert "0 measured of 11" in text
    assert "Not in “until acknowledged”: 1 never told, 11 never acknowledged" in text
    assert "Hot vision : Raise its “for” by 2 min" in text
    assert "1 of 2 rules fired fewer than 10 times: too few to say." in text
    assert "The latest 10 of 11; all of them in the CSV." in text
    assert "SREs and admins see everybody here" in text


def test_an_empty_page_says_so_and_a_wrong_range_too() -> None:
    text = _text(_as(world.user("sam", role=Role.SRE)), "/alerts/learning/?from=soon")
    assert "Nothing fired in this range" in text
    assert "is not a time for" in text


def test_a_stranger_sees_nothing(vision: Team) -> None:
    ended(at=_at(0), team=vision)
    stranger = world.member(world.team("audio"), role=Role.LEAD)
    assert "Nothing fired in this range" in _text(_as(stranger), "/alerts/learning/")
    assert times.summary(WEEK, teams=teams_visible_to(stranger)).now.episodes == 0
    assert noise.noisiest(WEEK, teams=teams_visible_to(stranger)) == ()
    assert _text(_as(stranger), "/alerts/learning/?format=csv&table=unattended").count("Hot") == 0


@pytest.mark.parametrize("table", ["parts", "rules", "people", "unattended", "suggestions", "nonsense"])
def test_every_table_is_csv(vision: Team, table: str) -> None:
    mira = world.member(vision, username="mira")
    _paged(mira, _at(0), team=vision)
    body = b"".join(_as(mira).get(f"/alerts/learning/?format=csv&table={table}")).decode().splitlines()
    header = {"parts": "by,name,", "people": "username,", "unattended": "id,", "suggestions": "kind,"}
    assert body[0].startswith(header.get(table, "name,team,episodes,"))
    assert len(body) >= (1 if table == "suggestions" else 2)


def test_figures_have_units_an_empty_state_and_csv() -> None:
    client = _as(world.user("sam", role=Role.SRE))
    empty = json.loads(client.get("/alerts/learning/figures/times.json").content)
    assert (empty["data"], empty["empty"]) == ([], "Nothing fired in this range, so there is nothing to measure.")
    assert json.loads(client.get("/alerts/learning/figures/hours.json").content)["data"] == []
    ended(at=_at(0), minutes=10)
    full = json.loads(client.get("/alerts/learning/figures/times.json").content)
    assert (full["layout"]["meta"]["unit"], [trace["y"] for trace in full["data"]]) == ("min", [[None], [10.0]])
    _paged(world.user("tom"), _at(0))
    heat = json.loads(client.get("/alerts/learning/figures/hours.json").content)
    assert heat["data"][1]["zmax"] == 1
    assert b"".join(client.get("/alerts/learning/figures/hours.json?format=csv")).startswith(b"day,0,1,")


@pytest.mark.parametrize("name", ["summary", "rules", "people", "unattended", "suggestions"])
def test_the_api_answers_and_refuses(vision: Team, name: str, client: Client) -> None:
    ended(at=_at(0), team=vision)
    path, own = f"/api/v1/alert-reports/{name}", world.bearer(world.token(team=vision))
    answer = client.get(f"{path}?from=2026-10-26T00:00:00Z&to=2026-11-02T00:00:00Z&severity=warning", headers=own)
    assert answer.status_code == 200
    assert client.get(f"{path}?since=1", headers=own).status_code == 422
    assert client.get(f"{path}?from=yesterday", headers=own).status_code == 422
    assert client.get(path).status_code in (401, 403)


def test_the_api_and_the_page_give_the_same_numbers(vision: Team, client: Client) -> None:
    ended(at=_at(0), team=vision, told=1, first_acknowledged=3)
    own = world.bearer(world.token(team=vision))
    summary = client.get("/api/v1/alert-reports/summary", headers=own).json()
    assert summary["now"]["to_acknowledge"] == {"measured": 1, "median_s": 120.0, "mean_s": 120.0, "p90_s": 120.0}
    assert summary["teams"][0]["name"] == "vision"
    (rule,) = client.get("/api/v1/alert-reports/rules", headers=own).json()["results"]
    assert (rule["name"], rule["median_to_acknowledge_s"], rule["never_told"]) == ("Hot", 120.0, 0)
    stranger = world.bearer(world.token("other", team=world.team("audio")))
    assert client.get("/api/v1/alert-reports/rules", headers=stranger).json()["results"] == []


def test_unattended_alerts_are_paged(vision: Team, client: Client) -> None:
    made = [ended(at=_at(place), team=vision).pk for place in range(3)]
    own = world.bearer(world.token(team=vision))
    first = client.get("/api/v1/alert-reports/unattended?limit=2", headers=own).json()
    second = client.get(first["next"], headers=own).json()
    assert [row["alert_id"] for row in (*first["results"], *second["results"])] == made[::-1]
    back = client.get(second["previous"], headers=own).json()
    assert [row["alert_id"] for row in back["results"]] == made[:0:-1]
