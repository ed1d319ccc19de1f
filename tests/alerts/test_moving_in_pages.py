"""The page and the endpoint that show what an alertmanager.yml becomes, and who may apply it."""

from typing import Any

import orjson
import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts import trees
from tests import world
from tests.alerts.world import set_clock

pytestmark = pytest.mark.django_db
FILE = """\
global: {resolve_timeout: 5m}
route: {receiver: chat, routes: [{matchers: ['team="vision"'], receiver: chat}]}
receivers:
  - name: chat
    slack_configs: [{api_url: 'https://hooks.slack.com/services/T0/B0/s3cret', text: '{{ .Status }}'}]
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _ask(body: Any, *, team: Team | None = None, status: int = 200, scope: str = "write:alerts") -> Any:
    headers = world.bearer(world.token(scopes=[scope], team=team))
    answer = Client().post(
        "/api/v1/alertmanager-imports", orjson.dumps(body), content_type="application/json", headers=headers
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_looking_shows_what_it_becomes_and_changes_nothing() -> None:
    client = _as(world.admin())
    assert client.get(reverse("moving-in")).status_code == 200
    page = client.post(reverse("moving-in"), {"config": FILE, "do": "look"}).content.decode()
    assert "receivers[0].slack_configs[0].text" in page
    assert "global.resolve_timeout" in page
    assert "ALERTMANAGER_CHAT_SLACK_0_API_URL" in page
    assert page.count("s3cret") == 1  # within what was pasted, handed back to whoever pasted it
    assert trees.tree_for(None).version == 0


def test_an_administrator_sees_what_applying_changes_and_others_do_not(vision: Team) -> None:
    given = {"config": FILE, "team": "vision"}
    page = _as(world.admin()).post(reverse("moving-in"), given).content.decode()
    assert "What applying it changes" in page
    assert "+ receiver vision/chat" in page
    assert '<code class="anywhere">route.receiver</code>' in page  # carried
    lead = _as(world.member(vision, role=Role.LEAD)).post(reverse("moving-in"), given).content.decode()
    assert "What applying it changes" not in lead
    assert "Only an administrator applies" in lead


def test_the_tree_of_a_team_that_one_does_not_handle_is_not_found(vision: Team) -> None:
    world.team("speech")
    lead = _as(world.member(vision, role=Role.LEAD))
    for team in ("speech", "platform", "none"):
        assert lead.post(reverse("moving-in"), {"config": FILE, "team": team}).status_code == 404


def test_an_administrator_applies_an_uploaded_file() -> None:
    upload = SimpleUploadedFile("alertmanager.yml", FILE.encode())
    answer = _as(world.admin()).post(reverse("moving-in"), {"file": upload, "team": "platform", "do": "apply"})
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("alert-routing"))
    assert [route.receiver for route in trees.tree_for(None).route.routes] == ["chat"]


def test_a_lead_looks_and_downloads_for_the_own_team_but_applies_nothing(vision: Team) -> None:
    client = _as(world.member(vision, role=Role.LEAD))
    given = {"config": FILE, "team": "vision", "do": "download"}
    answer = client.post(reverse("moving-in"), given)
    assert yaml.safe_load(answer.content)["alerting"][0]["team"] == "vision"
    assert client.post(reverse("moving-in"), given | {"do": "apply"}).status_code == 403
    assert not trees.tree_for(vision.pk).is_own


def test_who_handles_no_alerts_does_not_get_the_page() -> None:
    assert _as(world.user()).get(reverse("moving-in")).status_code == 403


def test_a_mistake_is_said_with_its_line_and_what_was_pasted_stays() -> None:
    answer = _as(world.admin()).post(reverse("moving-in"), {"config": "route: {receiver: x}\nreceivers: [{name: y}]"})
    assert answer.status_code == 422
    assert "alertmanager.yml:1: route.receiver: No receiver is called &#x27;x&#x27;" in answer.content.decode()
    assert "receivers: [{name: y}]" in answer.content.decode()
    binary = SimpleUploadedFile("a.yml", b"\xff\xfe")
    assert _as(world.admin("b")).post(reverse("moving-in"), {"file": binary}).status_code == 422


def test_a_program_gets_the_same_as_data(vision: Team) -> None:
    found = _ask({"config": FILE, "team": "vision"}, team=vision)
    assert found.pop("configuration").splitlines()[1:3] == ["alerting:", "  - team: vision"]
    assert found == {
        "carried": [
            "route.receiver",
            "route.routes[0].matchers[0]",
            "route.routes[0].receiver",
            "receivers[0].name",
            "receivers[0].slack_configs[0].api_url",
        ],
        "not_carried": [
            {
                "path": "global.resolve_timeout",
                "line": 1,
                "reason": "Each sender says itself until when an alert fires; there is nothing to set.",
            },
            {
                "path": "receivers[0].slack_configs[0].text",
                "line": 5,
                "reason": "A Go template: Fleetledger writes its own text.",
            },
        ],
        "secrets": ["ALERTMANAGER_CHAT_SLACK_0_API_URL"],
        "secret_files": [],
        "silent_receivers": [],
    }


def test_what_cannot_be_read_and_who_may_not_ask_are_told_apart(vision: Team) -> None:
    assert "This is no YAML" in _ask({"config": "route: {"}, status=422)["detail"]
    assert "'config' is the text" in _ask({"config": 7}, status=422)["detail"]
    _ask({"config": FILE, "team": "vision"}, team=world.team("other"), status=404)
    _ask({"config": FILE}, scope="read:alerts", status=403)


def test_a_body_beyond_what_is_read_is_a_problem_and_no_page() -> None:
    found = _ask({"config": "x" * 5_000_001}, status=413)
    assert found["detail"] == "The body is longer than 5000000 bytes. Send less at once."
