"""The inventory as a program reads it."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from fleetledger.fleet import ports
from fleetledger.fleet.models import SourceKind
from tests import world

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def headers() -> dict[str, str]:
    return world.bearer(world.token("reader", ["read"]))


def results(client: Client, path: str, headers: dict[str, str]) -> Any:
    response = client.get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_clusters_count_their_nodes_and_gpus(client: Client, headers: dict[str, str]) -> None:
    cluster = world.cluster("c1", provider="aws", region="us-west-2")
    for name in ("n1", "n2"):
        node = world.node(name, cluster=cluster)
        world.gpu(node=node)
        world.gpu(node=node)
    assert results(client, "clusters", headers) == [
        {"name": "c1", "provider": "aws", "region": "us-west-2", "nodes": 2, "gpus": 4}
    ]


def test_nodes_say_what_they_should_have_and_what_was_seen(client: Client, headers: dict[str, str]) -> None:
    node = world.node("n1", provider_id="aws:///i-1", gpus=8)
    world.gpu(node=node)
    world.node("n1", cluster=world.cluster("c2"))
    assert results(client, "nodes?cluster=c1", headers) == [
        {
            "cluster": "c1",
            "name": "n1",
            "provider_id": "aws:///i-1",
            "gpus_expected": 8,
            "gpus_seen": 1,
            "last_sample_at": None,
            "retired_at": None,
        }
    ]


def test_a_gpu_is_shown_with_its_slices(client: Client, headers: dict[str, str]) -> None:
    gpu = world.gpu("GPU-1", node=world.node("n1"), device_index="0", memory_mib=81559)
    world.mig_slice(gpu, 1, "3g.40gb", slices=3)
    expected = {
        "uuid": "GPU-1",
        "model": "NVIDIA H100 80GB HBM3",
        "cluster": "c1",
        "node": "n1",
        "device_index": "0",
        "memory_mib": 81559,
        "slices": 7,
        "mig_slices": [{"gi_id": 1, "profile": "3g.40gb", "slices": 3, "last_sample_at": "2026-10-01T00:00:00Z"}],
        "first_sample_at": "2026-10-01T00:00:00Z",
        "last_sample_at": "2026-10-01T00:00:00Z",
        "retired_at": None,
    }
    assert results(client, "gpus", headers) == [expected]
    assert client.get("/api/v1/gpus/GPU-1", headers=headers).json() == expected


def test_gpus_are_filtered(client: Client, headers: dict[str, str]) -> None:
    node = world.node("n1")
    world.gpu("GPU-1", node=node)
    world.gpu("GPU-2", node=node, model="NVIDIA L40S", retired_at=NOW)
    found = {
        query: [row["uuid"] for row in results(client, f"gpus?{query}", headers)]
        for query in ("model=h100", "retired=true", "retired=false", "node=n1", "node=n2", "cluster=c1&model=L40")
    }
    assert found == {
        "model=h100": ["GPU-1"],
        "retired=true": ["GPU-2"],
        "retired=false": ["GPU-1"],
        "node=n1": ["GPU-1", "GPU-2"],
        "node=n2": [],
        "cluster=c1&model=L40": ["GPU-2"],
    }


def test_teams_are_shown_with_their_members(client: Client, headers: dict[str, str]) -> None:
    research = world.team("research", name="Research")
    vision = world.team("vision", parent=research, name="Vision", cost_center="4410")
    world.member(vision, role="lead", username="mira")
    expected = {
        "slug": "vision",
        "name": "Vision",
        "cost_center": "4410",
        "parent": "research",
        "members": [{"user": "mira", "role": "lead"}],
    }
    assert results(client, "teams?parent=research", headers) == [expected]
    assert client.get("/api/v1/teams/vision", headers=headers).json() == expected


def test_rules_come_in_the_order_in_which_they_are_asked(client: Client, headers: dict[str, str]) -> None:
    vision = world.team("vision")
    world.rule(vision, {"namespace": "b"}, position=1, since=date(2026, 3, 1))
    world.rule(vision, {"namespace": "a"}, position=0, until=date(2026, 2, 1))
    assert results(client, "ownership-rules", headers) == [
        {
            "position": 0,
            "team": "vision",
            "valid_from": None,
            "valid_until": "2026-02-01",
            "match": {"namespace": "a"},
        },
        {
            "position": 1,
            "team": "vision",
            "valid_from": "2026-03-01",
            "valid_until": None,
            "match": {"namespace": "b"},
        },
    ]
    assert [row["position"] for row in results(client, "ownership-rules?on=2026-02-01", headers)] == []
    assert [row["position"] for row in results(client, "ownership-rules?on=2026-03-01", headers)] == [1]


@time_machine.travel(NOW, tick=False)
def test_a_source_says_how_far_it_is_and_what_went_wrong(client: Client, headers: dict[str, str]) -> None:
    world.source("prom1", watermark_at=NOW - timedelta(seconds=90), last_error="Connection refused", last_error_at=NOW)
    world.source("aws", SourceKind.BILL)
    expected = {
        "name": "prom1",
        "kind": "prometheus",
        "cluster": "c1",
        "enabled": True,
        "watermark_at": "2026-11-01T11:58:30Z",
        "lag_seconds": 90.0,
        "last_attempt_at": None,
        "last_success_at": None,
        "last_error": "Connection refused",
        "last_error_at": "2026-11-01T12:00:00Z",
    }
    assert client.get("/api/v1/sources/prom1", headers=headers).json() == expected
    assert [row["name"] for row in results(client, "sources", headers)] == ["aws", "prom1"]
    assert results(client, "sources?kind=prometheus", headers) == [expected]


def test_the_caller_is_told_who_they_are(client: Client) -> None:
    vision = world.team("vision")
    token = world.bearer(world.token("ci", ["read:costs"], team=vision))
    assert client.get("/api/v1/me", headers=token).json() == {
        "kind": "token",
        "name": "ci",
        "role": None,
        "scopes": ["read:costs"],
        "scope": "teams",
        "teams": ["vision"],
        "expires_at": None,
    }
    client.force_login(world.user("ada", role="finance"))
    assert client.get("/api/v1/me").json() == {
        "kind": "user",
        "name": "ada",
        "role": "finance",
        "scopes": [],
        "scope": "fleet",
        "teams": [],
        "expires_at": None,
    }


def test_a_job_shows_its_progress(client: Client, headers: dict[str, str]) -> None:
    job = world.job("import", done=3, total=10, message="rows")
    body = client.get(f"/api/v1/jobs/{job.pk}", headers=headers).json()
    assert (body["id"], body["state"], body["done"], body["total"]) == (str(job.pk), "queued", 3, 10)


def test_every_page_leads_to_the_next_and_back(client: Client, headers: dict[str, str]) -> None:
    node = world.node("n1")
    names = [f"GPU-{number:02d}" for number in range(7)]
    for name in names:
        world.gpu(name, node=node)
    first = client.get("/api/v1/gpus?limit=3", headers=headers)
    second = client.get(first.json()["next"], headers=headers)
    third = client.get(second.json()["next"], headers=headers)
    pages = [[row["uuid"] for row in page.json()["results"]] for page in (first, second, third)]
    assert pages == [names[:3], names[3:6], names[6:]]
    assert (first.json()["previous"], third.json()["next"]) == (None, None)
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    back = client.get(third.json()["previous"], headers=headers).json()
    assert [row["uuid"] for row in back["results"]] == names[3:6]
    start = client.get(back["previous"], headers=headers).json()
    assert ([row["uuid"] for row in start["results"]], start["previous"]) == (names[:3], None)


def test_a_row_that_comes_between_pages_is_neither_missed_nor_doubled(client: Client, headers: dict[str, str]) -> None:
    for name in ("b", "d", "f"):
        world.team(name)
    first = client.get("/api/v1/teams?limit=2", headers=headers).json()
    world.team("a")
    world.team("e")
    second = client.get(first["next"], headers=headers).json()
    assert [row["slug"] for row in second["results"]] == ["e", "f"]


def test_a_list_is_there_as_csv(client: Client, headers: dict[str, str]) -> None:
    world.cluster("c1", provider="=cmd|' /C calc'!A0", region="-1")
    response = client.get("/api/v1/clusters?format=csv", headers=headers)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.content.decode() == ("name,provider,region,nodes,gpus\r\nc1,'=cmd|' /C calc'!A0,-1,0,0\r\n")


def test_an_empty_csv_still_names_its_columns(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/api/v1/clusters", headers={**headers, "accept": "text/csv"})
    assert response.content == b"name,provider,region,nodes,gpus\r\n"


def test_what_the_client_has_already_is_not_sent_again(client: Client, headers: dict[str, str]) -> None:
    world.team("vision")
    first = client.get("/api/v1/teams", headers=headers)
    again = client.get("/api/v1/teams", headers={**headers, "if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    world.team("speech")
    changed = client.get("/api/v1/teams", headers={**headers, "if-none-match": first["ETag"]})
    assert changed.status_code == 200


@pytest.fixture
def held() -> Iterator[dict[int, set[int]]]:
    """GPUs by the team whose workloads held them, as telemetry would tell."""
    by_team: dict[int, set[int]] = {}

    def held_by(team_ids: Collection[int]) -> frozenset[int]:
        return frozenset(pk for team in team_ids for pk in by_team.get(team, ()))

    before = list(ports._held_gpus)
    ports.register_held_gpus(held_by)
    yield by_team
    ports._held_gpus[:] = before


def test_a_team_sees_the_machines_that_its_workloads_held(client: Client, held: dict[int, set[int]]) -> None:
    vision, speech = world.team("vision"), world.team("speech")
    node = world.node("n1", provider_id="aws:///i-1", gpus=8)
    own, others = world.gpu("GPU-1", node=node), world.gpu("GPU-2", node=node)
    world.gpu("GPU-3", node=world.node("n2", cluster=world.cluster("c2")))
    held.update({vision.pk: {own.pk}, speech.pk: {others.pk}})
    headers = world.bearer(world.token(team=vision))
    assert [row["uuid"] for row in results(client, "gpus", headers)] == ["GPU-1"]
    assert results(client, "nodes", headers) == [
        {
            "cluster": "c1",
            "name": "n1",
            "provider_id": "",
            "gpus_expected": None,
            "gpus_seen": 1,
            "last_sample_at": None,
            "retired_at": None,
        }
    ]
    assert [(row["name"], row["nodes"], row["gpus"]) for row in results(client, "clusters", headers)] == [("c1", 1, 1)]
    assert client.get("/api/v1/gpus/GPU-2", headers=headers).status_code == 404


def test_the_configuration_schema_is_public(client: Client) -> None:
    assert client.get("/api/v1/config-schema").json()["title"] == "Fleetledger configuration"
