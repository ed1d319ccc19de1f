"""Rules that could not be evaluated for a while: what they would tell, nobody hears."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.alerts.models import Rule
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found

FEWEST_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """`after`: for how long a rule may go without a good evaluation, at least three of its intervals."""

    after: timedelta = timedelta(minutes=15)


def look(question: Question) -> Sequence[Found]:
    """A result per rule with an error and no good evaluation for a while; its value is for how long, in seconds."""
    options: Options = question.options
    failing = Rule.objects.filter(is_enabled=True).exclude(last_error="").order_by("name", "pk")
    return [_found(rule, question.at) for rule in failing if _is_overdue(rule, question.at, options)]


def _is_overdue(rule: Rule, at: datetime, options: Options) -> bool:
    allowed = max(options.after, timedelta(seconds=FEWEST_INTERVALS * rule.interval_s))
    return rule.evaluated_at is None or at - rule.evaluated_at >= allowed


def _found(rule: Rule, at: datetime) -> Found:
    last = f"Last evaluated at {rule.evaluated_at:%Y-%m-%d %H:%M}Z" if rule.evaluated_at else "Never evaluated"
    told = {
        "summary": f"Rule {rule.name} cannot be evaluated",
        "description": f"{last}: {rule.last_error} What it knew of its alerts stays as it was.",
    }
    since_s = (at - rule.evaluated_at).total_seconds() if rule.evaluated_at else float("inf")
    return Found({"rule": rule.name}, since_s, rule.team_id, told)


FACT = Fact("rule_failing", look, Options, "Rules that cannot be evaluated.")
