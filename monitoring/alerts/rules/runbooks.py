"""What to do about each alert that we ship: what it means, and the first steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from monitoring.alerts.rules import defaults, pack

FILE = "runbooks.yml"


@dataclass(frozen=True, slots=True)
class Runbook:
    """`name` is the alert's, and the anchor on the page. `severity` is that of the rule we ship."""

    name: str
    meaning: str
    steps: tuple[str, ...]
    severity: str
    pack: str


def named(alert: str) -> Runbook | None:
    return _books().get(alert)


def every() -> tuple[Runbook, ...]:
    """All of them, in the order of the packs, our own rules last."""
    return tuple(_books().values())


def of_our_own() -> set[str]:
    """The alerts of rules that exist without configuration."""
    return {default.name for default in defaults.DEFAULTS}


@cache
def _books() -> Mapping[str, Runbook]:
    document: dict[str, Any] = yaml.safe_load(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return {name: _book(name, content) for name, content in document.items()}


def _book(name: str, content: Mapping[str, Any]) -> Runbook:
    rule = pack.named(name)
    default = next((one for one in defaults.DEFAULTS if one.name == name), None)
    severity = rule.labels["severity"] if rule else default.severity if default else ""
    return Runbook(name, content["meaning"], tuple(content["steps"]), severity, rule.pack if rule else "")
