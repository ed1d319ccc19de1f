"""Incidents for programs: lists, changes, and the tenant that a token may touch."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from fleetledger.fleet.models import Team
from monitoring.alerts.models import Alert
from monitoring.availability.models import Incident
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import incident, lines

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    alerts.set_clock()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


def ask(path: str, team: Team | None = None, status: int = 200) -> Any:
    answer = Client().get(f"/api/v1/{path}", headers=fleet.bearer(fleet.token(scopes=["read:alerts"], team=team)))
    assert answer.status_code == status, answer.content
    return answer.json()


def send(method: str, path: str, body: Any, *, team: Team | None = None, status: int = 200) -> Any:
    headers = fleet.bearer(fleet.token(scopes=["write:alerts"], team=team))
    answer = Client().generic(
        method, f"/api/v1/{path}", data=json.dumps(body), content_type="application/json", headers=headers
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_an_incident_comes_with_all_that_is_known_of_it(vision: Team) -> None:
    found = incident(team=vision)
    assert ask("incidents", vision)["results"] == [
        {
            "id": found.pk,
            "team": "vision",
            "title": "The API is slow",
            "severity": "sev2",
            "state": "open",
            "opened_at": "2026-11-02T12:00:00Z",
            "mitigated_at": None,
            "resolved_at": None,
            "seconds_to_mitigate": None,
            "seconds_to_resolve": None,
            "opened_by": "Mira",
            "rule": "",
            "public": False,
            "public_title": "",
            "public_text": "",
            "components": [],
            "alerts": 0,
            "commander": "",
            "open_follow_ups": 0,
        }
    ]
    full = ask(f"incidents/{found.pk}", vision)
    assert [line["text"] for line in full["timeline"]] == ["Opened"]
    assert (full["impact"], full["postmortem"]["version"]) == (None, 0)


def test_a_program_opens_one_changes_it_and_writes_what_was_learned(vision: Team) -> None:
    world.component("api", team=vision)
    fleet.member(vision, username="ada")
    alerts.post("Down", team=vision)
    alert = Alert.objects.get().pk
    made = send(
        "POST",
        "incidents",
        {"title": "Down", "severity": "sev1", "components": ["api"], "alerts": [alert]},
        team=vision,
        status=201,
    )
    at = f"incidents/{made['incident']['id']}"
    assert (made["incident"]["team"], made["incident"]["components"], made["alerts"][0]["alert"]) == (
        "vision",
        ["api"],
        alert,
    )
    changed = send("PATCH", at, {"state": "mitigated", "roles": {"commander": "ada"}}, team=vision)
    assert (changed["incident"]["state"], changed["incident"]["commander"]) == ("mitigated", "ada")
    note = send("POST", f"{at}/notes", {"text": "Rolled back"}, team=vision, status=201)
    assert (note["kind"], note["text"], note["actor"]) == ("note", "Rolled back", "token program")
    task = send("POST", f"{at}/follow-ups", {"text": "Test it", "due_on": "2026-12-01"}, team=vision, status=201)
    done = send("PATCH", f"{at}/follow-ups/{task['id']}", {"done": True, "owner": "ada"}, team=vision)
    assert (done["done_by"], done["owner"], done["due_on"]) == ("token program", "ada", "2026-12-01")
    assert ask(f"{at}/follow-ups", vision)["results"] == [done]
    saved = send("PUT", f"{at}/postmortem", {"text": "# Why", "version": 0, "published": True}, team=vision)
    assert (saved["version"], saved["published_at"]) == (1, "2026-11-02T12:00:00Z")
    send("PUT", f"{at}/postmortem", {"text": "# Why", "version": 0}, team=vision, status=409)


def test_a_stranger_sees_and_changes_nothing(vision: Team) -> None:
    found = incident(team=vision)
    other = fleet.team("other")
    assert ask("incidents?state=all", other)["results"] == []
    at = f"incidents/{found.pk}"
    for path in (at, f"{at}/follow-ups", f"{at}/postmortem"):
        ask(path, other, 404)
    send("PATCH", at, {"state": "resolved"}, team=other, status=404)
    send("POST", f"{at}/notes", {"text": "x"}, team=other, status=404)
    send("POST", f"{at}/follow-ups", {"text": "x"}, team=other, status=404)
    send("PUT", f"{at}/postmortem", {"text": "x", "version": 0}, team=other, status=404)
    send("POST", "incidents", {"team": "vision", "title": "x", "severity": "sev1"}, team=other, status=404)
    assert lines(found) == ["Mira: Opened"]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"title": "", "severity": "sev1"}, "title"),
        ({"title": "\x00", "severity": "sev1"}, "title"),
        ({"title": " ", "severity": "sev1"}, None),
        ({"title": "x", "severity": []}, "severity"),
        ({"title": "x", "severity": "sev1", "alerts": [10**30]}, "alerts"),
        ({"title": "x", "severity": "sev1", "alerts": [True]}, "alerts"),
        ({"title": "x", "severity": "sev1", "components": [1]}, "components"),
        ({"title": "x", "severity": "sev1", "components": ["none"]}, None),
        ({"title": "x", "severity": "sev1", "opened_at": "9999-01-01T00:00:00Z"}, "opened_at"),
        ({"title": "x", "severity": "sev1", "opened_at": "1971-01-01T00:00:00Z"}, None),
        ({"title": "x", "severity": "sev1", "public": True}, None),
        ({"title": "x", "severity": "sev1", "odd": True}, "odd"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(body: Any, parameter: str | None) -> None:
    answer = send("POST", "incidents", body, status=422)
    assert answer.get("parameter") == parameter
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    "body", [{"state": "odd"}, {"roles": {"king": "ada"}}, {"roles": []}, {"roles": {"scribe": 1}}]
)
def test_changes_that_do_not_fit_change_nothing(body: Any) -> None:
    found = incident()
    send("PATCH", f"incidents/{found.pk}", body, status=422)
    assert lines(found) == ["Mira: Opened"]
