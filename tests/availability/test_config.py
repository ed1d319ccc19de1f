"""Components in the configuration file: brought in with a difference, refused with line and key, written back."""

import pytest
import yaml

from fleetledger.fleet import config
from monitoring.availability.models import Component, Probe, ProbeKind, Series
from monitoring.availability.states import State
from tests import world as fleet
from tests.alerts import world as clocks
from tests.availability import world

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: vision}]
clusters: [{name: c1}]
sources: [{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090", cluster: c1}]
components:
  - name: inference-api
    title: Inference API
    team: vision
    needs: 2
    public: true
    public_title: Inference
    runbook_url: https://runbooks.example.org/api
    alert_after: 5m
    children:
      - {name: api-1, zone: a, probes: [{http: {url: "http://10.0.0.1/ok", status: [200, 204], body: good}}]}
      - {name: api-2, zone: b, probes: [{tcp: {host: 10.0.0.2, port: 443}, interval: 10s, timeout: 2s}]}
  - name: fleet
    kind: cluster
    alert: false
    severity: warning
    probes:
      - {name: exporters, source: prom1, promql: {expr: "up{job='dcgm'}", degraded: "== 0.5", facts: {n: count(up)}}}
      - {name: api, source: prom1, kubernetes: {deployment: api, namespace: prod}}
      - {name: certificate, tls: {host: example.org, warn_days: 30}, interval: 1h}
      - {name: backup, heartbeat: {grace: 10m}, interval: 1d}
      - {name: slow, http: {url: "https://example.org", slow_after: 2s, headers: {Authorization: {env: TOKEN}}}}
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    clocks.set_clock(world.START)


def apply(text: str) -> config.Outcome:
    return config.apply([("fleet.yaml", text)])


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def refused(component: str) -> list[str]:
    """The mistakes of one component, without its file."""
    with pytest.raises(config.ConfigError) as caught:
        apply(f"components:\n  - {component}\n")
    return [line.removeprefix("fleet.yaml:2: components[0]") for line in str(caught.value).splitlines()]


def test_components_are_brought_in_with_what_is_below_them() -> None:
    apply(WHOLE)
    rows = Component.objects.order_by("position").values_list("name", "kind", "parent__name", "team__slug", "zone")
    assert list(rows) == [
        ("inference-api", "service", None, "vision", ""),
        ("api-1", "replica", "inference-api", "vision", "a"),
        ("api-2", "replica", "inference-api", "vision", "b"),
        ("fleet", "cluster", None, None, ""),
    ]
    api = Component.objects.get(name="inference-api")
    assert (api.needs, api.alert_after_s, api.is_public, api.public_title) == (2, 300, True, "Inference")
    probes = Probe.objects.filter(component__name="fleet").order_by("name").values_list("name", "kind", "interval_s")
    assert list(probes) == [
        ("api", "kubernetes", 30),
        ("backup", "heartbeat", 60),
        ("certificate", "tls", 3_600),
        ("exporters", "promql", 30),
        ("slow", "http", 30),
    ]


def test_the_second_time_nothing_changes_and_what_is_exported_applies_as_no_change() -> None:
    apply(WHOLE)
    written = config.export()
    assert lines(WHOLE) == []
    assert lines(written) == []
    assert yaml.safe_load(written)["components"][1] == {
        "name": "api-1",
        "title": "api-1",
        "kind": "replica",
        "team": "vision",
        "parent": "inference-api",
        "zone": "a",
        "probes": [{"name": "http", "http": {"url": "http://10.0.0.1/ok", "status": [200, 204], "body": "good"}}],
    }


def test_what_is_taken_out_goes_and_its_past_stays_and_comes_back_with_it() -> None:
    text = "components: [{name: api, probes: [{tcp: {host: h, port: 1}}, {http: {url: 'http://h'}}]}]"
    apply(text)
    probe = Probe.objects.get(kind=ProbeKind.TCP)
    world.see(probe, [(0, State.UP)])
    assert lines("components: [{name: api, probes: [{http: {url: 'http://h'}}]}]") == ["- probe api/tcp"]
    ended = Series.objects.get()
    assert (ended.ended_at, ended.end_reason) == (world.after(30), "It was taken out of the configuration.")
    assert lines("components: []") == ["- component api: what was seen of it stays"]
    assert config.export() == config.service.HEADER
    assert lines(text) == ["+ component api: with its past"]
    assert Probe.objects.filter(removed_at=None).count() == 2


def test_our_own_parts_are_left_alone() -> None:
    world.component("fleetledger-web", is_builtin=True)
    assert lines("components: []") == []
    assert Component.objects.get().removed_at is None
    assert refused("{name: fleetledger-web}") == [
        ".name: Names that begin with 'fleetledger-' are our own parts'. Take another."
    ]


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("{name: A b}", ".name: 'A b' does not fit. Write: A name of a-z, 0-9 and -, such as inference-api."),
        (
            "{name: a, kind: sevice}",
            (
                ".kind: 'sevice' is not known. Did you mean 'service'? Known: cluster, service, "
                "replica, exporter, database, node, serving."
            ),
        ),
        ("{name: a, parent: b}", ".parent: No component is called 'b'. Known: a."),
        ("{name: a, parent: a}", ".parent: A component cannot stand below itself: a -> a."),
        ("{name: a, team: nobody}", ".team: No team is called 'nobody'. Add it under 'teams'."),
        (
            "{name: a, probes: [{}]}",
            ".probes[0]: A probe has one of promql, http, tcp, tls, heartbeat, kubernetes, and no other of them.",
        ),
        (
            "{name: a, probes: [{promql: {expr: up}}]}",
            ".probes[0]: 'source' is missing: name the Prometheus that is asked.",
        ),
        (
            "{name: a, probes: [{source: p, promql: {expr: up}}]}",
            ".probes[0].source: No source of kind prometheus is called 'p'. Add it under 'sources'.",
        ),
        (
            "{name: a, probes: [{source: p, tcp: {host: h, port: 1}}]}",
            ".probes[0].source: 'source' has no meaning beside 'tcp'. Take it out.",
        ),
        (
            "{name: a, probes: [{tcp: {host: h, port: 1}, interval: 1s}]}",
            ".probes[0].interval: Such a probe asks every 5 s at most. Give a longer interval.",
        ),
        (
            "{name: a, probes: [{tcp: {host: h, port: 1}, interval: 5500ms}]}",
            ".probes[0].interval: Give whole seconds.",
        ),
        (
            "{name: a, probes: [{tcp: {host: h, port: 1}, timeout: 1m}]}",
            ".probes[0].timeout: A probe waits 30 s at most. Give a shorter timeout.",
        ),
        (
            "{name: a, probes: [{http: {url: 'http://h', body: '('}}]}",
            ".probes[0].http.body: '(' is no regular expression.",
        ),
        (
            "{name: a, probes: [{tcp: {host: h, port: 1}}, {tcp: {host: i, port: 1}}]}",
            ".probes[1].name: The probe 'tcp' stands twice here. Give one another name.",
        ),
        ("{name: a, alert_after: soon}", ".alert_after: 'soon' does not fit. Write: A duration such as 30s, 5m or 1h."),
        (
            "{name: a, children: [{name: a}]}",
            ".children[0].name: The component 'a' stands twice. Give one another name.",
        ),
        (
            "{name: a, children: [{name: b, parent: a}]}",
            ".children[0].parent: 'parent' has no meaning inside 'children'. Take it out.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(component: str, expected: str) -> None:
    assert expected in refused(component)


def test_a_circle_of_parents_is_refused() -> None:
    with pytest.raises(config.ConfigError) as caught:
        apply("components: [{name: a, parent: b}, {name: b, parent: a}]")
    assert "A component cannot stand below itself: a -> b -> a." in str(caught.value)


def test_a_wrong_condition_and_two_objects_are_refused() -> None:
    fleet.source("p")
    assert refused("{name: a, probes: [{source: p, promql: {expr: up, up: about 1}}]}") == [
        ".probes[0].promql.up: 'about 1' does not fit. Write: A condition on the value, such as '>= 1'."
    ]
    assert refused("{name: a, probes: [{source: p, kubernetes: {deployment: a, node: b}}]}") == [
        (
            ".probes[0].kubernetes: Name one of deployment, statefulset, daemonset, node, poddisruptionbudget, job, "
            "and no other of them."
        )
    ]


def test_what_stands_below_a_component_is_of_its_team() -> None:
    fleet.team("vision")
    fleet.team("speech")
    assert refused("{name: shared, team: vision, children: [{name: own, team: speech}]}") == [
        ".children[0].team: 'own' is of another team than 'shared' above it. Give both one team."
    ]
