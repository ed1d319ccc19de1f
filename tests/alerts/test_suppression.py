"""What is withheld: by silence, inhibition and maintenance; and what is told of it when it ends."""

from datetime import timedelta
from typing import Any

import pytest

from monitoring.alerts import clock, silences
from monitoring.alerts.maintenance import Window, plan
from monitoring.alerts.models import Silence
from monitoring.alerts.suppression import withheld
from tests import world as fleet
from tests.alerts import world

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
RULE: dict[str, Any] = {
    "source_matchers": ['severity="critical"'],
    "target_matchers": ['severity="warning"'],
    "equal": ["node", "rack"],
}


@pytest.fixture(autouse=True)
def _quick_tree(db: None) -> None:
    world.set_clock()
    world.intake_was_up()
    world.tree()


def matcher(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


def silence(name: str = "alertname", value: str = "Hot", *, hours: float = 1) -> Silence:
    now = clock.now()
    return silences.create_or_update(
        world.tenant(),
        [matcher(name, value)],
        starts_at=now,
        ends_at=now + HOUR * hours,
        created_by="mira",
        comment="A fan is being replaced.",
    )


def test_what_resolves_while_it_is_silenced_is_told_as_resolved_exactly_once() -> None:
    world.post(end=world.after(3600))
    world.run_until(3)
    silence()
    world.run_until(30)  # no repeat at 22
    world.resolve()
    world.run_until(120)
    assert world.queued() == [(2, "firing", ["firing:Hot"]), (32, "resolved", ["resolved:Hot"])]


def test_what_is_silenced_from_the_start_is_told_to_nobody_not_even_its_end() -> None:
    silence()
    world.post(end=world.after(3600))
    world.run_until(30)
    world.resolve()
    world.run_until(60)
    assert world.queued() == []
    assert world.history() == ["fired", "withheld", "resolved", "quiet"]


def test_what_still_fires_after_its_silence_is_told_then() -> None:
    quiet = silence()
    world.post(end=world.after(3600))
    world.run_until(10)
    silences.expire(world.tenant(), quiet.pk)
    world.run_until(20)
    assert world.queued() == [(12, "firing", ["firing:Hot"])]
    assert world.history() == ["fired", "withheld", "released"]


def test_maintenance_withholds_as_a_silence_does() -> None:
    now = clock.now()
    plan(world.tenant(), Window("New fans", [matcher("node", "a")], now, now + HOUR), "mira")
    world.post(node="a", end=world.after(7200))
    world.post(node="b", end=world.after(7200))
    world.run_until(3)
    assert [len(said) for _, _, said in world.queued()] == [1]
    assert set(withheld(None, [world.alert(node="a"), world.alert(node="b")], clock.now())) == {
        world.alert(node="a").pk
    }


@pytest.mark.parametrize(("strict", "told"), [(False, ["Cause"]), (True, ["Cause", "Hot"])])
def test_a_label_of_equal_that_both_lack_inhibits_unless_the_rule_is_strict(strict: bool, told: list[str]) -> None:
    world.tree(inhibit_rules=[{**RULE, "strict": strict}])
    world.post("Cause", severity="critical", node="a", end=world.after(3600))
    world.post("Hot", severity="warning", node="a", end=world.after(3600))
    world.run_until(3)
    assert sorted(line.removeprefix("firing:") for _, _, said in world.queued() for line in said) == told


def test_other_values_of_equal_inhibit_nothing() -> None:
    world.tree(inhibit_rules=[RULE])
    world.post("Cause", severity="critical", node="b", end=world.after(3600))
    world.post("Hot", severity="warning", node="a", end=world.after(3600))
    world.run_until(3)
    assert len(world.queued()) == 2


def test_what_is_source_and_target_at_once_does_not_inhibit_its_like() -> None:
    world.tree(inhibit_rules=[{"source_matchers": ['node="a"'], "target_matchers": ['node="a"'], "equal": ["node"]}])
    world.post("One", node="a", end=world.after(3600))
    world.post("Two", node="a", end=world.after(3600))
    world.run_until(3)
    assert len(world.queued()) == 2


def test_what_inhibited_and_resolved_lets_the_other_be_told() -> None:
    world.tree(inhibit_rules=[RULE])
    world.post("Cause", severity="critical", node="a", end=world.after(3600))
    world.post("Hot", severity="warning", node="a", end=world.after(3600))
    world.run_until(3)
    world.resolve("Cause", severity="critical", node="a")
    world.run_until(8)
    assert sorted(said[0] for _, _, said in world.queued()) == ["firing:Cause", "firing:Hot", "resolved:Cause"]


def test_nothing_of_another_tenant_withholds() -> None:
    vision = fleet.team("vision")
    world.tree(vision, inhibit_rules=[RULE])
    silence()
    world.post("Cause", severity="critical", node="a", end=world.after(3600))
    world.post("Hot", team=vision, severity="warning", node="a", end=world.after(3600))
    world.run_until(3)
    assert sorted(said[0] for _, _, said in world.queued()) == ["firing:Cause", "firing:Hot"]
