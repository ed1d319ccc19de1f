"""Alerting's endpoints for programs: lists and their pages, acts, and the tenant that a token may touch."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from fleetledger.fleet.models import Team
from monitoring.alerts import reads_quiet
from monitoring.alerts.models import AlertState, Episode, Event, Heartbeat, Maintenance, OutboxMessage, Rule, Silence
from monitoring.alerts.reads_quiet import Quiet
from tests import world
from tests.alerts import pages_world
from tests.alerts.world import START, after, set_clock

pytestmark = pytest.mark.django_db
MATCHERS = [{"name": "node", "value": "n1", "isRegex": False, "isEqual": True}]
END = "2026-11-02T14:00:00Z"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


def _get(path: str, team: Team | None = None, status: int = 200) -> Any:
    answer = Client().get(f"/api/v1/{path}", headers=world.bearer(world.token(scopes=["read:alerts"], team=team)))
    assert answer.status_code == status, answer.content
    return answer.json()


def _send(method: str, path: str, body: Any = None, *, team: Team | None = None, status: int = 200) -> Any:
    headers = world.bearer(world.token(scopes=["write:alerts"], team=team))
    answer = Client().generic(
        method, f"/api/v1/{path}", data=_json(body), content_type="application/json", headers=headers
    )
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def _json(body: Any) -> bytes:
    import orjson

    return orjson.dumps({} if body is None else body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\ud800": 1}',
        b'{"ends_at": "2026-11-02T14:00:00Z", "comment": "x", "matchers": [{"name": "a", "value": "\\ud800"}]}',
        b"[" * 100_000,
        b'{"comment": NaN}',
        b"\xff",
        b"{",
    ],
)
def test_a_body_that_is_no_json_is_400(vision: Team, body: bytes) -> None:
    headers = world.bearer(world.token(scopes=["write:alerts"], team=vision))
    answer = Client().post("/api/v1/silences", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["detail"][:20]) == (400, "The body is no JSON:")


def test_alerts_come_with_their_state_and_who_has_them(vision: Team) -> None:
    ada = world.user("ada")
    pages_world.alert(team=vision, node="n1", episode={"acknowledged_at": START, "acknowledged_by": ada})
    (row,) = _get("alerts")["results"]
    assert row == {
        "id": row["id"],
        "fingerprint": row["fingerprint"],
        "name": "GpuIdle",
        "severity": "warning",
        "team": "vision",
        "state": "firing",
        "withheld": False,
        "flapping": False,
        "started_at": "2026-11-02T11:30:00Z",
        "changed_at": "2026-11-02T11:30:00Z",
        "ended_at": None,
        "acknowledged_at": "2026-11-02T12:00:00Z",
        "acknowledged_by": "ada",
        "assigned_to": "",
        "summary": "GpuIdle of n1",
        "labels": {"alertname": "GpuIdle", "severity": "warning", "node": "n1"},
        "annotations": {"summary": "GpuIdle of n1"},
        "generator_url": "",
    }


def test_lists_are_paged_by_a_cursor(vision: Team) -> None:
    for number in range(5):
        pages_world.alert(team=vision, node=f"n{number}")
    seen, path = [], "alerts?limit=2"
    while path:
        page = _get(path)
        seen += [row["labels"]["node"] for row in page["results"]]
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == ["n4", "n3", "n2", "n1", "n0"]


def test_filters_say_what_they_do_not_know(vision: Team) -> None:
    pages_world.alert(team=vision, node="n1")
    pages_world.alert(team=vision, node="n2", state=AlertState.STALE)
    nodes = [row["labels"]["node"] for row in _get('alerts?filter=node%3D~"n[1]"')["results"]]
    assert nodes == ["n1"]
    assert [row["labels"]["node"] for row in _get("alerts?state=unknown&team=vision")["results"]] == ["n2"]
    assert "is no regular expression" in _get("alerts?filter=a%3D~(", status=422)["detail"]
    assert "is no matcher" in _get("alerts?filter=words", status=422)["detail"]
    assert "'state' is one of" in _get("alerts?state=x", status=422)["detail"]


def test_an_alert_has_its_timeline_and_who_was_told(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    pages_world.report(alert, pages_world.sender(team=vision))
    pages_world.message(pages_world.destination(team=vision), alert)
    found = _get(f"alerts/{alert.pk}", vision)
    assert [line["kind"] for line in found["timeline"]] == ["told", "fired"]
    assert [(one["receiver"], one["channel"], one["last_status"]) for one in found["told"]] == [("sre", "Webhook", 200)]
    assert [(one["sender"], one["state"], one["times"]) for one in found["senders"]] == [
        ("http://prometheus:9090", "firing", 3)
    ]


def test_acknowledge_answers_with_whom_a_message_had_begun_to_reach(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    pages_world.message(pages_world.destination(team=vision), alert).attempts.update(finished_at=None)
    found = _send("POST", f"alerts/{alert.pk}/acknowledge", {"comment": "on it"}, team=vision)
    assert (found["changed"], found["already_on_its_way"]) == (True, ["sre by Webhook"])
    assert found["alert"]["acknowledged_at"] == "2026-11-02T12:00:00Z"
    event = Event.objects.get(kind="acknowledged")
    assert (event.actor, event.note) == ("token program", "on it")
    assert _send("POST", f"alerts/{alert.pk}/acknowledge", team=vision)["changed"] is False
    assert _send("POST", f"alerts/{alert.pk}/unacknowledge", team=vision)["alert"]["acknowledged_at"] is None


def test_assign_comment_and_resolve(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    member = world.member(vision, username="teo")
    path = f"alerts/{alert.pk}"
    assert _send("POST", f"{path}/assign", {"to": member.username})["alert"]["assigned_to"] == "teo"
    assert "Nobody of this team" in _send("POST", f"{path}/assign", {"to": "nobody"}, status=422)["detail"]
    assert _send("POST", f"{path}/assign", {"to": None})["alert"]["assigned_to"] == ""
    assert "'comment' is a text" in _send("POST", f"{path}/comment", {}, status=422)["detail"]
    _send("POST", f"{path}/comment", {"comment": "seen"})
    assert _send("POST", f"{path}/resolve")["alert"]["state"] == "resolved"
    assert "is resolved" in _send("POST", f"{path}/assign", {"to": None}, status=409)["detail"]


def test_unknown_parts_and_odd_bodies_are_refused(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    bodies: tuple[Any, ...] = ({"coment": "x"}, [], "x", {"comment": 5}, {"comment": "a\x00b"})
    for body in bodies:
        _send("POST", f"alerts/{alert.pk}/acknowledge", body, status=422)
    assert Episode.objects.get().acknowledged_at is None


def test_groups_count_by_a_label(vision: Team) -> None:
    for number in range(7):
        pages_world.alert(team=vision, cluster="c1", node=f"n{number}")
    (group,) = _get("alert-groups?group_by=cluster")["results"]
    assert (group["key"], group["count"], len(group["alerts"])) == ("c1", 7, 5)


def test_more_groups_than_a_page_holds_are_read_page_by_page_and_back(vision: Team) -> None:
    keys = sorted(f"{letter}{number}" for letter in "ab" for number in range(5))
    for key in keys:
        pages_world.alert(team=vision, cluster=key)
    pages_world.alert(team=vision, node="of no cluster")
    address, seen = "alert-groups?group_by=cluster&limit=4", []
    while address:
        page = _get(address)
        seen.append([group["key"] for group in page["results"]])
        last, address = page, (page["next"] or "").partition("/api/v1/")[2]
    assert seen == [["", *keys[:3]], keys[3:7], keys[7:]]
    before = _get(last["previous"].partition("/api/v1/")[2])
    assert [group["key"] for group in before["results"]] == keys[3:7]
    other = _get("alerts?limit=1", vision)["next"].partition("cursor=")[2]
    assert "This cursor is not one of ours" in _get(f"alert-groups?cursor={other}", status=422)["detail"]


def test_a_silence_is_made_read_changed_and_ended(vision: Team) -> None:
    pages_world.alert(team=vision, node="n1")
    body = {"matchers": MATCHERS, "ends_at": END, "comment": "known"}
    made = _send("POST", "silences", body, team=vision, status=201)
    assert (made["team"], made["state"], made["withholds"], made["created_by"]) == (
        "vision",
        "active",
        1,
        "token program",
    )
    assert _get(f"silences/{made['id']}", vision)["comment"] == "known"
    changed = _send("PUT", f"silences/{made['id']}", body | {"comment": "longer"}, team=vision)
    assert (changed["id"], changed["comment"]) == (made["id"], "longer")
    other = [{**MATCHERS[0], "value": "n2"}]
    assert _send("PUT", f"silences/{made['id']}", body | {"matchers": other}, team=vision)["id"] != made["id"]
    assert [row["state"] for row in _get("silences?state=expired", vision)["results"]] == ["expired"]
    (live,) = _get("silences?state=active", vision)["results"]
    set_clock(after(5))
    _send("DELETE", f"silences/{live['id']}", team=vision, status=204)
    assert Silence.objects.filter(ends_at__gt=after(5)).count() == 0


def test_a_page_of_silences_counts_what_its_own_rows_withhold(vision: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    pages_world.alert(team=vision, node="n1")
    for number in range(3):
        _send(
            "POST", "silences", {"matchers": MATCHERS, "ends_at": END, "comment": str(number)}, team=vision, status=201
        )
    counted: list[int] = []
    count = reads_quiet.counted

    def noted(rows: Sequence[Quiet]) -> tuple[Quiet, ...]:
        counted.append(len(rows))
        return count(rows)

    monkeypatch.setattr(reads_quiet, "counted", noted)
    page = _get("silences?limit=2", vision)
    assert [row["withholds"] for row in page["results"]] == [1, 1]
    assert [row["withholds"] for row in _get(page["next"].partition("/api/v1/")[2], vision)["results"]] == [1]
    assert counted == [2, 1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"matchers": MATCHERS, "comment": "x"}, 422),
        ({"matchers": MATCHERS, "ends_at": "soon", "comment": "x"}, 422),
        ({"matchers": [{"name": "a", "value": "", "isRegex": False}], "ends_at": END, "comment": "x"}, 400),
        ({"matchers": MATCHERS, "ends_at": "2026-11-01T00:00:00Z", "comment": "x"}, 400),
        ({"matchers": MATCHERS, "ends_at": END, "comment": "x", "team": "speech"}, 404),
    ],
)
def test_a_wrong_silence_is_refused(vision: Team, body: dict[str, Any], status: int) -> None:
    world.team("speech")
    assert len(_send("POST", "silences", body, team=vision, status=status)["detail"]) > 20
    assert not Silence.objects.exists()


def test_maintenance_is_planned_and_ended(vision: Team) -> None:
    body = {"name": "Driver update", "matchers": MATCHERS, "starts_at": "2026-11-02T13:00:00Z", "ends_at": END}
    made = _send("POST", "maintenance-windows", body, team=vision, status=201)
    assert (made["state"], made["withholds"]) == ("pending", None)
    assert [row["name"] for row in _get("maintenance-windows", vision)["results"]] == ["Driver update"]
    _send("DELETE", f"maintenance-windows/{made['id']}", team=vision, status=204)
    assert not Maintenance.objects.exists()


def test_a_heartbeat_tells_its_address_to_those_who_may_act(vision: Team) -> None:
    made = _send("POST", "heartbeats", {"name": "backup", "interval": "1d", "grace": "1h"}, team=vision, status=201)
    key = Heartbeat.objects.get().key
    assert made["url"].endswith(f"/heartbeat/{key}")
    assert _get("heartbeats", vision)["results"][0]["url"] is None
    assert (
        "exists already"
        in _send("POST", "heartbeats", {"name": "backup", "interval": "1d"}, team=vision, status=409)["detail"]
    )
    _send("DELETE", f"heartbeats/{made['id']}", team=vision, status=204)
    assert not Heartbeat.objects.exists()


def test_a_team_on_the_platforms_tree_reads_no_answer_that_may_speak_of_others(vision: Team) -> None:
    pages_world.destination(failures=1, last_error="400 speech's GpuIdle is wrong", last_error_at=START)
    (place,) = _get("receivers", vision)["results"][0]["destinations"]
    assert (place["state"], place["last_error"]) == ("failing", "")
    (place,) = _get("receivers")["results"][0]["destinations"]
    assert place["last_error"] == "400 speech's GpuIdle is wrong"


def test_routes_receivers_and_the_way_of_an_alert(vision: Team) -> None:
    pages_world.destination(team=vision)
    assert _get("routes", vision)["is_own"] is True
    (receiver,) = _get("receivers", vision)["results"]
    assert [place["state"] for place in receiver["destinations"]] == ["unused"]
    found = _send("POST", "routes/test", {"labels": {"alertname": "Try"}}, team=vision)
    assert [(way["receiver"], way["group_labels"]) for way in found["routes"]] == [("sre", {"alertname": "Try"})]
    assert found["deliveries"] == []
    sent = _send("POST", "routes/test", {"labels": {"alertname": "Try"}, "send": True}, team=vision)
    assert sent["deliveries"] == [OutboxMessage.objects.get().pk]


def test_a_delivery_has_its_attempts(vision: Team) -> None:
    message = pages_world.message(pages_world.destination(team=vision), pages_world.alert(team=vision))
    assert [row["key"] for row in _get("deliveries?state=sent", vision)["results"]] == [str(message.key)]
    found = _get(f"deliveries/{message.pk}", vision)
    assert [(each["status"], each["answer"]) for each in found["attempts"]] == [(200, "ok")]
    assert [line["status"] for line in found["alerts"]] == ["firing"]


def test_rules_and_history(vision: Team) -> None:
    Rule.objects.create(team=vision, name="Fact", kind="fact", fact="x", due_at=START)
    assert [row["state"] for row in _get("alert-rules", vision)["results"]] == ["waiting"]
    pages_world.alert(team=vision, state=AlertState.RESOLVED, since=after(-3600))
    (row,) = _get("alert-history?from=2026-11-01T00:00:00Z", vision)["results"]
    assert (row["ended_by"], row["seconds_to_resolve"]) == ("the sender said so", 600.0)


def test_another_teams_rows_are_nowhere(vision: Team) -> None:
    speech = world.team("speech")
    alert = pages_world.alert(team=speech)
    message = pages_world.message(pages_world.destination(team=speech), alert)
    silence = Silence.objects.create(
        team=speech, matchers=MATCHERS, starts_at=START, ends_at=after(60), updated_at=START, created_by="x", comment=""
    )
    beat = Heartbeat.objects.create(team=speech, name="backup", interval_s=60, created_at=START)
    Rule.objects.create(team=speech, name="Fact", kind="fact", fact="x", due_at=START)
    lists = ("alerts?state=all", "alert-groups", "alert-history", "silences", "deliveries", "alert-rules", "heartbeats")
    assert {path: _get(path, vision)["results"] for path in lists} == {path: [] for path in lists}
    one = (f"alerts/{alert.pk}", f"silences/{silence.pk}", f"deliveries/{message.pk}", f"heartbeats/{beat.pk}")
    for path in (*one, "routes?team=speech", "receivers?team=speech"):
        _get(path, vision, status=404)
    _send("POST", f"alerts/{alert.pk}/acknowledge", team=vision, status=404)
    _send("DELETE", f"silences/{silence.pk}", team=vision, status=404)
    _send("DELETE", f"heartbeats/{beat.pk}", team=vision, status=404)
    _send("POST", "routes/test", {"team": "speech", "labels": {"a": "b"}, "send": True}, team=vision, status=404)
    assert Episode.objects.get().acknowledged_at is None


def test_a_teams_token_touches_nothing_of_the_platform(vision: Team) -> None:
    alert = pages_world.alert()
    _send("POST", f"alerts/{alert.pk}/acknowledge", team=vision, status=404)
    body = {"team": "platform", "matchers": MATCHERS, "ends_at": END, "comment": "x"}
    _send("POST", "silences", body, team=vision, status=404)


def test_a_parents_member_may_look_and_not_act(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    client = Client()
    client.force_login(world.member(vision))
    assert client.get(f"/api/v1/alerts/{alert.pk}").status_code == 200
    answer = client.post(f"/api/v1/alerts/{alert.pk}/acknowledge", data=b"{}", content_type="application/json")
    assert answer.status_code == 403


def test_lists_answer_as_csv(vision: Team) -> None:
    pages_world.alert(team=vision, node="n1")
    headers = world.bearer(world.token(scopes=["read"]))
    answer = Client().get("/api/v1/alerts?format=csv", headers=headers)
    assert answer.content.decode().splitlines()[0].startswith("id,fingerprint,name,severity,team,state,withheld,")
