"""The pages, endpoints and the file about hooks and game days: shown to whom, changed by whom."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from fleetledger.fleet import config
from fleetledger.fleet.models import Role, Team, User
from monitoring.availability.models import GameDay, HealingHook, HealingRun, State
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.healing_world import hook, look, probed, say

pytestmark = pytest.mark.django_db
FILE = """\
components:
  - {name: exporter, kind: exporter}
healing:
  - name: restart
    component: exporter
    states: [down, unknown]
    after: 2m
    webhook: {url: "https://automation.example.org/restart"}
    secret: {env: HEALING_SECRET}
    approval: none
    approve_within: 10m
    answer_within: 5m
    most_per_hour: 5
    dry_run: true
  - name: drain
    team: vision
    match: {alertname: XidErrors}
    webhook: {url: {env: DRAIN_URL}}
    secret: {file: /run/secrets/drain}
"""
DAY: dict[str, Any] = {
    "title": "Pull the plug",
    "planned_at": "2026-11-02T13:00",
    "fault": "docker stop exporter",
    "expectation": "An alert within a minute",
}


@pytest.fixture(autouse=True)
def _clock() -> None:
    cache.clear()
    alerts.set_clock()
    alerts.intake_was_up()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


@pytest.fixture
def lead(vision: Team) -> User:
    return fleet.member(vision, role=Role.LEAD, username="ada")


def page(who: User, path: str, status: int = 200) -> str:
    client = Client()
    client.force_login(who)
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def send(who: User, path: str, status: int = 302, **values: object) -> str:
    client = Client()
    client.force_login(who)
    answer = client.post(path, values)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def ask(method: str, path: str, body: Any = None, *, team: Team | None = None, status: int = 200) -> Any:
    headers = fleet.bearer(fleet.token(scopes=["write:alerts"], team=team))
    answer = Client().generic(
        method, f"/api/v1/{path}", data=json.dumps(body or {}), content_type="application/json", headers=headers
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def _waiting(team: Team) -> HealingRun:
    hook(team=team)
    alerts.post("Down", team=team, node="<b>n1</b>")
    look()
    return HealingRun.objects.get()


def test_a_lead_sees_what_waits_and_approves_it(vision: Team, lead: User) -> None:
    run = _waiting(vision)
    html = page(lead, "/healing/")
    assert "Waits for a person" in html
    shown = page(lead, f"/healing/runs/{run.pk}/")
    assert "node=&lt;b&gt;n1" in shown
    assert "Approve</button>" in shown
    send(lead, f"/healing/runs/{run.pk}/approve/")
    run.refresh_from_db()
    assert (run.state, run.decided_by) == ("approved", "ada")
    assert "restart" in page(lead, "/healing/?format=csv")


def test_no_page_tells_the_address_or_the_secret_of_a_hook(vision: Team, lead: User) -> None:
    run = _waiting(vision)
    for path in ("/healing/", f"/healing/runs/{run.pk}/", "/healing/?format=csv"):
        assert "127.0.0.1:9" not in page(lead, path)
        assert "HEALING_SECRET" not in page(lead, path)


def test_a_stranger_sees_and_decides_nothing_and_a_viewer_only_looks(vision: Team) -> None:
    run = _waiting(vision)
    stranger = fleet.member(fleet.team("other"), role=Role.LEAD)
    assert "restart" not in page(stranger, "/healing/?format=csv")
    page(stranger, f"/healing/runs/{run.pk}/", 404)
    send(stranger, f"/healing/runs/{run.pk}/approve/", 404)
    viewer = fleet.member(vision)
    assert "Approve</button>" not in page(viewer, f"/healing/runs/{run.pk}/")
    send(viewer, f"/healing/runs/{run.pk}/approve/", 403)
    run.refresh_from_db()
    assert run.state == "proposed"


def test_programs_look_at_runs_and_decide_none(vision: Team) -> None:
    run = _waiting(vision)
    (row,) = ask("GET", "healing-runs?state=proposed", team=vision)["results"]
    assert (row["hook"], row["about"], row["evidence"]["labels"]["node"]) == ("restart", "Down", "<b>n1</b>")
    assert ask("GET", "healing-hooks", team=vision)["results"][0]["waiting"] == 1
    ask("POST", f"healing-runs/{run.pk}/approve", team=vision, status=403)
    other = fleet.team("other")
    assert ask("GET", "healing-runs", team=other)["results"] == []
    ask("GET", f"healing-runs/{run.pk}", team=other, status=404)
    ask("POST", f"healing-runs/{run.pk}/refuse", team=other, status=404)


def test_a_person_decides_by_the_api_too(vision: Team, lead: User) -> None:
    run = _waiting(vision)
    client = Client()
    client.force_login(lead)
    answer = client.post(f"/api/v1/healing-runs/{run.pk}/refuse", b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["run"]["state"]) == (200, "refused")


def apply(text: str) -> list[str]:
    return [str(change) for change in config.apply([("fleet.yaml", text)]).changes]


def test_hooks_are_brought_in_once_and_written_back_as_no_change(vision: Team) -> None:
    assert apply(FILE)[-2:] == ["+ healing hook restart: exporter", '+ healing hook drain: alertname="XidErrors"']
    assert apply(FILE) == []
    assert apply(config.export()) == []
    assert (
        apply("healing: []") == ["- healing hook drain", "- healing hook restart"]
        or HealingHook.objects.filter(removed_at=None).count() == 0
    )
    assert "~ healing hook restart: again" in apply(FILE)


@pytest.mark.parametrize(
    ("hook_", "words"),
    [
        ("{name: a}", ": A hook is for one 'component', or for the alerts that 'match': name one of the two."),
        ("{name: a, component: none}", ".component: No component of this team is called 'none'."),
        ("{name: a, match: {b: c}, matchers: ['x']}", ".matchers[0]: 'x' is no matcher."),
        ("{name: a, match: {b: c}, approval: two}", ".approval: "),
        ("{name: a, match: {b: c}, team: none}", ".team: No team is called 'none'."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(vision: Team, hook_: str, words: str) -> None:
    whole = hook_[:-1] + ', webhook: {url: "http://127.0.0.1:9/x"}, secret: {env: A}}'
    with pytest.raises(config.ConfigError) as caught:
        apply(f"healing:\n  - {whole}\n")
    assert str(caught.value).removeprefix("fleet.yaml:2: healing[0]").startswith(words)


def test_a_game_day_keeps_what_was_seen(vision: Team, lead: User) -> None:
    _, probe = probed("exporter", team=vision, title="The exporter")
    say(probe, State.UP)
    alerts.advance(1)
    send(
        lead,
        "/game-days/new/",
        team="vision",
        components="exporter",
        expected_state="down",
        expected_within_s=60,
        **DAY,
    )
    made = GameDay.objects.get()
    at = f"/game-days/{made.pk}/"
    assert "Start it when you bring the fault about." in page(lead, at)
    send(lead, f"{at}start/")
    alerts.advance(29)
    say(probe, State.DOWN)
    alerts.post("Down", team=vision)
    html = page(lead, at)
    assert "The exporter was down 29 s after the start, in time." in html
    alerts.advance(30)
    say(probe, State.UP)
    send(lead, f"{at}end/", outcome="as_expected", learned="It works")
    made.refresh_from_db()
    texts = [one["text"].partition(":")[0] for one in made.evidence]
    assert texts == ["The exporter went from up to down", "Down fired", "The exporter went from down to up"]
    assert (made.outcome, made.learned) == ("as_expected", "It works")
    assert "Pull the plug" in page(lead, "/game-days/?format=csv")


def test_a_game_day_that_has_ended_or_not_begun_does_not_end(vision: Team, lead: User) -> None:
    made = ask("POST", "game-days", {**DAY, "planned_at": "2026-11-02T13:00:00Z"}, team=vision, status=201)
    at = f"game-days/{made['game_day']['id']}"
    ask("POST", f"{at}/end", {"outcome": "unclear"}, team=vision, status=422)
    assert ask("POST", f"{at}/start", team=vision)["game_day"]["state"] == "running"
    ask("POST", f"{at}/start", team=vision, status=422)
    assert ask("POST", f"{at}/end", {"outcome": "unclear"}, team=vision)["game_day"]["state"] == "ended"
    ask("POST", f"{at}/end", {"outcome": "unclear"}, team=vision, status=422)


def test_a_stranger_meets_no_game_day_of_another_team(vision: Team, lead: User) -> None:
    send(lead, "/game-days/new/", team="vision", **DAY)
    made = GameDay.objects.get()
    other = fleet.team("other")
    stranger = fleet.member(other, role=Role.LEAD)
    assert "Pull the plug" not in page(stranger, "/game-days/")
    page(stranger, f"/game-days/{made.pk}/", 404)
    send(stranger, f"/game-days/{made.pk}/start/", 404)
    send(fleet.member(vision), f"/game-days/{made.pk}/start/", 403)
    page(fleet.member(vision), "/game-days/new/", 403)
    assert ask("GET", "game-days", team=other)["results"] == []
    ask("GET", f"game-days/{made.pk}", team=other, status=404)
    ask("POST", f"game-days/{made.pk}/start", team=other, status=404)
    made.refresh_from_db()
    assert made.started_at is None


@pytest.mark.parametrize(
    "body",
    [
        {**DAY, "planned_at": "now"},
        {**DAY, "planned_at": "2026-11-02T13:00:00Z", "expected_state": "odd"},
        {**DAY, "planned_at": "2026-11-02T13:00:00Z", "expected_state": "down"},
        {**DAY, "planned_at": "2026-11-02T13:00:00Z", "expected_within_seconds": 10**30},
        {**DAY, "planned_at": "2026-11-02T13:00:00Z", "components": ["none"]},
        {**DAY, "planned_at": "2026-11-02T13:00:00Z", "title": " "},
    ],
)
def test_a_game_day_that_does_not_fit_is_refused(body: Any) -> None:
    world.component("api")
    ask("POST", "game-days", body, status=422)
    assert not GameDay.objects.exists()
