"""Components and the whole picture for programs: figures with bounds, filters, pages, planned work, no stranger."""

from typing import Any

import pytest
from django.test import Client

from monitoring.availability import judging, rollup
from monitoring.availability.models import Component, MaintenanceWindow, Probe, ProbeKind, Series
from monitoring.availability.states import State
from tests import world as fleet
from tests.alerts import world as clocks
from tests.availability import world
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db
UP, DOWN = State.UP, State.DOWN
Headers = dict[str, str]


@pytest.fixture
def admin() -> Headers:
    return fleet.bearer(fleet.token(scopes=["admin"]))


@pytest.fixture
def service() -> Component:
    """A service of two replicas; one is down since minute 50 of the hour, and nobody has seen the other's zone."""
    team = fleet.team("vision")
    service = world.component("api", title="Inference", team=team, needs=2)
    for place, zone in enumerate("ab"):
        replica = world.component(f"api-{place}", parent=service, team=team, zone=zone, kind="replica")
        line = every(30, 0, 3_600)
        line = [(at, DOWN if place and at >= 3_000 else state) for at, state in line]
        see(world.probe(replica), line, detail="No answer from 10.0.0.2:443 within 5 s.")
    clocks.set_clock(after(3_600))
    judging.judge(after(3_590))
    rollup.roll_up(world.TODAY, after(3_600))
    return service


def get(client: Client, path: str, headers: Headers) -> Any:
    answer = client.get(f"/api/v1/{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_component_is_told_with_its_state_its_reason_and_its_figures(
    client: Client, admin: Headers, service: Component
) -> None:
    found = get(client, "components/api?from=2026-11-02T00:00:00Z&to=2026-11-02T01:00:00Z", admin)
    assert found["component"] == {
        "name": "api",
        "title": "Inference",
        "kind": "service",
        "team": "vision",
        "parent": None,
        "zone": "",
        "needs": 2,
        "state": "down",
        "why": "1 of 2 healthy, 2 needed. api-1: No answer from 10.0.0.2:443 within 5 s.",
        "since": "2026-11-02T00:59:50Z",
        "seen_at": "2026-11-02T00:59:30Z",
        "healthy": 1,
        "members": 2,
        "availability": 83.333333,
        "coverage": 100.0,
        "lower": 83.333333,
        "upper": 83.333333,
        "runbook_url": "",
    }
    assert {key: found["figures"][key] for key in ("up_seconds", "down_seconds", "expected_seconds")} == {
        "up_seconds": 3_000.0,
        "down_seconds": 600.0,
        "expected_seconds": 3_600.0,
    }
    assert [(row["from_at"], row["state"]) for row in found["periods"]] == [
        ("2026-11-02T00:50:00Z", "down"),
        ("2026-11-02T00:00:00Z", "up"),
    ]
    assert found["redundancy"]["sentence"] == "Without a 0 would be left, 2 needed."
    assert [(row["name"], row["state"]) for row in found["children"]] == [("api-0", "up"), ("api-1", "down")]
    assert [(row["from_state"], row["to_state"]) for row in found["changes"]] == [("unknown", "down")]


def test_a_replica_shows_its_series_and_its_probe(client: Client, admin: Headers, service: Component) -> None:
    found = get(client, "components/api-1?to=2026-11-02T01:00:00Z", admin)
    (series,) = found["series"]
    assert (series["state"], series["figures"]["availability"]) == ("down", 83.333333)
    assert [(row["name"], row["kind"], row["failure"]) for row in found["probes"]] == [("web", "http", "")]
    assert "token" not in found["probes"][0]


def test_lists_are_filtered_and_cut_into_pages(client: Client, admin: Headers, service: Component) -> None:
    def names(query: str) -> list[str]:
        return [row["name"] for row in get(client, f"components?{query}", admin)["results"]]

    assert names("") == ["api", "api-0", "api-1"]
    assert names("state=down") == ["api", "api-1"]
    assert names("kind=replica") == ["api-0", "api-1"]
    assert names("parent=api&state=up") == ["api-0"]
    assert names("team=vision&limit=1") == ["api"]
    assert names("team=platform") == []
    text = client.get("/api/v1/components?format=csv", headers=admin).content.decode()
    assert text.splitlines()[0].startswith("name,title,kind,team,parent")
    assert client.get("/api/v1/components?state=bad", headers=admin).status_code == 422


def test_the_whole_picture_says_what_is_wrong_first(client: Client, admin: Headers, service: Component) -> None:
    world.component("fleetledger-web", title="Web", kind="own", is_builtin=True)
    found = get(client, "status", admin)
    assert (found["state"], found["sentence"]) == ("down", "Down: Inference. Unknown: Web.")
    assert found["counts"] == {"down": 2, "degraded": 0, "unknown": 1, "maintenance": 0, "up": 1, "idle": 0}
    assert [row["name"] for row in found["components"]] == ["api", "api-0", "api-1"]
    assert [(row["name"], row["why"]) for row in found["own"]] == [("fleetledger-web", "It has no probe.")]


