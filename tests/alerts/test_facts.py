"""Rules over our own facts: whom they tell, what they say, and what the waste costs."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from fleetledger.fleet import ports
from fleetledger.fleet.models import Source, Team
from monitoring.alerts import sweep
from monitoring.alerts.models import Alert, Report, Rule, Sender
from monitoring.alerts.rules import evaluate, facts
from monitoring.alerts.rules.found import Found
from monitoring.telemetry.sources.readings import Field, Holder, Series, UnitKey
from tests import world as fleet
from tests.alerts import rules_world, world
from tests.telemetry import world as said
from tests.telemetry.samples import at as sample_at
from tests.telemetry.samples import every

pytestmark = pytest.mark.django_db

END = said.window(60).end
TRAIN = Holder("team-a", "train-0")
NOTEBOOK = Holder("team-a", "notebook-0")
STRANGER = Holder("nobodys", "job-0")


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> dict[str, ports.HourPrice]:
    """What a GPU-hour costs by model; a test fills it."""
    known: dict[str, ports.HourPrice] = {}

    def price(gpu_models: Collection[str], at: datetime) -> Mapping[str, ports.HourPrice]:
        return {model: known[model] for model in gpu_models if model in known}

    monkeypatch.setattr(ports, "_hour_prices", [price])
    return known


def activity(
    gpu: int, value: float, holder: Holder | None, *, since_s: float = -300, until_s: float = 3900, slice_: int = 0
) -> Series:
    times = every(30, since_s, until_s)
    unit = UnitKey(f"GPU-{gpu:08d}", slice_ or None)
    profile = "1g.10gb" if slice_ else ""
    return Series(unit, profile, Field.GR_ACTIVE, "", holder, [sample_at(t) for t in times], [value] * len(times))


def idle(at: datetime = END, **options: object) -> list[Found]:
    return facts.look("idle_gpus", options, at, None)


def team_a() -> Team:
    team = fleet.team("team-a")
    fleet.rule(team, {"namespace": "team-a"})
    return team


def test_who_holds_gpus_without_using_them_is_told_with_the_cost_of_a_day(prices: dict[str, ports.HourPrice]) -> None:
    prices[said.MODEL] = ports.HourPrice(Decimal("2.50"), "USD")
    team = team_a()
    said.read(said.source(), [activity(1, 0.02, NOTEBOOK), activity(2, 0.02, NOTEBOOK), activity(3, 0.9, TRAIN)])
    (found,) = idle()
    assert (found.labels, found.value, found.team_id) == (
        {"team": "team-a", "cluster": "c1", "namespace": "team-a", "workload": "notebook-0"},
        2.0,
        team.pk,
    )
    assert found.annotations == {
        "summary": "team-a/notebook-0 holds 2 idle GPUs",
        "description": (
            f"{said.MODEL}: 2.0% busy over 1 h until {END:%Y-%m-%d %H:%M}Z. "
            "Free them, or tell their owner that they are paid for."
        ),
        "impact_gpu_hours_per_day": "47.04",
        "impact_per_day": "117.60",
        "impact_currency": "USD",
    }


def test_without_a_price_the_impact_is_told_in_gpu_hours() -> None:
    team_a()
    said.read(said.source(), [activity(1, 0, NOTEBOOK)])
    (found,) = idle()
    impact = {name: text for name, text in found.annotations.items() if name.startswith("impact")}
    assert impact == {"impact_gpu_hours_per_day": "24.00", "impact_unknown": "no price yet"}


def test_idle_gpus_can_be_told_by_team() -> None:
    team = team_a()
    said.read(said.source(), [activity(1, 0, NOTEBOOK), activity(2, 0, TRAIN), activity(3, 0, STRANGER)])
    found = idle(by="team")
    assert {(one.labels["team"], one.value, one.team_id) for one in found} == {
        ("team-a", 2.0, team.pk),
        ("(unowned)", 1.0, None),
    }


def test_time_of_which_nothing_is_known_is_not_idle() -> None:
    team_a()
    lost = [activity(1, 0, NOTEBOOK, until_s=600), activity(2, 0, NOTEBOOK, since_s=3000)]
    without_measure = Series(
        UnitKey("GPU-00000003", None), "", Field.POWER, "", NOTEBOOK,
        [sample_at(t) for t in every(30, -300, 3900)], [100.0] * len(every(30, -300, 3900)),
    )  # fmt: skip
    said.read(said.source(), [*lost, without_measure])
    assert idle() == []


def test_a_slice_counts_by_its_share() -> None:
    team_a()
    said.read(said.source(), [activity(1, 0, NOTEBOOK, slice_=3)])
    (found,) = idle()
    assert found.value == 1.0
    assert found.annotations["impact_gpu_hours_per_day"] == "3.43"


def test_a_source_that_is_behind_is_judged_by_what_it_last_knew() -> None:
    team_a()
    said.read(said.source(), [activity(1, 0, NOTEBOOK)])
    (found,) = idle(END + timedelta(hours=5))
    assert f"until {END:%Y-%m-%d %H:%M}Z" in found.annotations["description"]


def test_idle_alerts_go_to_the_team_and_resolve_when_it_works_again() -> None:
    team = team_a()
    prom = said.source()
    said.read(prom, [activity(1, 0, NOTEBOOK), activity(2, 0, STRANGER)])
    rules_world.without_defaults()
    rule = rules_world.about("idle_gpus", name="IdleGpus", due_at=END, labels={"severity": "info"})
    evaluate.evaluate_due(world.set_clock(END))
    (told,) = rules_world.firing("IdleGpus", team=team)
    assert (told["workload"], told["severity"]) == ("notebook-0", "info")
    assert [labels["team"] for labels in rules_world.firing("IdleGpus")] == ["(unowned)"]
    busy = [activity(1, 0.9, NOTEBOOK), activity(2, 0, STRANGER)]
    said.read(prom, busy)
    evaluate.evaluate_due(world.set_clock(END + timedelta(minutes=1)))
    assert rules_world.firing("IdleGpus", team=team) == []
    assert len(rules_world.firing("IdleGpus")) == 1
    assert rules_world.error(rule) == ""


def test_a_teams_own_rule_is_about_that_team_alone() -> None:
    team = team_a()
    said.read(said.source(), [activity(1, 0, NOTEBOOK), activity(2, 0, STRANGER)])
    assert len(facts.look("idle_gpus", {}, END, team.pk)) == 1
    assert facts.look("idle_gpus", {}, END, fleet.team("other").pk) == []


@pytest.mark.parametrize(
    ("values", "said_"),
    [
        ({"last_error": "http://prom cannot be reached."}, "cannot be read"),
        ({"watermark_at": None}, "has never been read"),
        ({"watermark_at": END - timedelta(minutes=35)}, "is 30 minutes behind"),
    ],
)
def test_a_source_in_trouble_is_told(values: dict[str, object], said_: str) -> None:
    prom = said.source()
    Source.objects.filter(pk=prom.pk).update(**{"watermark_at": END - timedelta(minutes=5), **values})
    (found,) = facts.look("source_behind", {}, END, None)
    assert (found.labels, found.team_id) == ({"source": "prom1", "kind": "prometheus", "cluster": "c1"}, None)
    assert found.annotations["summary"] == f"Source prom1 {said_}"


def test_a_source_that_is_well_or_switched_off_is_not_told() -> None:
    prom = said.source()
    Source.objects.filter(pk=prom.pk).update(watermark_at=END - timedelta(minutes=5))
    fleet.source("off", cluster=fleet.cluster(), enabled=False)
    fleet.source("aws", "bill")
    assert facts.look("source_behind", {}, END, None) == []
    (found,) = facts.look("source_behind", {"behind": "10m"}, END + timedelta(minutes=15), None)
    assert found.labels["source"] == "prom1"


def test_too_little_known_time_is_told_by_source() -> None:
    prom = said.source()
    said.read(prom, [activity(1, 0.5, TRAIN), activity(2, 0.5, TRAIN, until_s=1800)])
    (found,) = facts.look("telemetry_coverage", {}, END, None)
    assert (found.labels, round(found.value, 3)) == ({"source": "prom1", "cluster": "c1"}, 0.754)
    assert "0.5 GPU-hours are unknown" in found.annotations["description"]
    assert facts.look("telemetry_coverage", {"below": 0.7}, END, None) == []


def test_a_sender_whose_alerts_are_unknown_for_an_hour_is_silent() -> None:
    team = fleet.team("acme")
    world.set_clock()
    world.intake_was_up()
    for minute in range(3):
        world.set_clock(rules_world.at(minute))
        world.post("Hot", team=team)
        world.post("Warm", team=team)
    sweep.sweep(world.set_clock(rules_world.at(10)))
    assert facts.look("sender_silent", {}, rules_world.at(30), None) == []
    (found,) = facts.look("sender_silent", {}, rules_world.at(63), None)
    assert (found.labels, found.value, found.team_id) == ({"sender": world.PROM}, 2.0, team.pk)
    assert "2 alerts that it had reported is unknown" in found.annotations["description"]


def test_our_own_parts_are_never_silent() -> None:
    rules_world.without_defaults()
    world.set_clock()
    rule = rules_world.about("source_behind")
    fleet.source("prom1", cluster=fleet.cluster())
    evaluate.evaluate_due(world.START)
    assert Sender.objects.get().key == f"fleetledger:rule:{rule.pk}"
    Report.objects.update(is_stale=True)
    assert facts.look("sender_silent", {}, rules_world.at(300), None) == []


def test_a_watchdog_that_comes_no_more_is_missed_by_its_sender() -> None:
    team = fleet.team("acme")
    for sender in ("fl_a http://a:9090", "fl_b http://b:9090"):
        world.set_clock()
        world.post("Watchdog", team=team, sender=sender)
    world.set_clock(rules_world.at(8))
    world.post("Watchdog", team=team, sender="fl_a http://a:9090")
    assert facts.look("watchdog_missing", {}, rules_world.at(10), None) == []
    (found,) = facts.look("watchdog_missing", {}, rules_world.at(11), None)
    assert (found.labels, found.team_id) == ({"sender": "fl_b http://b:9090", "watchdog": "Watchdog"}, team.pk)
    assert len(facts.look("watchdog_missing", {}, rules_world.at(60), None)) == 2
    assert facts.look("watchdog_missing", {}, rules_world.at(8 * 24 * 60), None) == []


def test_a_watchdog_that_was_resolved_is_missing_at_once() -> None:
    world.set_clock()
    world.post("Watchdog")
    world.set_clock(rules_world.at(1))
    world.resolve("Watchdog")
    assert len(facts.look("watchdog_missing", {}, rules_world.at(1), None)) == 1


def test_a_watchdog_that_is_expected_is_missed_before_it_ever_came() -> None:
    expect = {"expect": {"cluster": "eu"}}
    (found,) = facts.look("watchdog_missing", expect, world.START, None)
    assert found.annotations["summary"] == 'No Watchdog with cluster="eu"'
    world.set_clock()
    world.post("Watchdog", cluster="us")
    assert len(facts.look("watchdog_missing", expect, world.START, None)) == 1
    world.post("Watchdog", cluster="eu")
    assert facts.look("watchdog_missing", expect, rules_world.at(9), None) == []
    assert len(facts.look("watchdog_missing", expect, rules_world.at(11), None)) == 1


def test_a_rule_without_a_good_evaluation_for_a_while_is_told_to_its_team() -> None:
    team = fleet.team("acme")
    rule = rules_world.about("idle_gpus", name="Idle", team=team)
    Rule.objects.filter(pk=rule.pk).update(last_error="It broke.", evaluated_at=world.START)
    assert facts.look("rule_failing", {}, rules_world.at(10), None) == []
    (found,) = facts.look("rule_failing", {}, rules_world.at(15), None)
    assert (found.labels, found.team_id) == ({"rule": "Idle"}, team.pk)
    assert found.annotations["description"].startswith("Last evaluated at 2026-11-02 12:00Z: It broke.")
    Rule.objects.update(last_error="")
    assert facts.look("rule_failing", {}, rules_world.at(15), None) == []


def test_rules_that_nobody_may_forget_exist_by_themselves() -> None:
    evaluate.evaluate_due(world.set_clock())
    ours = Rule.objects.filter(is_ours=True)
    names = {"SourceBehind", "HeartbeatMissed", "SenderSilent", "WatchdogMissing", "RuleFailing"}
    assert {rule.name for rule in ours if rule.team is None} == names
    assert all(rule.evaluated_at == world.START and not rule.last_error for rule in ours)
    assert Alert.objects.count() == 0
