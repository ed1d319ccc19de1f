"""What looking gave: results with their raw labels, made into the alerts' labels and annotations of a rule."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings

from monitoring.alerts.labels import ALERT_NAME, fingerprint, is_name, without_empty
from monitoring.alerts.models import Rule
from monitoring.alerts.rules import defaults, templates
from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.progress import Key, Seen

_ODD = re.compile(r"^\d|[^a-zA-Z0-9_]", re.ASCII)
METRIC_NAME = "__name__"
DEFAULT_LIMIT = 1000
LIMIT, ALERT = "limit", "alert"
"""Options that every rule has: how many results it may give, and the alert's name where it is not the rule's."""


@dataclass(frozen=True, slots=True)
class Found:
    """One result: a series of PromQL, or what a fact is about. The rule's own annotations come before these.

    So do its labels, unless somebody chose the result's labels on purpose: then these are `chosen`.
    """

    labels: Mapping[str, str]
    value: float
    team_id: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()


def alert_name(rule: Rule) -> str:
    return str(rule.options.get(ALERT) or rule.name)


def seen(rule: Rule, results: Iterable[Found]) -> dict[Key, Seen]:
    """The instances of `rule` that hold; raises RuleError where there are too many, or two alike."""
    found = list(results)
    limit = int(rule.options.get(LIMIT, DEFAULT_LIMIT))
    if len(found) > limit:
        raise RuleError(
            f"The rule gives {len(found):,} results, more than its limit of {limit:,}. Let the expression aggregate "
            f"them, or raise options.{LIMIT}."
        )
    instances: dict[Key, Seen] = {}
    for result in found:
        one = _one(rule, result)
        if one.key in instances:
            raise RuleError(
                f"Two results have the same labels {_shown(one.labels)} once the rule's are added. "
                "Keep a label in the expression that tells them apart."
            )
        instances[one.key] = one
    return instances


def _one(rule: Rule, result: Found) -> Seen:
    raw = result.labels
    own = {name: _rendered(text, result) for name, text in rule.labels.items() if name not in result.chosen}
    kept = {_named(name): value.replace("\0", "") for name, value in raw.items() if name != METRIC_NAME}
    labels = without_empty(kept | own | {ALERT_NAME: alert_name(rule)})
    own_words = {name: _rendered(text, result) for name, text in rule.annotations.items()}
    annotations = {name: _absolute(text) for name, text in {**result.annotations, **own_words}.items()}
    return Seen(result.team_id, fingerprint(labels), labels, annotations, result.value)


def _absolute(text: str) -> str:
    """A runbook of ours can be opened from a message, too."""
    return f"{settings.BASE_URL.rstrip('/')}{text}" if text.startswith(defaults.RUNBOOKS) else text


def _named(name: str) -> str:
    """Prometheus 3 has names of any characters, alerts have not."""
    return name if is_name(name) else _ODD.sub("_", name)


def _rendered(text: str, result: Found) -> str:
    return templates.parse(str(text)).render(result.labels, result.value)


def _shown(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