def test_what_was_not_seen_lately_is_unknown_and_never_up(client: Client, admin: Headers, service: Component) -> None:
    clocks.set_clock(after(3_570 + 75))
    assert get(client, "components/api-0", admin)["component"]["state"] == "up"
    clocks.set_clock(after(3_570 + 76))
    found = get(client, "components/api-0", admin)["component"]
    assert (found["state"], found["why"]) == ("unknown", "No sample since 2026-11-02 00:59:30Z.")


def test_members_see_their_teams_and_strangers_nothing(client: Client, service: Component) -> None:
    assert service.team is not None
    world.component("platform-thing")
    client.force_login(fleet.member(service.team))
    assert [row["name"] for row in client.get("/api/v1/components").json()["results"]] == ["api", "api-0", "api-1"]
    assert client.get("/api/v1/components/platform-thing").status_code == 404
    client.force_login(fleet.member(fleet.team("speech")))
    assert client.get("/api/v1/components").json()["results"] == []
    assert client.get("/api/v1/status").json()["components"] == []
    for path in ("components/api", "components/api/history"):
        assert client.get(f"/api/v1/{path}").status_code == 404


def post(client: Client, path: str, data: dict[str, Any], headers: Headers) -> Any:
    return client.post(f"/api/v1/components/{path}", data, content_type="application/json", headers=headers)


def test_planned_work_counts_neither_way_and_begins_now_at_the_earliest(
    client: Client, admin: Headers, service: Component
) -> None:
    data = {"from": "2026-11-02T00:00:00Z", "to": "2026-11-02T02:00:00Z", "reason": "New switches"}
    made = post(client, "api/maintenance", data, admin)
    assert made.status_code == 201, made.content
    assert made.json()["from_at"] == "2026-11-02T01:00:00Z"
    found = get(client, "components/api-1", admin)["component"]
    assert (found["state"], found["why"]) == ("maintenance", "Planned work.")
    for row in Probe.objects.all():
        see(row, every(30, 3_600, 7_200, DOWN))
    clocks.set_clock(after(7_200))
    found = get(client, "components/api?to=2026-11-02T02:00:00Z&from=2026-11-02T00:00:00Z", admin)["figures"]
    assert (found["maintenance_seconds"], found["availability"]) == (3_600.0, 83.333333)
    number = made.json()["id"]
    assert client.delete(f"/api/v1/components/api/maintenance/{number}", headers=admin).status_code == 204
    assert MaintenanceWindow.objects.get().until_at == after(7_200)
    assert client.delete("/api/v1/components/api/maintenance/999999999999", headers=admin).status_code == 404


def test_planned_work_that_makes_no_sense_is_refused(client: Client, admin: Headers, service: Component) -> None:
    past = post(client, "api/maintenance", {"to": "2026-11-02T00:30:00Z"}, admin)
    assert (past.status_code, past.json()["detail"]) == (
        422,
        "Planned work ends after it starts, and in the future. Give a later end.",
    )
    assert post(client, "api/maintenance", {"to": "2029-11-02T00:30:00Z"}, admin).status_code == 422
    assert post(client, "api/maintenance", {"to": 5}, admin).status_code == 422
    assert post(client, "nothing/maintenance", {"to": "2026-11-02T02:00:00Z"}, admin).status_code == 404


def test_only_those_who_handle_a_teams_alerts_change_its_components(client: Client, service: Component) -> None:
    assert service.team is not None
    data = {"to": "2026-11-02T02:00:00Z"}
    client.force_login(fleet.member(service.team))
    assert post(client, "api/maintenance", data, {}).status_code == 403
    token = fleet.bearer(fleet.token("other", ["admin"], team=fleet.team("speech")))
    client.logout()
    assert post(client, "api/maintenance", data, token).status_code == 404
    own = fleet.bearer(fleet.token("own", ["write"], team=service.team))
    assert post(client, "api/maintenance", data, own).status_code == 201


def test_somebody_says_that_a_series_is_gone(client: Client, admin: Headers, service: Component) -> None:
    row = Series.objects.get(probe__component__name="api-1")
    answer = post(client, f"api-1/series/{row.pk}/end", {"reason": "scaled down"}, admin)
    assert answer.status_code == 204, answer.content
    row.refresh_from_db()
    assert (row.ended_at, row.end_reason) == (after(3_600), "token program: scaled down")
    assert post(client, f"api-0/series/{row.pk}/end", {"reason": "x"}, admin).status_code == 404


def test_a_heartbeats_address_takes_calls_from_whoever_has_it(client: Client) -> None:
    clocks.set_clock(after(100))
    probe = world.probe(world.component(), kind=ProbeKind.HEARTBEAT)
    assert client.post(f"/probe/{probe.token}").status_code == 200
    probe.refresh_from_db()
    assert probe.beat_at == after(100)
    assert client.get("/probe/nothing").status_code == 404
    other = world.probe(world.component("other"))
    assert client.get(f"/probe/{other.token}").status_code == 404
