"""What strangers, wrong keys and hostile parameters get."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from fleetledger.fleet import tokens
from fleetledger.fleet.access import Capability
from fleetledger.fleet.models import ApiToken
from fleetledger.rest.auth import CallerMayRead
from tests import world

pytestmark = pytest.mark.django_db
LISTS = ("clusters", "nodes", "gpus", "teams", "ownership-rules", "sources")


def assert_problem(response: Any, status: int) -> str:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json"), response.content
    body = response.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    detail: str = body["detail"]
    return detail


@pytest.fixture
def vision_fleet() -> str:
    """A fleet of the team vision; returns a job of theirs."""
    vision = world.team("vision")
    gpu = world.gpu("GPU-1", node=world.node("n1"))
    world.mig_slice(gpu, 1)
    world.rule(vision, {"namespace": ".*"})
    world.source("prom1", last_error="secret host name")
    return str(world.job(team=vision).pk)


@pytest.mark.parametrize("path", LISTS)
def test_a_member_of_another_team_sees_none_of_the_rows(client: Client, vision_fleet: str, path: str) -> None:
    client.force_login(world.member(world.team("speech")))
    rows = client.get(f"/api/v1/{path}").json()["results"]
    assert [row.get("slug") for row in rows] == (["speech"] if path == "teams" else [])


@pytest.mark.parametrize("path", ["gpus/GPU-1", "teams/vision", "sources/prom1", "jobs/"])
def test_what_another_team_has_is_as_if_it_did_not_exist(client: Client, vision_fleet: str, path: str) -> None:
    theirs = path + (vision_fleet if path == "jobs/" else "")
    unknown = path + str(uuid4()) if path == "jobs/" else f"{path.split('/', maxsplit=1)[0]}/ghost"
    admin = world.bearer(world.token())
    assert client.get(f"/api/v1/{theirs}", headers=admin).status_code == 200
    speech = world.team("speech")
    client.force_login(world.member(speech))
    assert_problem(client.get(f"/api/v1/{theirs}"), 404)
    assert_problem(client.get(f"/api/v1/{unknown}"), 404)
    assert_problem(client.get(f"/api/v1/{theirs}", headers=world.bearer(world.token(team=speech))), 404)


@pytest.mark.parametrize("path", [*LISTS, "me", "teams/x", f"jobs/{uuid4()}"])
def test_nobody_gets_nothing_and_no_redirect(client: Client, path: str) -> None:
    response = client.get(f"/api/v1/{path}")
    assert_problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_page_of_the_parent_team_is_not_named_to_a_child(client: Client) -> None:
    child = world.team("child", parent=world.team("parent"))
    client.force_login(world.member(child))
    assert client.get("/api/v1/teams/child").json()["parent"] is None
    assert_problem(client.get("/api/v1/teams/parent"), 404)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", "Bearer a b", "bearer fl_abcdefgh_" + "a" * 43, "Bearer \xff\xfe", "Bearer " + "f" * 5000],
)
def test_a_wrong_token_is_401_even_where_a_session_would_do(client: Client, header: str) -> None:
    client.force_login(world.admin())
    assert_problem(client.get("/api/v1/me", headers={"authorization": header}), 401)


def test_a_revoked_token_is_401_with_the_reason(client: Client) -> None:
    secret = world.token("ci")
    tokens.revoke(ApiToken.objects.get())
    assert assert_problem(client.get("/api/v1/me", headers=world.bearer(secret)), 401).startswith(
        "The token 'ci' was revoked."
    )


def test_an_expired_token_is_401_with_the_reason(client: Client) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as clock:
        secret = world.token("ci", expires_at=now + timedelta(days=1))
        clock.shift(timedelta(days=2))
        detail = assert_problem(client.get("/api/v1/me", headers=world.bearer(secret)), 401)
    assert detail == "The token 'ci' expired on 2026-11-02. Make a new one."


def test_a_person_who_left_is_signed_out(client: Client) -> None:
    user = world.admin()
    client.force_login(user)
    user.is_active = False
    user.save()
    assert_problem(client.get("/api/v1/teams"), 401)


def test_a_narrowed_token_reads_its_area_alone(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["read:costs"]))
    assert "needs the scope 'read' or 'read:fleet'" in assert_problem(client.get("/api/v1/gpus", headers=headers), 403)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", LISTS)
def test_the_inventory_takes_no_changes(client: Client, method: str, path: str) -> None:
    headers = world.bearer(world.token(scopes=["admin"]))
    response = getattr(client, method)(f"/api/v1/{path}", data="{}", content_type="application/json", headers=headers)
    assert_problem(response, 403 if response.status_code == 403 else 405)


class _Request:
    method = "POST"

    def __init__(self, user: Any) -> None:
        self.user = user


class _View:
    area = "costs"
    write_capability = Capability.IMPORT_BILLS


@pytest.mark.parametrize(
    ("scopes", "of_team", "expected"),
    [(["read"], False, False), (["write"], False, True), (["write:costs"], False, True), (["admin"], True, False)],
)
def test_a_change_needs_a_tokens_write_scope(scopes: list[str], of_team: bool, expected: bool) -> None:
    from fleetledger.fleet.access import TokenPrincipal

    made = tokens.create("t", scopes, team=world.team() if of_team else None)
    permission = CallerMayRead()
    request: Any = _Request(TokenPrincipal(made.token))
    assert permission.has_permission(request, _View()) is expected


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1e3", "99999999999999999999", "ten", "\uff11\uff10", "%00"])
def test_a_page_size_out_of_range_is_422(client: Client, limit: str) -> None:
    headers = world.bearer(world.token())
    assert assert_problem(client.get(f"/api/v1/teams?limit={limit}", headers=headers), 422) == (
        "'limit' is a number from 1 to 1000."
    )


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "a" * 5000,
        "é",
        _cursor([]),
        _cursor({}),
        _cursor(["n"]),
        _cursor(["x", "a"]),
        _cursor(["n", ["a"]]),
        _cursor(["n", {"a": 1}]),
        _cursor(["n", 1.5]),
        _cursor(["n", True]),
        _cursor(["n", 10**30]),
        _cursor(["n", "a\x00"]),
        _cursor([[["n"]], "a"]),
        "W1tbW1tbW1tbW1tbW1tb",
    ],
)
@pytest.mark.parametrize("path", ["gpus", "teams"])
def test_a_forged_cursor_is_422(client: Client, cursor: str, path: str) -> None:
    headers = world.bearer(world.token())
    assert assert_problem(client.get(f"/api/v1/{path}?cursor={cursor}", headers=headers), 422).startswith(
        "This cursor is not one of ours."
    )


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("key", [["n", 5], ["n", "a", "b", "c"], ["p", None], ["n", "zzz"], ["p", ""], ["n", -1, "a"]])
def test_another_lists_cursor_breaks_nothing(client: Client, path: str, key: list[Any]) -> None:
    world.team("vision")
    world.rule(world.team("speech"), {"node": "n"})
    headers = world.bearer(world.token())
    assert client.get(f"/api/v1/{path}?cursor={_cursor(key)}", headers=headers).status_code in (200, 422)


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        '"; DROP TABLE fleet_gpu; --',
        "%' OR '%'='",
        "(a+)+$",
        "\\",
        "_" * 200,
        "%25%25",
        "\U0001d518\U0001d52b\U0001d526",
    ],
)
@pytest.mark.parametrize("path", ["gpus?model=", "nodes?name=", "teams?parent=", "clusters?name=", "gpus?node="])
def test_a_hostile_filter_finds_nothing(client: Client, path: str, text: str) -> None:
    world.gpu("GPU-1")
    response = client.get(f"/api/v1/{path}", headers=world.bearer(world.token()))
    assert response.status_code == 200
    found = client.get(f"/api/v1/{path}{quote(text)}", headers=world.bearer(world.token("b")))
    assert (found.status_code, found.json()["results"]) == (200, [])


@pytest.mark.parametrize("query", ["model=%00", "model=" + "a" * 301, "retired=maybe", "mdoel=x", "format=xml"])
def test_a_parameter_that_cannot_be_read_is_422_with_its_name(client: Client, query: str) -> None:
    response = client.get(f"/api/v1/gpus?{query}", headers=world.bearer(world.token()))
    detail = assert_problem(response, 422)
    assert f"'{query.split('=', maxsplit=1)[0]}'" in detail


def test_an_unknown_endpoint_is_a_problem_too(client: Client) -> None:
    assert_problem(client.get("/api/v1/nothing-here"), 404)


@pytest.mark.parametrize("path", ["gpus/%00", "teams/%00", "sources/%00", "jobs/not-a-uuid"])
def test_names_that_cannot_be_are_404(client: Client, path: str) -> None:
    assert_problem(client.get(f"/api/v1/{path}", headers=world.bearer(world.token())), 404)


def test_a_session_changes_nothing_without_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.admin())
    detail = assert_problem(client.post("/api/v1/teams", data="{}", content_type="application/json"), 403)
    assert "CSRF" in detail


def test_a_body_in_an_unknown_form_is_415_or_refused(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["admin"]))
    response = client.post("/api/v1/teams", data="<a/>", content_type="application/xml", headers=headers)
    assert response.status_code in (403, 405, 415)


def test_a_caller_who_asks_too_often_waits(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetledger.rest.throttle.configured_rate", lambda: "2/min")
    with time_machine.travel(datetime(2026, 11, 1, 12, 0, 10, tzinfo=UTC), tick=False) as clock:
        headers = world.bearer(world.token())
        answers = [client.get("/api/v1/me", headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        shown = [answers[0][f"RateLimit-{word}"] for word in ("Limit", "Remaining", "Reset")]
        assert shown == ["2", "1", "50"]
        assert (answers[2]["RateLimit-Remaining"], answers[2]["Retry-After"]) == ("0", "50")
        assert_problem(answers[2], 429)
        assert client.get("/api/v1/me", headers=world.bearer(world.token("other"))).status_code == 200
        clock.shift(timedelta(seconds=50))
        assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_a_gone_database_is_503_and_no_stack_trace(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def gone(_secret: str) -> None:
        raise OperationalError("connection refused: host=10.0.0.1 password=x")

    headers = world.bearer(world.token())
    monkeypatch.setattr("fleetledger.fleet.tokens.authenticate", gone)
    response = client.get("/api/v1/me", headers=headers)
    assert assert_problem(response, 503) == "The database does not answer. Try again in 5 seconds."
    assert response["Retry-After"] == "5"
