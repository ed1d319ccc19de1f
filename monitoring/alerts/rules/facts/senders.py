"""Who should report alerts and does not: silent senders, and a Watchdog that is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Q

from monitoring.alerts.labels import ALERT_NAME
from monitoring.alerts.models import Report, Sender
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found
from monitoring.alerts.senders import OUR_OWN

WATCHDOG = "Watchdog"
HEARD_INTERVALS = 4
"""A sender that repeats itself slowly is given this many of its own intervals."""


@dataclass(frozen=True, slots=True)
class SilentOptions:
    """`after`: for how long nothing may be known of alerts that a silent sender had reported."""

    after: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WatchdogOptions:
    """`alert` must come at least every `within`, from each sender that ever sent it. One that never came is missed only
    where it is expected: `expect` holds labels that it must have. After `forget` a sender is taken for gone.
    """

    alert: str = WATCHDOG
    within: timedelta = timedelta(minutes=10)
    forget: timedelta = timedelta(days=7)
    expect: Mapping[str, str] = field(default_factory=dict)


def look_silent(question: Question) -> Sequence[Found]:
    """A result per sender whose alerts are unknown since it fell silent; its value is how many they are."""
    options: SilentOptions = question.options
    unknown = Count("reports", filter=Q(reports__is_stale=True, reports__is_resolved=False))
    silent = (
        Sender.objects.filter(last_seen_at__lt=question.at - options.after)
        .exclude(key__startswith=OUR_OWN)
        .annotate(unknown=unknown)
        .filter(unknown__gt=0)
        .order_by("key")
    )
    return [_silent(sender, sender.unknown) for sender in silent]


def look_watchdog(question: Question) -> Sequence[Found]:
    """A result per sender whose Watchdog comes no more, and one for a Watchdog that is expected and absent."""
    options: WatchdogOptions = question.options
    if options.expect:
        return [] if _is_heard(question, options) else [_unheard(question, options)]
    reports = Report.objects.filter(alert__name=options.alert, received_at__gte=question.at - options.forget)
    rows = reports.exclude(sender__key__startswith=OUR_OWN).select_related("sender", "alert").order_by("sender__key")
    missing: dict[int, Report] = {}
    heard: set[int] = set()
    for row in rows:
        if _is_late(row, question, options):
            missing.setdefault(row.sender_id, row)
        else:
            heard.add(row.sender_id)
    return [_missing(row, options) for pk, row in missing.items() if pk not in heard]


def _is_late(row: Report, question: Question, options: WatchdogOptions) -> bool:
    within = max(options.within, timedelta(seconds=HEARD_INTERVALS * row.sender.interval_s))
    return row.is_resolved or row.received_at < question.at - within


def _is_heard(question: Question, options: WatchdogOptions) -> bool:
    wanted = {**options.expect, ALERT_NAME: options.alert}
    tenant = Q(alert__team__isnull=True) if question.team_id is None else Q(alert__team=question.team_id)
    reports = Report.objects.filter(tenant, alert__labels__contains=wanted, is_resolved=False)
    return reports.filter(received_at__gte=question.at - options.within).exists()


def _silent(sender: Sender, unknown: int) -> Found:
    told = {
        "summary": f"{sender.key} is silent since {sender.last_seen_at:%Y-%m-%d %H:%M}Z",
        "description": (
            f"What became of {unknown} alert{'s' if unknown != 1 else ''} that it had reported is unknown. "
            "Is that Prometheus running, and can it reach this address?"
        ),
    }
    return Found({"sender": sender.key}, float(unknown), sender.team_id, told)


def _missing(row: Report, options: WatchdogOptions) -> Found:
    told = {
        "summary": f"No {options.alert} from {row.sender.key}",
        "description": (
            f"It last came at {row.received_at:%Y-%m-%d %H:%M:%S}Z. While it is missing, no alert of that sender can "
            "be relied upon: its evaluation, its network or its token is broken."
        ),
    }
    return Found({"sender": row.sender.key, "watchdog": options.alert}, 1.0, row.sender.team_id, told)


def _unheard(question: Question, options: WatchdogOptions) -> Found:
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(options.expect.items()))
    told = {
        "summary": f"No {options.alert} with {labels}",
        "description": "It is expected all the time. While it is missing, alerts from there cannot be relied upon.",
    }
    return Found({**options.expect, "watchdog": options.alert}, 1.0, question.team_id, told)


SILENT = Fact("sender_silent", look_silent, SilentOptions, "Senders that fell silent while their alerts were firing.")
MISSING = Fact("watchdog_missing", look_watchdog, WatchdogOptions, "A dead man's switch: alerts that must keep coming.")
