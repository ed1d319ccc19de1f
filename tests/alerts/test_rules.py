"""Rules over PromQL: evaluated at instants against a real Prometheus, with their state in the database alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import QuerySet

from fleetledger.fleet import ports
from fleetledger.fleet.models import Source
from fleetledger.fleet.ports import HourPrice
from monitoring.alerts.models import Alert, Rule
from monitoring.alerts.rules import claims, evaluate
from monitoring.alerts.rules.progress import Key, Seen
from tests import prometheus
from tests import world as fleet
from tests.alerts import rules_world, world
from tests.alerts.rules_world import at, evaluate_at, evaluate_through, firing, instances

pytestmark = [pytest.mark.django_db, pytest.mark.realtime]

HOT = {"alertname": "Hot", "gpu": "0", "job": "dcgm"}
START_S = int(world.START.timestamp())


def _temperature(minute: int) -> int:
    """Above 90 from minute 5 until minute 20, and again from minute 40 on."""
    return 95 if 5 <= minute < 20 or minute >= 40 else 50


def _samples() -> Iterator[str]:
    for minute in range(-10, 200):
        at_s = START_S + 60 * minute
        yield f'temperature{{gpu="0",job="dcgm"}} {_temperature(minute)} {at_s}'
        yield f'temperature{{gpu="1",job="dcgm"}} 50 {at_s}'


def hot() -> QuerySet[Alert]:
    return Alert.objects.filter(name="Hot")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("prometheus") / "data"
    prometheus.fill(folder, prometheus.openmetrics(_samples()))
    with prometheus.serving(folder) as url:
        yield url


@pytest.fixture
def source(address: str) -> Source:
    rules_world.without_defaults()
    return rules_world.prometheus_source(address)


def test_a_rule_is_pending_for_its_time_and_then_fires(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90", for_s=300, labels={"severity": "warning"})
    evaluate_through(range(10))
    labels = HOT | {"severity": "warning"}
    assert instances(rule) == [(labels, at(5), None)]
    assert firing() == []
    evaluate_at(10)
    assert instances(rule) == [(labels, at(5), at(10))]
    assert [(alert.labels, alert.starts_at) for alert in hot()] == [(labels, at(10))]
    evaluate_through(range(11, 21))
    assert instances(rule) == []
    assert [(alert.state, alert.ended_at) for alert in hot()] == [("resolved", at(20))]


def test_what_stops_holding_before_its_time_never_fires(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90", for_s=3600)
    evaluate_through(range(30))
    assert (instances(rule), hot().count()) == ([], 0)


def test_a_rule_without_for_fires_at_once(source: Source) -> None:
    rules_world.promql(source, "temperature > 90")
    evaluate_through([4, 5])
    assert firing() == [HOT]


def test_an_alert_is_kept_firing_for_a_while(source: Source) -> None:
    rules_world.promql(source, "temperature > 90", keep_firing_for_s=600)
    evaluate_through(range(5, 30))
    assert firing() == [HOT]
    evaluate_at(30)
    assert firing() == []
    assert hot().get().ended_at == at(30)


def test_what_comes_back_while_it_is_kept_is_the_same_episode(source: Source) -> None:
    rules_world.promql(source, "temperature > 90", keep_firing_for_s=1800)
    evaluate_through(range(5, 60))
    assert hot().get().episodes.count() == 1
    assert firing() == [HOT]


def test_labels_and_annotations_are_rendered(source: Source) -> None:
    rules_world.promql(
        source,
        "temperature > 90",
        labels={"where": "gpu-{{ $labels.gpu }}", "job": "", "severity": "page"},
        annotations={"summary": 'GPU {{ $labels.gpu }} has {{ $value | printf "%.1f" }} °C'},
    )
    evaluate_at(5)
    alert = hot().get()
    assert alert.labels == {"alertname": "Hot", "gpu": "0", "where": "gpu-0", "severity": "page"}
    assert alert.annotations == {"summary": "GPU 0 has 95.0 °C"}


def test_a_teams_rule_tells_that_team(source: Source) -> None:
    team = fleet.team("vision")
    rules_world.promql(source, "temperature > 90", team=team)
    evaluate_at(5)
    assert (firing(team=team), firing()) == ([HOT], [])


def test_a_source_that_is_down_keeps_what_fires_and_what_is_pending(source: Source) -> None:
    fires = rules_world.promql(source, "temperature > 90", name="Fires")
    waits = rules_world.promql(source, "temperature > 90", name="Waits", for_s=1200)
    evaluate_at(6)
    address = source.config["url"]
    Source.objects.update(config={"url": f"http://127.0.0.1:{prometheus.free_port()}"})
    evaluate_through(range(7, 12))
    assert firing("Fires") != []
    assert [row[1:] for row in instances(waits)] == [(at(6), None)]
    assert "cannot be reached" in rules_world.error(fires)
    assert "cannot be reached" in rules_world.error(waits)
    Source.objects.update(config={"url": address})
    evaluate_at(12)
    assert (rules_world.error(fires), rules_world.error(waits)) == ("", "")
    evaluate_at(20)
    assert firing("Fires") == []


def test_a_long_gap_between_evaluations_does_not_count_as_holding(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90", for_s=3600)
    evaluate_through([40, 41])
    evaluate_at(190)
    ((_, active_at, fired_at),) = instances(rule)
    assert (active_at, fired_at) == (at(189), None)


def test_an_evaluation_can_be_at_any_instant(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90")
    assert [len(evaluate.look(rule, at(minute))) for minute in (4, 5, 19, 20, 40)] == [0, 1, 1, 0, 1]


def test_a_number_is_one_result_without_labels(source: Source) -> None:
    rules_world.promql(source, "scalar(temperature{gpu='1'})", annotations={"summary": "{{ $value }}"})
    evaluate_at(0)
    assert [(alert.labels, alert.annotations) for alert in hot()] == [({"alertname": "Hot"}, {"summary": "50"})]


@pytest.mark.parametrize(
    ("expr", "options", "said"),
    [
        ("temperature", {"limit": 1}, "gives 2 results, more than its limit of 1"),
        ('label_replace(temperature, "gpu", "x", "", "")', {}, "refused the query"),
        ("temperature[5m]", {}, "gives a range of samples"),
        ('"95"', {}, "gives a text"),
        ("temperature >", {}, "parse error"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_words(
    source: Source, expr: str, options: dict[str, int], said: str
) -> None:
    rule = rules_world.promql(source, expr, options=options)
    evaluate_at(1)
    assert said in rules_world.error(rule)
    assert hot().count() == 0


def test_results_that_the_rules_labels_make_alike_are_an_error(source: Source) -> None:
    rule = rules_world.promql(source, "temperature", labels={"gpu": "any"})
    evaluate_at(1)
    assert "Two results have the same labels" in rules_world.error(rule)


def test_a_rule_is_due_again_on_its_own_grid_and_what_was_missed_is_not_made_up(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90", interval_s=300)
    evaluate_at(0)
    assert evaluate.evaluate_due(at(4)) == 0
    evaluate_at(17)
    rule.refresh_from_db()
    assert (rule.evaluated_at, rule.due_at) == (at(17), at(20))


def test_one_evaluator_has_a_rule_at_a_time_until_its_lease_runs_out(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90")
    first = claims.take(at(5))
    assert first is not None
    assert first.rule == rule
    assert claims.take(at(6)) is None
    second = claims.take(at(5) + claims.LEASE)
    assert second is not None
    assert claims.held(first) is None


def test_who_was_overtaken_writes_nothing(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90")
    late = claims.take(at(5))
    assert late is not None
    assert late.rule == rule
    evaluate_at(20)
    evaluate._keep(late, evaluate.look(rule, at(5)), 0.1)
    claims.fail(late, "too late", 0.1)
    assert (instances(rule), firing(), rules_world.error(rule)) == ([], [], "")


def test_a_source_that_does_not_answer_is_asked_once_a_round(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    Source.objects.update(config={"url": f"http://127.0.0.1:{prometheus.free_port()}"})
    rules = [rules_world.promql(source, "temperature > 90", name=f"Rule{number}") for number in range(3)]
    asked: list[str] = []
    look = evaluate.look

    def noted(rule: Rule, when: datetime) -> dict[Key, Seen]:
        asked.append(rule.name)
        return look(rule, when)

    monkeypatch.setattr(evaluate, "look", noted)
    evaluate_at(5)
    assert len(asked) == 1
    assert all("cannot be reached" in rules_world.error(rule) for rule in rules)


def test_a_mistake_in_one_rule_does_not_stop_the_others(source: Source) -> None:
    broken = rules_world.promql(source, "temperature > 90", name="Broken")
    Rule.objects.filter(pk=broken.pk).update(labels={"gpu": "{{ nonsense }}"})
    rules_world.promql(source, "temperature > 90", due_at=world.START + timedelta(seconds=1))
    evaluate_at(5)
    assert "cannot be rendered" in rules_world.error(broken)
    assert firing() == [HOT]


def test_a_source_that_is_switched_off_changes_nothing(source: Source) -> None:
    rule = rules_world.promql(source, "temperature > 90")
    evaluate_at(5)
    Source.objects.update(enabled=False)
    evaluate_at(25)
    assert "switched off" in rules_world.error(rule)
    assert firing() == [HOT]


def test_results_that_are_idle_gpus_say_what_they_cost(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    price = HourPrice(Decimal("2.00"), "EUR")
    monkeypatch.setattr(
        ports, "_hour_prices", [lambda models, _at: {model: price for model in models if model == "H100"}]
    )
    idle = 'label_replace(0.5 * (temperature{{gpu="0"}} > 90) / 95, "modelName", "{model}", "", "")'
    rules_world.promql(source, idle.format(model="H100"), name="Value", options={"waste": "value"})
    rules_world.promql(source, idle.format(model="H100"), name="Gpu", options={"waste": "gpu"})
    rules_world.promql(source, idle.format(model="L4"), name="NoPrice", options={"waste": "gpu"})
    evaluate_at(5)
    told = {alert.name: alert.annotations for alert in Alert.objects.all()}
    assert told == {
        "Value": {"impact_gpu_hours_per_day": "12.00", "impact_per_day": "24.00", "impact_currency": "EUR"},
        "Gpu": {"impact_gpu_hours_per_day": "24.00", "impact_per_day": "48.00", "impact_currency": "EUR"},
        "NoPrice": {"impact_gpu_hours_per_day": "24.00", "impact_unknown": "no price yet"},
    }
