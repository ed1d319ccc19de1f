"""What load balancers and Prometheus are told, also on a bad day."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from fleetledger.rest import readiness
from tests import world

DEAD = "redis://127.0.0.1:1/0"


def metrics(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


@override_settings(INSTANCE="a1b2")
def test_the_process_answers_with_its_instance(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content, response["X-Fleetledger-Instance"]) == (200, b"ok\n", "a1b2")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_health_takes_no_changes(client: Client) -> None:
    assert [client.post(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [405] * 3


@pytest.mark.django_db
def test_with_database_migrations_and_broker_it_is_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (
        200,
        {
            "ready": True,
            "checks": [
                {"name": "database", "is_ok": True, "reason": ""},
                {"name": "migrations", "is_ok": True, "reason": ""},
                {"name": "broker", "is_ok": True, "reason": ""},
            ],
        },
    )


@pytest.mark.django_db
@override_settings(REDIS_URL=DEAD)
def test_a_dead_broker_is_named(client: Client) -> None:
    response = client.get("/readyz")
    states = {check["name"]: check["is_ok"] for check in response.json()["checks"]}
    assert (response.status_code, states) == (503, {"database": True, "migrations": True, "broker": False})
    assert "refused" in response.json()["checks"][2]["reason"]


@pytest.mark.django_db
def test_a_dead_database_is_named_without_its_password(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "very secret")
    response = client.get("/readyz")
    states = {check["name"]: check["is_ok"] for check in response.json()["checks"]}
    assert (response.status_code, states) == (503, {"database": False, "migrations": False, "broker": True})
    assert b"very secret" not in response.content


def test_missing_migrations_are_found() -> None:
    shipped = readiness._shipped()
    applied = set(shipped) - {("fleet", "0001_initial")}
    assert readiness.missing_migrations(applied) == ["fleet.0001_initial"]
    assert readiness.missing_migrations(set(shipped) | {("old", "0001_gone")}) == []


@pytest.mark.django_db(transaction=True)
def test_metrics_tell_how_far_each_source_is(client: Client) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    world.source("prom1", watermark_at=at, last_success_at=at, last_error="Connection refused")
    world.source("off", enabled=False)
    world.job(state="failed")
    found = metrics(client)
    labels = ("c1", "prometheus", "prom1")
    assert found["fleetledger_source_watermark_timestamp_seconds", labels] == at.timestamp()
    assert found["fleetledger_source_last_success_timestamp_seconds", labels] == at.timestamp()
    assert found["fleetledger_source_failing", labels] == 1
    assert found["fleetledger_jobs", ("failed",)] == 1
    assert found["fleetledger_queue_messages", ("default",)] == 0
    assert (found["fleetledger_up", ("database",)], found["fleetledger_up", ("broker",)]) == (1, 1)
    assert not any("off" in key[1] for key in found)


@pytest.mark.django_db
@override_settings(REDIS_URL=DEAD)
def test_metrics_answer_while_nothing_else_does(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    found = metrics(client)
    assert (found["fleetledger_up", ("database",)], found["fleetledger_up", ("broker",)]) == (0, 0)


@pytest.mark.django_db
def test_requests_are_counted_by_room_and_status(client: Client) -> None:
    key = ("fleetledger_http_requests_total", ("GET", "api/me", "401"))
    before = metrics(client).get(key, 0)
    client.get("/api/v1/me")
    client.get("/api/v1/me")
    assert metrics(client)[key] - before == 2
