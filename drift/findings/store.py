"""Weighs a model's reports together and brings its stored findings to what they say.

1. The last windows are gone through in their order, whatever the order in which reports came: a late report counts
   where it belongs, and the same reports twice change nothing.
2. Per root signal the track says whether it is open. A closed finding stays closed; what comes back is another one.
3. Reports without a window wait until somebody dates them.
4. Findings, alerts and the note that the reports were weighed are one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from drift.findings import alerting, opening
from drift.findings.locking import lock
from drift.findings.rules import Rules
from drift.findings.tracks import Tracked, is_over, opening_of, tracked
from drift.findings.windows import Groups, rules_of, seen
from drift.models import Evaluated, Finding, Model, Reference, ReferenceState, Report, ReportState
from monitoring.alerts import clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What an evaluation did. Nothing where all was known before."""

    reports: int = 0
    opened: int = 0
    changed: int = 0
    closed: int = 0

    @property
    def sentence(self) -> str:
        return (
            f"{self.reports} reports weighed: {self.opened} findings opened, {self.changed} changed, "
            f"{self.closed} closed."
        )


@transaction.atomic
def evaluate(model_id: int, groups: Groups | None = None) -> Weighed:
    """`groups` are columns that move together, each named by its first: those of the active reference if None."""
    lock(model_id)
    model = Model.objects.select_related("owner").get(pk=model_id)
    groups = _groups(model) if groups is None else groups
    waiting = _waiting(model)
    rules, now = rules_of(model), clock.now()
    windows = seen(model, rules, groups)
    done = _settle(model, tracked(windows, rules), rules, now)
    Evaluated.objects.bulk_create((Evaluated(report_id=pk, at=now) for pk in waiting), ignore_conflicts=True)
    alerting.report(model)
    return Weighed(len(waiting), *done)


def try_evaluate(model_id: int) -> bool:
    """One model's odd report holds up neither its import nor other models; the database's own errors are raised."""
    try:
        evaluate(model_id)
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
        log.exception("drift.weighing_failed", model_id=model_id)
        return False
    return True


def waiting_models() -> list[int]:
    """Models with reports that nobody has weighed: a worker died, or a person dated one."""
    rows = Report.objects.filter(is_dated=True, state=ReportState.IMPORTED, evaluated__isnull=True)
    return list(rows.order_by("model_id").values_list("model_id", flat=True).distinct())


def _groups(model: Model) -> Groups:
    active = Reference.objects.filter(model=model, state=ReferenceState.ACTIVE)
    found = active.values_list("profile__groups", flat=True).first()
    return found or ()


def _waiting(model: Model) -> list[int]:
    rows = Report.objects.filter(model=model, is_dated=True, state=ReportState.IMPORTED, evaluated__isnull=True)
    return list(rows.values_list("pk", flat=True))


def _settle(model: Model, signals: Mapping[str, Tracked], rules: Rules, now: datetime) -> tuple[int, int, int]:
    rows = {row.signal: row for row in Finding.objects.filter(model=model, closed_at__isnull=True)}
    opened = changed = closed = 0
    for signal, one in signals.items():
        row = rows.get(signal)
        if one.track.is_open and row is None:
            opening.open_finding(model, opening_of(one), now)
            opened += 1
        elif one.track.is_open and row is not None:
            changed += opening.renew(row, opening_of(one), now)
        elif row is not None and is_over(one, rules):
            closed += opening.close(row, now, last_window_to=one.track.last_window)
    return opened, changed, closed
