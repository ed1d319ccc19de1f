"""Rules that exist without any configuration: what nobody may forget to watch."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts.models import Rule, RuleKind

RUNBOOKS = "/help/runbooks/"


@dataclass(frozen=True, slots=True)
class Default:
    """A rule of the platform over a fact. A rule of the same name in the configuration takes its place."""

    name: str
    fact: str
    severity: str
    for_s: float = 0
    interval_s: float = 60

    def row(self, due_at: datetime) -> Rule:
        return Rule(
            name=self.name,
            kind=RuleKind.FACT,
            fact=self.fact,
            for_s=self.for_s,
            interval_s=self.interval_s,
            labels={"severity": self.severity},
            annotations={"runbook_url": f"{RUNBOOKS}#{self.name}"},
            is_ours=True,
            due_at=due_at,
        )


DEFAULTS = (
    Default("SourceBehind", "source_behind", "warning", for_s=600),
    Default("HeartbeatMissed", "heartbeat_missed", "critical", interval_s=15),
    Default("SenderSilent", "sender_silent", "warning"),
    Default("WatchdogMissing", "watchdog_missing", "critical", interval_s=30),
    Default("RuleFailing", "rule_failing", "warning", for_s=300),
)


def ensure(now: datetime) -> None:
    """Make those that are missing; one query where none is."""
    names = [default.name for default in DEFAULTS]
    known = set(Rule.objects.filter(team=None, name__in=names).values_list("name", flat=True))
    missing = [default.row(now) for default in DEFAULTS if default.name not in known]
    if missing:
        Rule.objects.bulk_create(missing, ignore_conflicts=True)
