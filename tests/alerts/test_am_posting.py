"""What senders post: the valid ones are stored, webhooks fire until they resolve, heartbeats are noted."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fleetledger.fleet.models import ApiToken, Team
from monitoring.alerts.models import Alert, Heartbeat, Report, Sender
from tests import world as fleet
from tests.alerts import world
from tests.alerts.am_world import ENDPOINTS, Caller, caller_of, text
from tests.alerts.world import START, after

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


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_is_there_with_and_without_a_slash(caller: Caller, slash: str) -> None:
    for method, path in ENDPOINTS:
        status = caller.ask(method, path + slash, [] if method == "POST" else None).status_code
        is_missing = "silence/" in path or "nothing" in path
        assert status == (404 if is_missing else 400 if path in ("api/v2/silences", "webhooks/grafana") else 200) or (
            method == "GET" and status == 200
        ), (method, path, status)


def test_an_alert_is_listed_as_alertmanager_lists_it(caller: Caller) -> None:
    body = {
        "labels": {"alertname": "Empty", "pod": ""},
        "annotations": {"summary": "s"},
        "startsAt": text(after(-60)),
        "endsAt": text(after(240)),
        "generatorURL": "http://prom:9090/graph",
    }
    assert caller.post("api/v2/alerts", [body]) == (200, None)
    assert caller.get("api/v2/alerts") == [
        {
            "annotations": {"summary": "s"},
            "endsAt": "2026-11-02T12:04:00.000Z",
            "fingerprint": "84b8408c04466701",
            "receivers": [{"name": "default"}],
            "startsAt": "2026-11-02T11:59:00.000Z",
            "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
            "updatedAt": "2026-11-02T12:00:00.000Z",
            "generatorURL": "http://prom:9090/graph",
            "labels": {"alertname": "Empty"},
        }
    ]


def test_unset_times_mean_from_now_for_five_minutes(caller: Caller) -> None:
    unset = "0001-01-01T00:00:00Z"
    caller.post("api/v2/alerts", [{"labels": {"a": "b"}, "startsAt": unset, "endsAt": unset}])
    (alert,) = caller.get("api/v2/alerts")
    assert (alert["startsAt"], alert["endsAt"]) == (text(START), text(after(300)))
    assert "generatorURL" not in alert


def test_the_valid_ones_are_stored_and_the_others_named(caller: Caller) -> None:
    wrong = [
        {"labels": {}},
        {"labels": {"9": "x"}},
        {"labels": {"a": "b"}, "startsAt": text(START), "endsAt": text(after(-1))},
        {"labels": {"a": "\x00"}},
        "x",
    ]
    status, sentence = caller.post(
        "api/v2/alerts", [{"labels": {"alertname": "A"}}, *wrong, {"labels": {"alertname": "B"}}]
    )
    assert (status, caller.names()) == (400, ["A", "B"])
    assert [part.split(":")[0] for part in sentence.split("; alert")] == ["alert 1", " 2", " 3", " 4", " 5"]


def test_one_fingerprint_twice_in_a_body_is_taken_in_order(caller: Caller) -> None:
    same = {"labels": {"alertname": "A"}}
    body = [same | {"annotations": {"n": "first"}}, same | {"annotations": {"n": "second"}}]
    assert caller.post("api/v2/alerts", body) == (200, None)
    assert [alert["annotations"] for alert in caller.get("api/v2/alerts")] == [{"n": "second"}]


@pytest.mark.parametrize("path", ["api/v2/alerts", "webhooks/json"])
def test_a_long_body_costs_no_more_statements_than_a_short_one(caller: Caller, path: str) -> None:
    costs = []
    for name, many in (("warm", 1), ("short", 1), ("long", 30)):
        body: list[dict[str, Any]] = [
            {"labels": {"alertname": name, "n": str(n)}} for n in range(many) for _ in range(many)
        ]
        body += [{"labels": {"alertname": f"{name}-over", "n": str(n)}, "status": "resolved"} for n in range(many)]
        with CaptureQueriesContext(connection) as asked:
            assert caller.post(path, body) == (200, None)
        costs.append(len(asked))
    assert costs[1] == costs[2]


def test_what_stands_twice_in_one_body_is_not_taken_for_re_sent(caller: Caller) -> None:
    caller.post("api/v2/alerts", [{"labels": {"alertname": "A"}}] * 3)
    assert Report.objects.get().times == 1


def test_a_resolved_alert_is_no_longer_listed(caller: Caller) -> None:
    caller.fire()
    world.advance(60)
    caller.post("api/v2/alerts", [{"labels": {"alertname": "Hot"}, "endsAt": text(after(60))}])
    assert caller.names() == []


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"5", b"[" * 3000, b"\xff"])
@pytest.mark.parametrize("path", ["api/v2/alerts", "api/v2/silences", "webhooks/grafana", "webhooks/json"])
def test_a_body_that_is_no_json_of_this_kind_is_400(caller: Caller, path: str, body: bytes) -> None:
    status, sentence = caller.post(path, body)
    assert status == 400
    assert isinstance(sentence, str)
    assert sentence


@pytest.mark.parametrize("body", [b"[]", b"null"])
def test_nothing_posted_is_fine(caller: Caller, body: bytes) -> None:
    assert caller.post("api/v2/alerts", body) == (200, None)
    assert not Sender.objects.exists()


def test_a_body_that_is_too_large_is_413(caller: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    status, problem = caller.post("api/v2/alerts", b"[" + b" " * 1000 + b"]")
    assert (status, problem) == (413, {"code": 413, "message": "The body is too large. Send it in smaller parts."})


def test_very_long_names_and_values_are_taken(caller: Caller) -> None:
    labels = {"alertname": "x" * 5000, "severity": "y" * 5000, "z" * 3000: "z"}
    body = [{"labels": labels, "annotations": {"a": "b" * 100_000}, "generatorURL": "http://" + "h" * 5000 + "/x"}]
    assert caller.post("api/v2/alerts", body) == (200, None)
    assert caller.get("api/v2/alerts")[0]["labels"] == labels


def test_each_sender_is_known_by_token_and_origin(client: Client, acme: Team, caller: Caller) -> None:
    second = Caller(client, "acme", fleet.token("second", ["write"], team=acme))
    urls = ["http://prom-a:9090/graph?x=1", "http://prom-a:9090/graph?x=2", "http://prom-b:9090/x", ""]
    for one in (caller, second):
        one.post("api/v2/alerts", [{"labels": {"alertname": "A"}, "generatorURL": url} for url in urls])
    first, other = ApiToken.objects.order_by("pk").values_list("prefix", flat=True)
    origins = ["http://prom-a:9090", "http://prom-b:9090", "127.0.0.1"]
    assert sorted(Sender.objects.values_list("key", flat=True)) == sorted(
        f"{prefix} {origin}" for prefix in (first, other) for origin in origins
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_is_not_there_is_405(caller: Caller, method: str) -> None:
    answer = caller.ask(method, "api/v2/alerts")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    assert orjson.loads(answer.content) == {
        "code": 405,
        "message": f"{method} is not allowed here, but GET, HEAD, POST.",
    }


def test_a_gone_database_is_503_and_says_when_to_come_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def gone(_secret: str) -> None:
        raise OperationalError("host=10.0.0.1 password=x")

    monkeypatch.setattr("fleetledger.fleet.tokens.authenticate", gone)
    answer = caller.ask("POST", "api/v2/alerts", [])
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"password" not in answer.content


def test_a_heartbeat_is_noted_for_whoever_has_its_address(client: Client) -> None:
    beat = Heartbeat.objects.create(name="backup", interval_s=60, created_at=after(-60))
    for method in ("GET", "POST", "HEAD"):
        now = world.advance(1)
        answer = client.generic(method, f"/heartbeat/{beat.key}")
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        beat.refresh_from_db()
        assert beat.last_at == now
    assert client.get(f"/heartbeat/{beat.key}/").status_code == 200


def test_an_unknown_heartbeat_is_404_and_other_methods_405(client: Client) -> None:
    Heartbeat.objects.create(name="backup", key="known", interval_s=60, created_at=START)
    assert [client.get(f"/heartbeat/{key}").status_code for key in ("unknown", "known%00", "x" * 65)] == [404] * 3
    assert client.delete("/heartbeat/known").status_code == 405
    assert Heartbeat.objects.get().last_at is None


def test_a_post_needs_no_csrf_token(acme: Team) -> None:
    strict = Client(enforce_csrf_checks=True)
    Caller(strict, "acme", fleet.token("acme", ["write"], team=acme)).fire()
    Heartbeat.objects.create(name="backup", key="known", interval_s=60, created_at=START)
    assert strict.post("/heartbeat/known").status_code == 200


def test_the_platforms_tenant_has_its_own_alerts(client: Client) -> None:
    platform = Caller(client, "platform", fleet.token("fleet", ["write:alerts"]))
    platform.fire()
    assert platform.names() == ["Hot"]
    assert Alert.objects.get().team is None
