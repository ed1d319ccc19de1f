"""Asks a source's Prometheus for a rule's expression at an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fleetledger.fleet.models import SourceKind
from fleetledger.lib.buckets import to_us
from monitoring.alerts.models import Rule
from monitoring.alerts.rules import impact
from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.found import Found
from monitoring.telemetry.opening import open_api
from monitoring.telemetry.sources.promapi import Answer

READ_SECONDS = 20.0
TRIES = 2
_KINDS = {"matrix": "a range of samples", "string": "a text"}


def look(rule: Rule, at: datetime) -> list[Found]:
    """The expression's series at `at`, each with its value; raises RuleError or SourceError."""
    source = rule.source
    if source is None or source.kind != SourceKind.PROMETHEUS:
        raise RuleError("A rule with an expression needs a source of kind prometheus. Name one under 'source'.")
    if not source.enabled:
        raise RuleError(
            f"The source '{source.name}' is switched off. Set its 'enabled' to true, or the rule's to false."
        )
    api = open_api(source, read_seconds=READ_SECONDS, tries=TRIES)
    try:
        answer = api.query(rule.expr, to_us(at))
    finally:
        api.close()
    if answer.partial:
        raise RuleError(f"The answer of '{source.name}' is not whole: {answer.partial}.")
    found = _results(answer, rule.team_id)
    return impact.of_waste(found, str(rule.options.get(impact.WASTE, "")), at)


def _results(answer: Answer, team_id: int | None) -> list[Found]:
    if answer.kind == "scalar":
        return [Found({}, _value(answer.rows), team_id)]
    if answer.kind in _KINDS:
        raise RuleError(f"The expression gives {_KINDS[answer.kind]}. A rule needs one that gives a value per series.")
    return [Found(row["metric"], _value(row.get("value", ())), team_id) for row in answer.rows]


def _value(sample: Sequence[Any]) -> float:
    """The number of a (time, text) pair; a native histogram has none."""
    if len(sample) != 2:  # noqa: PLR2004 time and value
        raise RuleError("The expression gives histograms. Take a number of them, as histogram_quantile() does.")
    return float(sample[1])
