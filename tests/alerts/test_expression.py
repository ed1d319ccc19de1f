"""The graph behind an alert, drawn from a real Prometheus, and what it refuses to draw."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.models import Role, Source
from monitoring.alerts.expression import _without_limit
from monitoring.alerts.models import Alert, Rule, RuleInstance
from tests import prometheus, world
from tests.alerts import pages_world
from tests.alerts.world import START, after, set_clock

pytestmark = [pytest.mark.django_db, pytest.mark.realtime]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An hour of two GPUs: one idle, one busy."""
    folder = tmp_path_factory.mktemp("prom") / "data"
    begin = int(START.timestamp()) - 3600
    lines = [
        f'gpu_use{{gpu="{gpu}",node="n1"}} {value} {begin + step * 30}'
        for step in range(120)
        for gpu, value in (("0", 2), ("1", 80))
    ]
    prometheus.fill(folder, prometheus.openmetrics(lines))
    with prometheus.serving(folder) as address:
        yield address


@pytest.fixture
def source(server: str) -> Source:
    set_clock()
    return world.source("prom1", config={"url": server})


def _figure(alert: Alert, role: str = Role.SRE) -> Any:
    client = Client()
    client.force_login(world.user(role=role))
    return client.get(f"/alerts/{alert.pk}/figures/expression.json").json()


def _sent(expr: str, origin: str, **labels: Any) -> Alert:
    from urllib.parse import quote

    return pages_world.alert("Idle", generator_url=f"{origin}/graph?g0.expr={quote(expr)}&g0.tab=1", **labels)


def test_the_alerts_own_series_is_drawn_with_the_limit_that_it_broke(source: Source, server: str) -> None:
    figure = _figure(_sent("gpu_use < 5", server, gpu="0", node="n1"))
    assert [trace["name"] for trace in figure["data"]] == ["gpu_use"]
    known = [value for value in figure["data"][0]["y"] if value is not None]
    assert (len(known) > 50, set(known)) == (True, {2.0})
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [5.0]


def test_a_sender_under_another_name_is_known_by_its_cluster(source: Source) -> None:
    figure = _figure(_sent("gpu_use", "http://prometheus-0:9090", gpu="1", node="n1", cluster="c1"))
    assert {value for value in figure["data"][0]["y"] if value is not None} == {80.0}


def test_a_rule_of_ours_is_drawn_for_its_team_too(source: Source) -> None:
    team = world.team("vision")
    alert = pages_world.alert("Idle", team=team, gpu="0", node="n1")
    rule = Rule.objects.create(team=team, name="Idle", kind="promql", source=source, expr="gpu_use < 5", due_at=START)
    RuleInstance.objects.create(
        rule=rule, team=team, fingerprint=alert.fingerprint, labels=alert.labels, active_at=after(-60)
    )
    client = Client()
    client.force_login(world.member(team))
    figure = client.get(f"/alerts/{alert.pk}/figures/expression.json").json()
    assert [trace["name"] for trace in figure["data"]] == ["gpu_use"]


def test_refusals_of_the_source_are_told(source: Source, server: str) -> None:
    assert "refused the query" in _figure(_sent("sum(", server))["empty"]
    assert "has no series of this alert" in _figure(_sent("nothing_is_called_so", server, node="n2"))["empty"]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("up == 0", ("up", 0.0)),
        ("rate(x[5m]) > 1e3", ("rate(x[5m])", 1000.0)),
        ('x{a!="5"} >= -2.5', ('x{a!="5"}', -2.5)),
        ("x > 5 and y", ("x > 5 and y", None)),
        ("a or b > 5", ("a or b > 5", None)),
        ("(a > 5", ("(a > 5", None)),
        ("absent(up)", ("absent(up)", None)),
    ],
)
def test_a_comparison_at_the_end_is_a_line_of_its_own(expr: str, found: tuple[str, float | None]) -> None:
    assert _without_limit(expr) == found
