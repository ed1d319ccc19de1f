"""What others post becomes `Posted`; one that is refused costs no other, and says why."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.sources import alertmanager, grafana, webhook
from monitoring.alerts.sources.fields import PostedError
from monitoring.alerts.sources.posted import Posted

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
HOUR_AGO = "2026-11-02T11:00:00Z"
TIMEOUT = NOW + timedelta(minutes=5)


def now() -> datetime:
    return NOW


def posted(document: Any) -> tuple[list[Posted], list[str]]:
    return alertmanager.read(orjson.dumps(document), now)


def one(**fields: Any) -> Posted:
    found, errors = posted([{"labels": {"alertname": "A"}, **fields}])
    assert errors == []
    return found[0]


def refusal(**fields: Any) -> str:
    found, errors = posted([{"labels": {"alertname": "A"}, **fields}])
    assert found == []
    return errors[0]


def test_what_prometheus_sends_is_read_whole() -> None:
    found = one(
        labels={"alertname": "GpuIdle", "gpu": "0", "pod": ""},
        annotations={"summary": "idle", "empty": ""},
        startsAt="2026-11-02T11:00:00.123456789Z",
        endsAt="2026-11-02T13:04:00+01:00",
        generatorURL="http://prom:9090/graph?g0.expr=up",
    )
    assert found == Posted(
        labels={"alertname": "GpuIdle", "gpu": "0"},
        annotations={"summary": "idle", "empty": ""},
        starts_at=datetime(2026, 11, 2, 11, 0, 0, 123456, tzinfo=UTC),
        ends_at=datetime(2026, 11, 2, 12, 4, tzinfo=UTC),
        generator_url="http://prom:9090/graph?g0.expr=up",
    )


@pytest.mark.parametrize("unset", [None, "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"])
def test_an_instant_that_is_unset_gives_the_resolve_timeout(unset: str | None) -> None:
    assert one(startsAt=unset, endsAt=unset) == Posted({"alertname": "A"}, {}, None, TIMEOUT)


def test_an_instant_without_a_zone_is_utc() -> None:
    assert one(startsAt="2026-11-02 11:00:00").starts_at == datetime(2026, 11, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize("labels", [None, {}, {"a": ""}])
def test_an_alert_needs_a_label(labels: dict[str, str] | None) -> None:
    assert refusal(labels=labels) == "alert 0: at least one label is needed, for example alertname"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"labels": []}, "labels is an object of names and texts"),
        ({"labels": {"9a": "x"}}, "labels: '9a' is no name; it is made of letters, digits and _"),
        ({"labels": {"a": 1}}, "labels: the value of 'a' is a text"),
        ({"labels": {"a": "x\x00"}}, "labels: 'a' has a NUL character, which cannot be stored"),
        ({"annotations": {"a-b": "x"}}, "annotations: 'a-b' is no name; it is made of letters, digits and _"),
        ({"annotations": {"a": ["x"]}}, "annotations: the value of 'a' is a text"),
        ({"startsAt": "yesterday"}, "startsAt 'yesterday' is no instant such as 2026-11-25T10:00:00Z"),
        ({"startsAt": "2026-11-02"}, "startsAt '2026-11-02' is no instant such as 2026-11-25T10:00:00Z"),
        ({"endsAt": "9999-12-31T23:59:59-05:00"}, "endsAt '9999-12-31T23:59:59-05:00' is no instant"),
        ({"endsAt": 5}, "endsAt is a text such as 2026-11-25T10:00:00Z"),
        ({"startsAt": HOUR_AGO, "endsAt": "2026-11-02T10:00:00Z"}, "startsAt must not be after endsAt"),
        ({"startsAt": "2026-11-02T13:00:00Z"}, "startsAt must not be after endsAt"),
        ({"generatorURL": "http://[x"}, "generatorURL 'http://[x' is no address"),
        ({"generatorURL": 5}, "generatorURL is a text"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], sentence: str) -> None:
    assert refusal(**fields).startswith(f"alert 0: {sentence}")


def test_a_link_that_a_browser_would_run_is_dropped_and_the_alert_kept() -> None:
    assert one(generatorURL="javascript:alert(1)").generator_url == ""


def test_the_valid_ones_of_a_body_are_kept() -> None:
    found, errors = posted([{"labels": {"a": "1"}}, {"labels": {}}, "x", None, {"labels": {"a": "2"}}])
    assert [item.labels for item in found] == [{"a": "1"}, {"a": "2"}]
    assert alertmanager.joined(errors) == (
        "alert 1: at least one label is needed, for example alertname; "
        "alert 2: an alert is an object with labels; alert 3: an alert is an object with labels"
    )


def test_many_errors_are_counted() -> None:
    _, errors = posted([{}] * 50)
    assert alertmanager.joined(errors).endswith("; and 30 more")


def test_one_fingerprint_twice_stays_twice_and_in_order() -> None:
    found, _ = posted([{"labels": {"a": "1"}, "annotations": {"n": n}} for n in ("first", "second")])
    assert [item.annotations["n"] for item in found] == ["first", "second"]


def test_a_bad_character_costs_no_alert() -> None:
    body = rb'[{"labels":{"a":"\ud800x","b":"\ud83d\ude00"}},' + b'{"labels":{"a":"\xff"}}]'
    found, errors = alertmanager.read(body, now)
    assert ([item.labels for item in found], errors) == ([{"a": "\ufffdx", "b": "😀"}, {"a": "\ufffd"}], [])


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b'"x"', b"5", b"[" * 5000, b'[{"labels":{"a":NaN}}]'])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(PostedError, match=r"^The body is no"):
        alertmanager.read(body, now)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_KEYS = ("labels", "annotations", "startsAt", "endsAt", "generatorURL", "status", "alerts", "ruleName", "state", "tags")
_ALERT = st.dictionaries(st.sampled_from(_KEYS), _JSON | st.fixed_dictionaries({"alertname": st.text(max_size=5)}))


@given(_JSON | _ALERT | st.lists(_ALERT, max_size=3))
def test_whatever_is_posted_is_read_or_refused(document: Any) -> None:
    body = orjson.dumps(document)
    for source in (alertmanager, webhook, grafana):
        with suppress(PostedError):
            found, errors = source.read(body, now)
            assert all(item.labels and all(item.labels.values()) for item in found)
            assert all(errors)


def hooked(source: ModuleType, document: Any) -> Posted:
    found, errors = source.read(orjson.dumps(document), now)
    assert (len(found), errors) == (1, [])
    only: Posted = found[0]
    return only


@pytest.mark.parametrize("wrap", [lambda item: item, lambda item: [item], lambda item: {"alerts": [item]}])
def test_a_plain_webhook_fires_until_it_says_resolved(wrap: Any) -> None:
    assert hooked(webhook, wrap({"labels": {"alertname": "A"}})) == Posted({"alertname": "A"}, {}, None, None)
    resolved = {"status": "resolved", "labels": {"alertname": "A"}, "startsAt": HOUR_AGO}
    assert hooked(webhook, wrap(resolved)) == Posted({"alertname": "A"}, {}, NOW - timedelta(hours=1), NOW)


def test_a_clock_that_is_ahead_resolves_all_the_same() -> None:
    ahead = {"startsAt": "2026-11-02T12:00:01Z", "endsAt": "2026-11-02T12:00:02Z"}
    found = hooked(webhook, {"status": "resolved", "labels": {"a": "b"}, **ahead})
    assert (found.starts_at, found.ends_at) == (NOW, NOW)


def test_another_alertmanagers_webhook_is_read() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "A", "i": "1"},
        "annotations": {"summary": "s"},
        "startsAt": HOUR_AGO,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prom/graph",
        "fingerprint": "0123456789abcdef",
    }
    document = {
        "version": "4",
        "groupKey": '{}:{alertname="A"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "us",
        "groupLabels": {"alertname": "A"},
        "commonLabels": {"alertname": "A"},
        "commonAnnotations": {},
        "externalURL": "http://am:9093",
        "alerts": [alert],
    }
    assert hooked(webhook, document) == Posted(
        {"alertname": "A", "i": "1"}, {"summary": "s"}, NOW - timedelta(hours=1), None, "http://prom/graph"
    )


def test_a_status_that_is_none_is_refused() -> None:
    assert webhook.read(b'{"status":"maybe","labels":{"a":"b"}}', now)[1] == ["alert 0: status is firing or resolved"]


def test_grafanas_webhook_is_read_with_its_links() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "High", "grafana_folder": "GPU", "team name": "vision", "9th": "x"},
        "annotations": {"summary": "s", "__dashboardUid__": "u"},
        "startsAt": HOUR_AGO,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://grafana/alerting/grafana/x/view",
        "fingerprint": "0123456789abcdef",
        "silenceURL": "https://grafana/alerting/silence/new",
        "dashboardURL": "https://grafana/d/u",
        "panelURL": "",
        "values": {"B": 22.5},
        "valueString": "[ var='B' value=22.5 ]",
    }
    document = {
        "receiver": "us",
        "status": "firing",
        "orgId": 1,
        "alerts": [alert],
        "version": "1",
        "state": "alerting",
    }
    assert hooked(grafana, document) == Posted(
        {"alertname": "High", "grafana_folder": "GPU", "team_name": "vision", "_9th": "x"},
        {
            "summary": "s",
            "__dashboardUid__": "u",
            "dashboard_url": "https://grafana/d/u",
            "value": "[ var='B' value=22.5 ]",
        },
        NOW - timedelta(hours=1),
        None,
        "https://grafana/alerting/grafana/x/view",
    )


@pytest.mark.parametrize(("state", "ends_at"), [("alerting", None), ("no_data", None), ("ok", NOW), ("paused", NOW)])
def test_grafanas_older_webhook_is_read(state: str, ends_at: datetime | None) -> None:
    document = {
        "title": "[Alerting] Panel",
        "ruleId": 1,
        "ruleName": "Panel",
        "ruleUrl": "http://grafana/d/x",
        "state": state,
        "message": "hot",
        "tags": {"severity": "critical"},
        "evalMatches": [{"value": 100, "metric": "m", "tags": None}],
    }
    assert hooked(grafana, document) == Posted(
        {"alertname": "Panel", "severity": "critical"},
        {"summary": "[Alerting] Panel", "description": "hot"},
        None,
        ends_at,
        "http://grafana/d/x",
    )


def test_an_older_webhook_of_a_state_between_says_nothing() -> None:
    assert grafana.read(b'{"ruleName":"P","state":"pending"}', now) == ([], [])


@pytest.mark.parametrize("body", [b"[]", b"{}", b"x", b'{"labels":{"a":"b"}}'])
def test_what_is_not_grafanas_is_refused(body: bytes) -> None:
    with pytest.raises(PostedError, match=r"^The body is no"):
        grafana.read(body, now)
