"""Hooks for tests, and the time that passes for them."""

from typing import Any

from monitoring.alerts import clock
from monitoring.availability import judging
from monitoring.availability.healing import runs
from monitoring.availability.models import Component, HealingHook, HealingRun, Probe, State
from tests.availability import world

SECRET = {"env": "HEALING_SECRET"}


def hook(url: str = "http://127.0.0.1:9/heal", name: str = "restart", **fields: Any) -> HealingHook:
    """On alerts called Down, unless it is given a component."""
    on: dict[str, Any] = {"states": ["down"]} if "component" in fields else {"matchers": ['alertname="Down"']}
    values: dict[str, Any] = {"webhook": {"url": url}, "secret": SECRET, "created_at": clock.now(), **on, **fields}
    return HealingHook.objects.create(name=name, **values)


def look() -> list[tuple[str, str]]:
    """Let the task look once; gives state and result of each run, the oldest first."""
    runs.follow(clock.now())
    return list(HealingRun.objects.order_by("pk").values_list("state", "result"))


def history(run: HealingRun) -> list[str]:
    return [f"{one.actor}: {one.text}" if one.actor else one.text for one in run.entries.order_by("at", "pk")]


def probed(name: str = "api", **fields: Any) -> tuple[Component, Probe]:
    """A component with a probe every 30 s."""
    made = world.component(name, **fields)
    return made, world.probe(made)


def say(of: Probe, state: State) -> None:
    """The probe sees this now, and the judge writes down what has changed."""
    now = clock.now()
    world.see(of, [((now - world.START).total_seconds(), state)])
    judging.judge(now)
