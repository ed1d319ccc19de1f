"""OpenSLO and Sloth become our objectives: what is carried applies, and every other key is named with its line."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetledger.fleet import config
from fleetledger.fleet.models import Role
from monitoring.availability.models import Slo
from monitoring.availability.slo import expressions
from monitoring.availability.slo.errors import ExpressionError
from monitoring.availability.slo.moving_in import Converted, convert
from monitoring.availability.slo.moving_in.sloth import NO_COUNTS
from tests import world as fleet
from tests.alerts.test_moving_in import _keys
from tests.alerts.world import set_clock

SLOTH = """\
version: "prometheus/v1"
service: shop
labels:
  tier: "1"
  component: web
sli_plugins: {x: y}
slos:
  - name: requests-availability
    objective: 99.9
    description: Requests are answered.
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: |
          sum(rate(http_requests_total{job="shop"}[{{ .window }}]))
    alerting:
      name: ShopHighErrorRate
      labels: {category: availability}
      annotations:
        runbook: https://example.org/shop
        summary: "{{ $labels.slo }} burns"
      page_alert:
        labels: {severity: critical}
      ticket_alert:
        disable: true
  - name: latency
    objective: 99
    sli:
      raw: {error_ratio_query: "1 - x"}
  - name: quiet
    objective: 95
    sli: {events: {error_query: 'increase(bad_total[{{.window}}])', total_query: 'increase(all_total[{{.window}}])'}}
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: web, displayName: The web}
---
# An indicator with a name of its own.
apiVersion: openslo/v1
kind: SLI
metadata: {name: served, displayName: Served}
spec:
  ratioMetric:
    counter: true
    good:
      metricSource:
        metricSourceRef: prom1
        type: Prometheus
        spec:
          query: sum(http_requests{component="web",code=~"2..|4.."})
    total:
      metricSource:
        metricSourceRef: prom1
        type: Prometheus
        spec: {query: 'sum(rate(http_requests{component="web"}[5m]))'}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: Web Availability
  displayName: Availability
  labels:
    env: [prod]
    team: [a, b]
spec:
  description: Requests are served.
  service: web
  indicatorRef: served
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: 2026-01-01 12:00:00, timeZone: America/New_York}
  budgetingMethod: Timeslices
  objectives:
    - {displayName: Good, target: 0.995, op: gt, timeSliceTarget: 0.95}
    - {displayName: Great, targetPercent: 99.95}
    - {displayName: Never, target: 1}
  alertPolicies: [{alertPolicyRef: fast}]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
