"""Looks at reports whose time ran out: expired as in Alertmanager, unknown, or missing among what is re-sent."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db import connection, transaction

from monitoring.alerts import clock, intake, states
from monitoring.alerts.models import Alert, EndedBy, Report

AT_ONCE = 500

# A live sender re-sent others for two of its intervals without this one; a silence of its own starts the count anew.
_MISSED = """
  s.last_seen_at - greatest(s.streak_at, r.received_at) >= s.interval_s * interval '2 seconds'
"""
_RAN_OUT = f"""
SELECT r.id, r.alert_id, r.times, r.received_at, r.ends_at, {_MISSED}, r.is_stale
FROM alerts_report r JOIN alerts_sender s ON s.id = r.sender_id
WHERE NOT r.is_resolved AND r.ends_at <= %(now)s AND (NOT r.is_stale OR {_MISSED})
ORDER BY r.alert_id
LIMIT {AT_ONCE}
"""  # noqa: S608 our own text


@dataclass(frozen=True, slots=True)
class _Overdue:
    """A report whose time ran out."""

    report_id: int
    alert_id: int
    times: int
    received_at: datetime
    ends_at: datetime
    is_missed: bool
    is_stale: bool

    def ended_by(self, was_up: Callable[[datetime, datetime], bool]) -> EndedBy | None:
        """Why it is over; None where nobody knows: it becomes stale."""
        if self.is_missed:
            return EndedBy.MISSING
        was_never_repeated = self.times == 1 and not self.is_stale
        return EndedBy.EXPIRED if was_never_repeated and was_up(self.received_at, self.ends_at) else None


def sweep(now: datetime | None = None) -> int:
    """Settle every report that ran out by `now`; gives how many. Several at once are harmless."""
    at = now or clock.now()
    swept = 0
    while batch := _batch(at):
        swept += batch
        if batch < AT_ONCE:
            break
    return swept


@transaction.atomic
def _batch(now: datetime) -> int:
    overdue = _overdue(now)
    if not overdue:
        return 0
    locked = _locked({item.alert_id for item in overdue})
    by_reason: dict[EndedBy | None, list[_Overdue]] = defaultdict(list)
    was_up = cache(intake.was_up)  # what came in one body has the same times
    for item in overdue:
        by_reason[item.ended_by(was_up)].append(item)
    for reason, items in by_reason.items():
        still = Report.objects.filter(
            pk__in=[item.report_id for item in items], is_resolved=False, ends_at__lte=now
        )  # a sender may have spoken since
        still.update(is_stale=reason is None, is_resolved=reason is not None)
    for reason, items in by_reason.items():
        alerts = [locked[pk] for pk in sorted({item.alert_id for item in items})]
        states.settle(alerts, now, ended_by=reason or EndedBy.SENDER)
    clock.ring()
    return len(overdue)


def _overdue(now: datetime) -> list[_Overdue]:
    with connection.cursor() as cursor:
        cursor.execute(_RAN_OUT, {"now": now})
        return [_Overdue(*row) for row in cursor.fetchall()]


def _locked(alert_ids: set[int]) -> dict[int, Alert]:
    """In the order in which intake locks them."""
    found = Alert.objects.select_for_update(no_key=True).filter(pk__in=alert_ids).order_by("fingerprint")
    return {alert.pk: alert for alert in found}
