"""The rules we ship, in Prometheus' format: evaluated here, or written out for a Prometheus elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fleetledger.lib.durations import parse_duration
from monitoring.alerts.rules import impact
from monitoring.alerts.rules.defaults import RUNBOOKS
from monitoring.alerts.rules.errors import RuleError

NAMES = ("gpu", "fleetledger")
WASTE: Mapping[str, str] = {"GpuIdleButAllocated": impact.VALUE}
"""Rules whose results are idle GPUs: the format has no place for it."""
ELSEWHERE = frozenset({"Watchdog"})
"""Rules that make sense only in a Prometheus that sends its alerts to us."""


@dataclass(frozen=True, slots=True)
class PackRule:
    """One alert of a pack."""

    pack: str
    group: str
    name: str
    expr: str
    for_: timedelta
    keep_firing_for: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def waste(self) -> str:
        return WASTE.get(self.name, "")

    @property
    def is_for_elsewhere(self) -> bool:
        return self.name in ELSEWHERE


def text(name: str, base_url: str = "") -> str:
    """The pack's file, its runbooks below `base_url`; raises RuleError for a name that is none."""
    if name not in NAMES:
        raise RuleError(f"No pack is called '{name}'. Known: {', '.join(NAMES)}.")
    content = files(__name__).joinpath(f"{name}.yml").read_text(encoding="utf-8")
    return content.replace(f'"{RUNBOOKS}', f'"{base_url.rstrip("/")}{RUNBOOKS}') if base_url else content


@cache
def rules(name: str) -> tuple[PackRule, ...]:
    """The pack's alerts in their order; raises RuleError for a name that is none."""
    document: dict[str, Any] = yaml.safe_load(text(name))
    return tuple(_rule(name, group["name"], rule) for group in document["groups"] for rule in group["rules"])


def named(alert: str) -> PackRule | None:
    """The rule of that name in any pack."""
    return next((rule for name in NAMES for rule in rules(name) if rule.name == alert), None)


def _rule(pack: str, group: str, rule: Mapping[str, Any]) -> PackRule:
    return PackRule(
        pack=pack,
        group=group,
        name=rule["alert"],
        expr=rule["expr"].strip(),
        for_=_span(rule.get("for", "")),
        keep_firing_for=_span(rule.get("keep_firing_for", "")),
        labels=rule.get("labels", {}),
        annotations=rule.get("annotations", {}),
    )


def _span(text_: str) -> timedelta:
    return parse_duration(text_) if text_ else timedelta()
