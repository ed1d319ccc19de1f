"""What the API answers about contact methods, rules and quiet hours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from monitoring.alerts.contacts.reads import Method, Quiet, Settings
from monitoring.alerts.contacts.trials import Trial
from monitoring.alerts.oncall.documents import DAYS


@dataclass(frozen=True, slots=True)
class ContactMethodAnswer:
    """One way to reach a person; what it holds as a secret is never shown."""

    id: int
    position: int
    kind: str
    label: str
    shown: str
    created_at: datetime
    verified_at: datetime | None
    vouched_by: str | None
    code_sent_at: datetime | None
    waits_for_code: bool
    last_delivered_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None

    @classmethod
    def of(cls, row: Method) -> Self:
        return cls(
            id=row.id,
            position=row.position,
            kind=row.kind,
            label=row.label,
            shown=row.shown,
            created_at=row.created_at,
            verified_at=row.verified_at,
            vouched_by=row.vouched_by or None,
            code_sent_at=row.code_sent_at,
            waits_for_code=row.waits_for_code,
            last_delivered_at=row.last_delivered_at,
            last_error=row.last_error or None,
            last_error_at=row.last_error_at,
        )


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """Whether the receiver took the message, and what it said."""

    delivered: bool
    answer: str

    @classmethod
    def of(cls, trial: Trial) -> Self:
        return cls(trial.is_delivered, trial.answer)


@dataclass(frozen=True, slots=True)
class NotificationRuleAnswer:
    method: int
    label: str
    after_seconds: int
    used: bool


@dataclass(frozen=True, slots=True)
class NotificationRulesAnswer:
    """`own` is false where the person has none: then it is one verified method every five minutes, in order."""

    own: bool
    reachable: bool
    rules: tuple[NotificationRuleAnswer, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        rules = (
            NotificationRuleAnswer(rule.method_id, rule.label, rule.after_s, rule.is_verified)
            for rule in settings.rules
        )
        return cls(settings.has_own_rules, settings.is_reachable, tuple(rules))


@dataclass(frozen=True, slots=True)
class QuietHoursAnswer:
    """Wall times such as 22:00 in `time_zone`; all null where there are none."""

    from_time: str | None
    until_time: str | None
    days: tuple[str, ...]
    time_zone: str

    @classmethod
    def of(cls, quiet: Quiet | None, time_zone: str) -> Self:
        if quiet is None:
            return cls(None, None, (), time_zone)
        days = tuple(DAYS[day] for day in quiet.days)
        return cls(f"{quiet.from_time:%H:%M}", f"{quiet.until_time:%H:%M}", days, time_zone)
