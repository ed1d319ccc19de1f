"""Factories for tests of rules: rules with sensible defaults, and rounds of evaluation along a stopped clock."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from fleetledger.fleet.models import Source, Team
from monitoring.alerts.models import Alert, AlertState, Rule, RuleInstance, RuleKind
from monitoring.alerts.rules import defaults, evaluate
from tests import world as fleet
from tests.alerts import world

_numbers = count(1)


def without_defaults() -> None:
    """Switch the rules off that exist by themselves."""
    defaults.ensure(world.START)
    Rule.objects.update(is_enabled=False)


def prometheus_source(url: str, name: str = "prom1") -> Source:
    return fleet.source(name, cluster=fleet.cluster(), config={"url": url})


def promql(source: Source, expr: str, *, name: str = "Hot", team: Team | None = None, **fields: Any) -> Rule:
    """A rule with an expression, due from START on, each minute."""
    values: dict[str, Any] = {"due_at": world.START, **fields}
    return Rule.objects.create(name=name, team=team, kind=RuleKind.PROMQL, source=source, expr=expr, **values)


def about(fact: str, *, name: str = "", team: Team | None = None, **fields: Any) -> Rule:
    """A rule over a fact, due from START on, each minute."""
    values: dict[str, Any] = {"due_at": world.START, **fields}
    return Rule.objects.create(name=name or f"Rule{next(_numbers)}", team=team, kind=RuleKind.FACT, fact=fact, **values)


def at(minutes: float) -> datetime:
    return world.START + timedelta(minutes=minutes)


def evaluate_at(minutes: float) -> None:
    """One round at START + minutes, by the stopped clock."""
    now = world.set_clock(at(minutes))
    evaluate.evaluate_due(now)


def evaluate_through(minutes: Iterable[float]) -> None:
    for minute in minutes:
        evaluate_at(minute)


def instances(rule: Rule) -> list[tuple[Mapping[str, str], datetime, datetime | None]]:
    """(labels, active since, fired at) of a rule's instances, by their labels."""
    rows = RuleInstance.objects.filter(rule=rule).order_by("fingerprint")
    return [(row.labels, row.active_at, row.fired_at) for row in rows]


def firing(name: str = "Hot", *, team: Team | None = None) -> list[dict[str, str]]:
    """The labels of a tenant's firing alerts of that name."""
    rows = Alert.objects.filter(team=team, name=name, state=AlertState.FIRING).order_by("fingerprint")
    return [row.labels for row in rows]


def error(rule: Rule) -> str:
    rule.refresh_from_db()
    return rule.last_error
