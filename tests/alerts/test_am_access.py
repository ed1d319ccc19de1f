"""Who may call the API below /t/{team}/: the token decides, and another team's address does not exist."""

import orjson
import pytest
from django.test import Client

from fleetledger.fleet import tokens
from fleetledger.fleet.models import ApiToken, Team
from monitoring.alerts.models import Alert
from tests import world as fleet
from tests.alerts import world
from tests.alerts.am_world import ENDPOINTS, Caller, caller_of, silence_body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock() -> None:
    world.set_clock()


@pytest.fixture
def acme() -> Team:
    return fleet.team("acme")


@pytest.fixture
def caller(client: Client, acme: Team) -> Caller:
    return caller_of(client, acme)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_without_a_valid_token_nobody_gets_in(client: Client, acme: Team, method: str, path: str) -> None:
    for secret in ("", "fl_abcdefgh_" + "a" * 43):
        for slug in ("acme", "ghost"):
            answer = Caller(client, slug, secret).ask(method, path)
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="alerts"')
            assert orjson.loads(answer.content)["code"] == 401


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_another_teams_address_is_as_if_it_did_not_exist(client: Client, acme: Team, method: str, path: str) -> None:
    secret = fleet.token("other", ["admin"], team=fleet.team("other"))
    found = {slug: Caller(client, slug, secret).ask(method, path, []) for slug in ("acme", "ghost", "platform")}
    assert {slug: answer.status_code for slug, answer in found.items()} == dict.fromkeys(found, 404)
    words = {slug: answer.content.replace(slug.encode(), b"") for slug, answer in found.items()}
    assert len(set(words.values())) == 1
    assert not Alert.objects.exists()


@pytest.mark.parametrize(("method", "path"), [item for item in ENDPOINTS if item[0] != "GET"])
def test_a_token_that_may_only_read_changes_nothing(client: Client, acme: Team, method: str, path: str) -> None:
    for scope in ("read", "write:costs"):
        answer = Caller(client, "acme", fleet.token("r", [scope], team=acme)).ask(method, path, [])
        assert (answer.status_code, orjson.loads(answer.content)["code"]) == (403, 403)


def test_a_token_of_another_area_reads_nothing(client: Client, acme: Team) -> None:
    reader = Caller(client, "acme", fleet.token("r", ["read:costs"], team=acme))
    answer = reader.ask("GET", "api/v2/alerts")
    assert orjson.loads(answer.content)["message"].endswith("it needs the scope 'read' or 'read:alerts'.")


def test_a_revoked_token_is_401_with_the_reason(client: Client, acme: Team) -> None:
    secret = fleet.token("ci", ["write"], team=acme)
    tokens.revoke(ApiToken.objects.get())
    answer = Caller(client, "acme", secret).ask("GET", "api/v2/status")
    assert answer.status_code == 401
    assert orjson.loads(answer.content)["message"].startswith("The token 'ci' was revoked.")


def test_a_page_session_is_no_token(client: Client, acme: Team) -> None:
    client.force_login(fleet.admin())
    assert Caller(client, "acme", "").ask("GET", "api/v2/alerts").status_code == 401


def test_a_token_of_the_fleet_reaches_every_team_and_the_platform(client: Client, acme: Team) -> None:
    secret = fleet.token("fleet", ["write"])
    for slug in ("acme", "platform"):
        Caller(client, slug, secret).fire(f"Of-{slug}")
        assert Caller(client, slug, secret).names() == [f"Of-{slug}"]
    assert Alert.objects.filter(team=None).count() == 1


def test_a_parent_teams_token_reaches_the_teams_below(client: Client, acme: Team) -> None:
    fleet.team("child", parent=acme)
    Caller(client, "child", fleet.token("parent", ["write"], team=acme)).fire()
    assert Alert.objects.get().team == Team.objects.get(slug="child")


def test_teams_share_nothing_but_the_fingerprint(client: Client, caller: Caller) -> None:
    other = Caller(client, "other", fleet.token("other", ["write"], team=fleet.team("other")))
    for one in (caller, other):
        one.fire()
    caller.post("api/v2/silences", silence_body())
    (ours,), (theirs,) = (one.get("api/v2/alerts") for one in (caller, other))
    assert ours["fingerprint"] == theirs["fingerprint"]
    assert (ours["status"]["state"], theirs["status"]["state"]) == ("suppressed", "active")
    assert other.get("api/v2/silences") == []
    silence_id = caller.get("api/v2/silences")[0]["id"]
    for method in ("GET", "DELETE"):
        assert other.ask(method, f"api/v2/silence/{silence_id}").status_code == 404
    assert other.post("api/v2/silences", silence_body(id=silence_id))[0] == 404
    assert caller.get(f"api/v2/silence/{silence_id}")["status"] == {"state": "active"}