"""


def left(found: Converted) -> list[tuple[int, str, str]]:
    return [(row.line, row.path, row.reason) for row in found.not_carried]


def entries(found: Converted) -> list[dict[str, Any]]:
    slos: list[dict[str, Any]] = yaml.safe_load(found.configuration)["slos"]
    return slos


def test_sloths_objectives_become_ours() -> None:
    assert entries(convert([("sloth.yml", SLOTH)])) == [
        {
            "name": "shop-requests-availability",
            "description": "Requests are answered.",
            "objective": 99.9,
            "bad": 'sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[$window]))',
            "total": 'sum(rate(http_requests_total{job="shop"}[$window]))',
            "labels": {"service": "shop", "tier": "1", "category": "availability"},
            "annotations": {"runbook": "https://example.org/shop"},
        },
        {
            "name": "shop-quiet",
            "objective": 95,
            "bad": "increase(bad_total[$window])",
            "total": "increase(all_total[$window])",
            "alerting": False,
            "labels": {"service": "shop", "tier": "1"},
        },
    ]


def test_what_sloth_said_and_we_cannot_is_named_with_its_line_and_reason() -> None:
    assert left(convert([("sloth.yml", SLOTH)])) == [
        (5, "labels.component", "Fleetledger gives this label itself."),
        (6, "sli_plugins", "Plugins are Go programs. Write the queries that this one makes."),
        (17, "slos[0].alerting.name", "The alert is called SloBurnRate here; its label 'slo' tells which."),
        (21, "slos[0].alerting.annotations.summary", "Go templates: Fleetledger takes the text as it stands."),
        (
            23,
            "slos[0].alerting.page_alert.labels",
            "Pages are critical and tickets are warning here: route by these, or add labels to both.",
        ),
        (
            25,
            "slos[0].alerting.ticket_alert.disable",
            "Pages and tickets are switched off together here: 'alerting: false'.",
        ),
        (
            26,
            "slos[1]",
            f"This objective is left out. {NO_COUNTS}",
        ),
    ]


def test_sloths_kubernetes_resource_says_the_same() -> None:
    spec = yaml.safe_load(SLOTH.replace("error_query", "errorQuery").replace("total_query", "totalQuery"))
    spec.pop("version")
    text = yaml.safe_dump(
        {
            "apiVersion": "sloth.slok.dev/v1",
            "kind": "PrometheusServiceLevel",
            "metadata": {"name": "x", "namespace": "monitoring"},
            "spec": spec,
        }
    )
    found = convert([("k8s.yml", text.replace("page_alert", "pageAlert").replace("ticket_alert", "ticketAlert"))])
    assert entries(found) == entries(convert([("sloth.yml", SLOTH)]))


def test_openslos_objectives_become_ours_by_their_indicators() -> None:
    found = convert([("openslo.yaml", OPENSLO)], sources=["prom1"], team="vision")
    common = {
        "team": "vision",
        "description": "Requests are served.",
        "window": "30d",
        "good": 'http_requests{component="web",code=~"2..|4.."}',
        "total": 'sum(rate(http_requests{component="web"}[$window]))',
        "source": "prom1",
        "labels": {"service": "web", "env": "prod"},
    }
    assert entries(found) == [
        {"name": "web-availability-1", "title": "Availability Good", "objective": 99.5, **common},
        {"name": "web-availability-2", "title": "Availability Great", "objective": 99.95, **common},
    ]
    assert found.notes == (
        "openslo.yaml:22: [5m] became [$window], for each window asks for a range of its own.",
        "openslo.yaml:37: The budget is rolling here; that of the calendar month is shown beside it.",
    )
    slices = "Events are counted here, not slices of time that were good enough."
    fixed = "Burn rates are fixed here: 14.4 and 6 page, 3 and 1 open tickets."
    assert left(found) == [
        (
            3,
            "metadata.displayName",
            "A service is a component of ours or a label: what else is known of it stands under 'components'.",
        ),
        (8, "metadata.displayName", "Only the objective's own are taken over."),
        (31, "metadata.labels.team", "A label has one text here."),
        (
            39,
            "spec.timeWindow[0].calendar",
            "The budget is rolling here; that of the calendar month is shown beside it.",
        ),
        (40, "spec.budgetingMethod", slices),
        (42, "spec.objectives[0].op", "This belongs to thresholds on a value."),
        (42, "spec.objectives[0].timeSliceTarget", slices),
        (
            44,
            "spec.objectives[2]",
            "This objective is left out. The target '1' is none of ours: it lies between 0 and 100 %, and is neither.",
        ),
        (45, "spec.alertPolicies", fixed),
        (47, "apiVersion", fixed),
        (48, "kind", fixed),
        (49, "metadata", fixed),
    ]


def test_a_service_that_is_a_component_of_ours_is_named_as_that() -> None:
    (first, _) = entries(convert([("openslo.yaml", OPENSLO)], components=["web"]))
    assert (first["component"], first["labels"]) == ("web", {"env": "prod"})
    assert "source" not in first


def test_a_list_of_objects_and_files_that_refer_to_each_other_are_read_too() -> None:
    service, sli, slo, _ = OPENSLO.split("---\n")
    listed = yaml.safe_dump([yaml.safe_load(slo), yaml.safe_load(service)], sort_keys=False)
    found = convert([("slos.yaml", f"# ours\n{listed}"), ("sli.yaml", sli)])
    assert found.names == ("web-availability-1", "web-availability-2")
    alone = convert([("slos.yaml", f"# ours\n{listed}")])
    assert alone.names == ()
    reasons = [row for row in alone.not_carried if row.path.startswith("items[0]")]
    said = "This objective is left out. No SLI called 'served' is in these files. Give its file too."
    assert [(row.line, row.path, row.reason) for row in reasons] == [
        (4, "items[0].metadata", said),
        (13, "items[0].spec", said),
    ]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("ratioMetric", "thresholdMetric", "A threshold on a value counts nothing."),
        ("good:", "raw: {x: y}\n    good:", "A ratio has no counts"),
        ("type: Prometheus", "type: Datadog", "It is counted in Datadog; only Prometheus can be asked here."),
        ("counter: true", "counter: false", "It counts no counters"),
        ("indicatorRef: served", "indicatorRef: other", "No SLI called 'other' is in these files."),
        ("query: sum(http_requests", "query: avg(http_requests", "'avg(http_requests"),
    ],
)
def test_an_indicator_that_cannot_be_counted_leaves_its_objective_out(before: str, after: str, reason: str) -> None:
    found = convert([("openslo.yaml", OPENSLO.replace(before, after).replace("target: 1}", "target: 0.9}"))])
    assert found.names == ()
    said = {row.path: row.reason for row in found.not_carried if 25 < row.line < 45}
    assert said["spec"].startswith(f"This objective is left out. {reason}")
    assert said["metadata"] == said["spec"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.yaml:1: There is nothing in it. This is neither OpenSLO"),
        ("a: 1", "x.yaml:1: This is neither OpenSLO (apiVersion: openslo/v1) nor Sloth (version: prometheus/v1)."),
        ("version: prometheus/v1\n---\nkind: [", "x.yaml:3: This is no YAML"),
        ("version: prometheus/v1\n---\na: 1\na: 2", "x.yaml:4: a: This key stands twice."),
        ("apiVersion: openslo/v1alpha\nkind: SLO", "x.yaml:1: This is neither OpenSLO"),
        ("- 1\n- 2", "x.yaml:1: items[0]: This is neither OpenSLO"),
    ],
)
def test_what_is_neither_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        convert([("x.yaml", text)])
    assert str(caught.value).startswith(said)


def test_every_key_is_carried_or_named() -> None:
    for text in (SLOTH, *OPENSLO.split("---\n")[2:3]):
        found = convert([("file", text)])
        named = [row.path for row in found.not_carried]
        for key in _keys(yaml.safe_load(text), ""):
            is_named = any(key == name or key.startswith((f"{name}.", f"{name}[")) for name in named)
            assert is_named != (key in found.carried), key


ODD: Any = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=5,
)
PATHS = [
    ("slos",), ("labels",), ("slos", 0), ("slos", 0, "name"), ("slos", 0, "objective"), ("slos", 0, "sli"),
    ("slos", 0, "sli", "events"), ("slos", 0, "sli", "events", "error_query"), ("slos", 0, "alerting"),
    ("slos", 0, "alerting", "page_alert"), ("slos", 0, "alerting", "labels"), ("service",),
]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS), ODD)
def test_odd_values_anywhere_raise_nothing_of_ours(path: tuple[Any, ...], value: Any) -> None:
    values = yaml.safe_load(SLOTH)
    inner = values
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    try:
        found = convert([("x.yaml", yaml.safe_dump(values, allow_unicode=True))])
    except config.ConfigError:
        return
    assert all(isinstance(item["objective"], int | float) for item in entries(found) or [])


@pytest.mark.django_db
def test_what_was_taken_over_applies() -> None:
    set_clock()
    head = 'sources: [{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090", cluster: c1}]\n'
    config.apply([("fleet.yaml", head)])
    config.apply([("slos.yaml", convert([("a", OPENSLO), ("b", SLOTH)], sources=["prom1"]).configuration)])
    assert list(Slo.objects.values_list("name", "counts_bad")) == [
        ("shop-quiet", True),
        ("shop-requests-availability", True),
        ("web-availability-1", False),
        ("web-availability-2", False),
    ]


@pytest.mark.django_db
def test_the_command_prints_what_applies_with_a_list_of_the_rest(tmp_path: Path) -> None:
    file, out = tmp_path / "sloth.yml", StringIO()
    file.write_text(SLOTH)
    call_command("import-slo", str(file), stdout=out)
    printed = out.getvalue()
    assert [item["name"] for item in yaml.safe_load(printed)["slos"]] == ["shop-requests-availability", "shop-quiet"]
    assert "# 2 objectives. " in printed
    assert f"# {file}, line 5: labels.component: Fleetledger gives this label itself." in printed
    with pytest.raises(CommandError, match=r"No team is called 'nobody'\. Known: \."):
        call_command("import-slo", str(file), "--team", "nobody", stdout=StringIO())
    written = tmp_path / "out.yaml"
    call_command("import-slo", str(file), "--output", str(written), stdout=StringIO())
    assert yaml.safe_load(written.read_text()) == yaml.safe_load(printed)
    with pytest.raises(CommandError, match="is there already"):
        call_command("import-slo", str(file), "--output", str(written), stdout=StringIO())


@pytest.mark.django_db
def test_programs_have_files_converted_for_teams_that_they_act_for(client: Client) -> None:
    vision = fleet.team("vision")
    secret = fleet.token("writer", ["write"], team=vision)

    def post(body: Any, of: str = secret) -> Any:
        url = "/api/v1/slo-imports"
        return client.post(url, body, content_type="application/json", headers=fleet.bearer(of))

    answer = post({"config": SLOTH})
    assert answer.status_code == 200
    assert {item["team"] for item in yaml.safe_load(answer.json()["configuration"])["slos"]} == {"vision"}
    assert answer.json()["not_carried"][0] == {
        "file": "config",
        "line": 5,
        "path": "labels.component",
        "reason": "Fleetledger gives this label itself.",
    }
    assert post({"config": "a: 1"}).status_code == 422
    assert post({"config": 5}).status_code == 422
    assert post({"config": SLOTH, "team": "audio"}).status_code == 404
    assert post({"config": SLOTH}, fleet.token("reader", ["read"])).status_code == 403
    client.force_login(fleet.user(role=Role.SRE))
    assert Slo.objects.count() == 0


def test_a_query_of_many_letters_costs_no_time() -> None:
    with pytest.raises(ExpressionError, match="an expression has 5000 at most"):
        expressions.parse(f"sum({'a' * 400_000} [$window])")
