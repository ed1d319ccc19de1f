"""Looks whether escalations move, apart from the notifier that moves them; what stands still raises an alert."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from monitoring.alerts import door
from monitoring.alerts.door import Finding
from monitoring.alerts.escalation import unescalated
from monitoring.alerts.escalation.stuck import LATE, Stuck
from monitoring.alerts.labels import ALERT_NAME
from monitoring.alerts.models import MessageKind, MessageState, OutboxMessage, Page, Run

REPORTER = "escalation audit"
REMEMBERED = timedelta(days=1)
SHOWN, MOST = 5, 200


@dataclass(frozen=True, slots=True)
class Counts:
    """How many runs should have gone on, and how many due pages nobody has begun to send."""

    runs: int
    pages: int


def check(now: datetime) -> str:
    """Tell the platform what should have moved two minutes ago, or that all moves again; gives a sentence."""
    found = [*_runs(now), *_unsent(now), *_never_queued(now), *unescalated.find(now)]
    by_name: dict[str, list[Stuck]] = defaultdict(list)
    for stuck in found:
        by_name[stuck.escalation].append(stuck)
    door.report(REPORTER, None, [_finding(name, several) for name, several in sorted(by_name.items())])
    return f"{len(found)} of the escalations' steps, pages and alerts stand still."


def counts(now: datetime) -> Counts:
    """For a look that must cost little."""
    return Counts(runs=_overdue(now).count(), pages=_waiting(now).count())


def _runs(now: datetime) -> Iterator[Stuck]:
    for run in _overdue(now).select_related("escalation", "group").order_by("due_at")[:MOST]:
        if run.due_at is not None:
            what = f"Run {run.pk} did not go on with step {run.step + 1} of {len(run.steps)}."
            yield Stuck(run.escalation.name, what, run.due_at)


def _unsent(now: datetime) -> Iterator[Stuck]:
    rows = _waiting(now).select_related("destination", "run__escalation").order_by("due_at")[:MOST]
    for row in rows:
        name = row.run.escalation.name if row.run else ""
        yield Stuck(name, f"The page to {row.destination.receiver} was not sent.", row.due_at)


def _never_queued(now: datetime) -> Iterator[Stuck]:
    """Written in one transaction with its messages, so this stays empty but for a mistake of ours."""
    rows = Page.objects.filter(at__gt=now - REMEMBERED, at__lt=now - LATE, problem="", messages=None)
    for page in rows.select_related("run__escalation", "person").order_by("at")[:MOST]:
        yield Stuck(page.run.escalation.name, f"No message of the page to {page.person.username} exists.", page.at)


def _overdue(now: datetime) -> QuerySet[Run]:
    return Run.objects.filter(due_at__lt=now - LATE)


def _waiting(now: datetime) -> QuerySet[OutboxMessage]:
    """Those that the fallback was told of are known already."""
    return OutboxMessage.objects.filter(
        kind=MessageKind.PAGE, state=MessageState.QUEUED, due_at__lt=now - LATE, fallback_at=None
    )


def _finding(escalation: str, several: Sequence[Stuck]) -> Finding:
    since = min(stuck.since for stuck in several)
    return Finding(
        labels={ALERT_NAME: unescalated.OWN_ALERT, "severity": "critical", "escalation": escalation},
        annotations={
            "summary": f"Escalation '{escalation}' has stood still since {since:%Y-%m-%d %H:%M:%S} UTC.",
            "description": " ".join(_described(several)),
        },
        started_at=since,
    )


def _described(several: Iterable[Stuck]) -> Iterator[str]:
    ordered = sorted(several, key=lambda stuck: stuck.since)
    yield from (f"{stuck.what} Due since {stuck.since:%H:%M:%S} UTC." for stuck in ordered[:SHOWN])
    if len(ordered) > SHOWN:
        yield f"And {len(ordered) - SHOWN} more."
