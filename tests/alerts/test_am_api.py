"""What is read from the API below /t/{team}/ is as Alertmanager tells it: alerts, groups, silences, status."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from fleetledger.fleet.models import Team
from monitoring.alerts import maintenance, sweep
from monitoring.alerts.models import Alert, Report, Silence
from monitoring.alerts.tenants import of_team
from tests import world as fleet
from tests.alerts import world
from tests.alerts.am_world import MATCHER, Caller, caller_of, silence_body, text
from tests.alerts.world import START, after

pytestmark = pytest.mark.django_db
ROUTES = {
    "receiver": "default",
    "group_by": ["alertname"],
    "routes": [
        {"matchers": ['severity="critical"'], "receiver": "pager", "continue": True},
        {"matchers": ['severity=~"warning|critical"'], "receiver": "mail", "group_by": ["team"]},
    ],
}
RECEIVERS = [{"name": "default"}, {"name": "pager"}, {"name": "mail"}]
INHIBITS = [
    {"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"'], "equal": ["alertname"]}
]


@pytest.fixture(autouse=True)
def _stopped_clock() -> None:
    world.set_clock()


@pytest.fixture
def acme() -> Team:
    return fleet.team("acme")


@pytest.fixture
def caller(client: Client, acme: Team) -> Caller:
    return caller_of(client, acme)


@pytest.fixture
def routed(caller: Caller, acme: Team) -> Caller:
    """A critical alert that inhibits a warning, and two others."""
    world.tree(acme, ROUTES, RECEIVERS, INHIBITS)
    caller.fire("Hot", severity="critical", team="vision")
    caller.fire("Hot", severity="warning", team="vision", instance="b")
    caller.fire("Slow", severity="warning", team="speech", instance="a")
    caller.fire("Other")
    return caller


def test_receivers_and_what_inhibits_are_named(routed: Caller) -> None:
    found = {
        (alert["labels"]["alertname"], alert["labels"].get("severity")): alert for alert in routed.get("api/v2/alerts")
    }
    critical = found["Hot", "critical"]
    assert [item["name"] for item in critical["receivers"]] == ["pager", "mail"]
    assert found["Hot", "warning"]["status"] == {
        "inhibitedBy": [critical["fingerprint"]],
        "silencedBy": [],
        "state": "suppressed",
    }
    prints = [alert["fingerprint"] for alert in routed.get("api/v2/alerts")]
    assert prints == sorted(prints)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?filter=alertname=Hot", ["Hot", "Hot"]),
        ("?filter=alertname%3DHot&filter=severity%3D~%22crit.*%22", ["Hot"]),
        ("?filter=severity%3D%22%22", ["Other"]),
        ("?filter=team!=vision", ["Other", "Slow"]),
        ("?active=false", ["Hot"]),
        ("?active=maybe", ["Hot"]),
        ("?inhibited=false", ["Hot", "Other", "Slow"]),
        ("?inhibited=TRUE&unprocessed=false&silenced=1", ["Hot", "Hot", "Other", "Slow"]),
        ("?active=", ["Hot", "Hot", "Other", "Slow"]),
        ("?receiver=pager", ["Hot"]),
        ("?receiver=page", []),
        ("?receiver=p.*|default", ["Hot", "Other"]),
        ("?unknown=1", ["Hot", "Hot", "Other", "Slow"]),
    ],
)
def test_the_list_is_filtered_as_alertmanager_filters(routed: Caller, query: str, names: list[str]) -> None:
    assert routed.names(query) == names


@pytest.mark.parametrize("query", ["filter=a", "filter=", "filter=a=~%22(%22", "receiver=(", "filter={a=%22b%22}x"])
@pytest.mark.parametrize("path", ["api/v2/alerts", "api/v2/alerts/groups"])
def test_a_filter_that_is_none_is_400(routed: Caller, path: str, query: str) -> None:
    answer = routed.ask("GET", f"{path}?{query}")
    assert answer.status_code == 400
    assert isinstance(orjson.loads(answer.content), str)


def grouped(caller: Caller, query: str = "") -> list[tuple[str, dict[str, str], list[str | None]]]:
    return [
        (group["receiver"]["name"], group["labels"], [alert["labels"].get("instance") for alert in group["alerts"]])
        for group in caller.get(f"api/v2/alerts/groups{query}")
    ]


def test_groups_are_those_of_the_routes(routed: Caller) -> None:
    assert grouped(routed) == [
        ("pager", {"alertname": "Hot"}, [None]),
        ("default", {"alertname": "Other"}, [None]),
        ("mail", {"team": "speech"}, ["a"]),
        ("mail", {"team": "vision"}, ["b", None]),
    ]
    assert grouped(routed, "?receiver=mail&inhibited=false") == [
        ("mail", {"team": "speech"}, ["a"]),
        ("mail", {"team": "vision"}, [None]),
    ]
    assert grouped(routed, "?filter=alertname=Nothing") == []


def test_an_alert_in_a_group_says_all_its_receivers(routed: Caller) -> None:
    group = routed.get("api/v2/alerts/groups?receiver=pager")[0]
    assert [item["name"] for item in group["alerts"][0]["receivers"]] == ["pager", "mail"]


def test_a_stale_alert_is_listed_with_a_renewed_end(caller: Caller) -> None:
    end = text(after(240))
    for seconds in (0, 60, 60):
        world.advance(seconds)
        caller.post("api/v2/alerts", [{"labels": {"alertname": "Hot"}, "endsAt": end}])
    now = world.advance(600)
    sweep.sweep(now)
    assert Alert.objects.get().state == "stale"
    (alert,) = caller.get("api/v2/alerts")
    assert (alert["endsAt"], alert["status"]["state"]) == (text(now + timedelta(minutes=5)), "active")


def test_the_latest_end_of_all_senders_is_told(client: Client, acme: Team, caller: Caller) -> None:
    second = Caller(client, "acme", fleet.token("second", ["write"], team=acme))
    caller.post("api/v2/alerts", [{"labels": {"alertname": "Hot"}, "endsAt": text(after(600))}])
    world.advance(30)
    second.post("api/v2/alerts", [{"labels": {"alertname": "Hot"}, "endsAt": text(after(300))}])
    (alert,) = caller.get("api/v2/alerts")
    assert (alert["endsAt"], alert["updatedAt"]) == (text(after(600)), text(after(30)))


def test_the_list_takes_as_many_queries_for_many_alerts_as_for_one(
    caller: Caller, acme: Team, django_assert_max_num_queries: Any
) -> None:
    world.tree(acme, ROUTES, RECEIVERS, INHIBITS)
    caller.post("api/v2/alerts", [{"labels": {"alertname": "Hot", "gpu": str(n)}} for n in range(50)])
    with django_assert_max_num_queries(12):
        assert len(caller.get("api/v2/alerts")) == 50


def test_a_silence_is_made_shown_and_ended(caller: Caller) -> None:
    caller.fire()
    status, made = caller.post("api/v2/silences", silence_body())
    assert (status, list(made)) == (200, ["silenceID"])
    silence_id = made["silenceID"]
    shown = {
        "id": silence_id,
        "status": {"state": "active"},
        "updatedAt": text(START),
        "comment": "known",
        "createdBy": "mira",
        "endsAt": text(after(3600)),
        "matchers": [MATCHER],
        "startsAt": text(START),
    }
    assert caller.get("api/v2/silences") == [shown]
    assert caller.get(f"api/v2/silence/{silence_id}") == shown
    assert caller.get("api/v2/alerts")[0]["status"] == {
        "inhibitedBy": [],
        "silencedBy": [silence_id],
        "state": "suppressed",
    }
    assert caller.names("?silenced=false") == []
    answer = caller.ask("DELETE", f"api/v2/silence/{silence_id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert caller.get("api/v2/silences")[0]["status"] == {"state": "expired"}
    assert caller.get("api/v2/alerts")[0]["status"]["state"] == "active"


@pytest.mark.parametrize(
    "fields",
    [
        {"matchers": []},
        {"matchers": "x"},
        {"matchers": [MATCHER | {"value": ""}]},
        {"matchers": [MATCHER | {"value": "(", "isRegex": True}]},
        {"matchers": [{"name": "a"}]},
        {"startsAt": None, "endsAt": None},
        {"startsAt": "x"},
        {"endsAt": text(after(-10)), "startsAt": text(after(-20))},
        {"createdBy": None},
        {"comment": 5},
        {"comment": "\x00"},
        {"id": 5},
    ],
)
def test_a_silence_that_cannot_be_is_400_with_a_sentence(caller: Caller, fields: dict[str, Any]) -> None:
    status, sentence = caller.post("api/v2/silences", silence_body(**fields))
    assert (status, isinstance(sentence, str)) == (400, True)
    assert not Silence.objects.exists()


@pytest.mark.parametrize("silence_id", ["nope", "8b1f0b1e-0000-0000-0000-000000000000"])
def test_an_unknown_silence_is_404(caller: Caller, silence_id: str) -> None:
    for method in ("GET", "DELETE"):
        assert caller.ask(method, f"api/v2/silence/{silence_id}").status_code == 404
    assert caller.post("api/v2/silences", silence_body(id=silence_id))[0] == 404


def test_a_new_start_that_is_unset_is_now(caller: Caller) -> None:
    assert caller.post("api/v2/silences", silence_body(startsAt="0001-01-01T00:00:00Z", id=""))[0] == 200
    assert Silence.objects.get().starts_at == START


def test_a_maintenance_window_counts_as_a_silence(caller: Caller, acme: Team) -> None:
    caller.fire()
    window = maintenance.Window("rack move", [MATCHER], START, after(3600), "rows A to C")
    made = maintenance.plan(of_team(acme), window, "mira")
    caller.post("api/v2/silences", silence_body(endsAt=text(after(60))))
    shown = caller.get("api/v2/silences")
    assert [item["comment"] for item in shown] == ["known", "Maintenance: rack move. rows A to C"]
    assert str(made.pk) in caller.get("api/v2/alerts")[0]["status"]["silencedBy"]
    assert caller.get(f"api/v2/silence/{made.pk}") == shown[1]
    world.advance(60)
    assert caller.ask("DELETE", f"api/v2/silence/{made.pk}").status_code == 200
    assert caller.get("api/v2/alerts")[0]["status"]["state"] == "active"


def test_the_status_is_alertmanagers(caller: Caller, acme: Team) -> None:
    world.tree(acme, ROUTES, RECEIVERS, INHIBITS)
    status = caller.get("api/v2/status")
    assert sorted(status) == ["cluster", "config", "uptime", "versionInfo"]
    assert status["cluster"] == {"peers": [], "status": "disabled"}
    assert status["versionInfo"]["version"] == "0.25.0"
    assert "receiver: pager" in status["config"]["original"]
    assert caller.get("api/v2/receivers") == [{"name": "default"}, {"name": "pager"}, {"name": "mail"}]


def test_another_teams_routes_are_not_shown(client: Client, acme: Team, caller: Caller) -> None:
    world.tree(acme, ROUTES, RECEIVERS, INHIBITS)
    other = Caller(client, "other", fleet.token("other", ["read"], team=fleet.team("other")))
    assert other.get("api/v2/receivers") == [{"name": "default"}]
    assert "pager" not in other.get("api/v2/status")["config"]["original"]


def test_ready_and_healthy_say_ok(caller: Caller) -> None:
    for path in ("-/ready", "-/healthy"):
        answer = caller.ask("GET", path)
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"OK", "text/plain; charset=utf-8")


def test_metrics_name_the_version_and_count_this_teams_alerts(client: Client, caller: Caller) -> None:
    caller.fire()
    caller.fire("Other")
    Caller(client, "platform", fleet.token("fleet", ["write"])).fire("Elsewhere")
    caller.post("api/v2/silences", silence_body())
    families = text_string_to_metric_families(caller.ask("GET", "metrics").content.decode())
    samples = {sample.name: sample for family in families for sample in family.samples if sample.value}
    assert samples["alertmanager_build_info"].labels["version"] == "0.25.0"
    answer = caller.ask("GET", "metrics").content
    assert b'alertmanager_alerts{state="active"} 1.0' in answer
    assert b'alertmanager_alerts{state="suppressed"} 1.0' in answer


def test_webhooks_fire_until_they_resolve(caller: Caller) -> None:
    for path in ("webhooks/json", "webhooks/grafana"):
        alert = {"labels": {"alertname": path[-4:]}}
        assert caller.post(path, {"alerts": [alert | {"status": "firing"}]}) == (200, None)
        world.advance(3 * 3600)
        sweep.sweep()
        assert caller.names() == [path[-4:]]
        assert caller.post(path, {"alerts": [alert | {"status": "resolved"}]}) == (200, None)
        assert caller.names() == []
    assert Report.objects.count() == 2
