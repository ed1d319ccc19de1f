"""The monthly report: what each objective promised and attained, how often it burned, and its worst day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Month
from monitoring.availability.models import Slo, SloBurn
from monitoring.availability.slo.budget import Budget, budget, total
from monitoring.availability.slo.burn import Counted, Severity, Unit
from monitoring.availability.slo.reads_history import DayRow, days_of, share
from monitoring.availability.slo.stored import counted, exact

_DAYS = """
SELECT slo_id, (at AT TIME ZONE 'UTC')::date AS day, sum(bad), sum(total), sum(covered_s), sum(expected_s),
    (array_agg(objective ORDER BY at DESC))[1]
FROM availability_slopoint WHERE slo_id = ANY(%(slos)s) AND at >= %(start)s AND at < %(end)s
GROUP BY slo_id, day ORDER BY slo_id, day
"""


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One objective in one calendar month in UTC. `budget` is over the month, or what of it is over.

    `objective` is the month's last. `pages` and `tickets`: how often a pair began to fire. `worst_day`: the one that
    used most of the budget; None where nothing failed. `is_met`: None where nothing was counted.
    `is_complete`: the month is over. `is_removed`: the objective does not exist any more.
    """

    name: str
    title: str
    team: str | None
    component: str | None
    kind: Unit
    month: Month
    objective: Decimal
    budget: Budget
    pages: int
    tickets: int
    days: tuple[DayRow, ...]
    worst_day: DayRow | None
    is_complete: bool
    is_removed: bool

    @property
    def is_met(self) -> bool | None:
        return None if self.budget.left is None else self.budget.left >= 0


Days = Mapping[int, Sequence[tuple[date, Counted, Decimal]]]


def month(month: Month, *, teams: TeamScope, at: datetime, name: str = "") -> tuple[MonthRow, ...]:
    """By name: all that exist, and removed ones of which something was counted in that month."""
    slos = Slo.objects.select_related("team", "component").order_by("name")
    slos = slos if teams.fleet else slos.filter(team_id__in=teams.team_ids)
    rows = list(slos.filter(name=name) if name else slos)
    days, burns = _days(rows, month), _burns(rows, month)
    return tuple(_row(row, month, days, burns, at) for row in rows if row.removed_at is None or row.pk in days)


def _row(row: Slo, of: Month, days: Days, burns: Mapping[tuple[int, str], int], at: datetime) -> MonthRow:
    parts = days.get(row.pk, ())
    objective = parts[-1][2] if parts else row.objective
    allowed = 1 - share(objective)
    shown = days_of([(day, part) for day, part, _ in parts], allowed)
    worst = max(shown, key=lambda day: day.budget.counted.bad, default=None)
    return MonthRow(
        name=row.name,
        title=row.title,
        team=row.team.slug if row.team else None,
        component=row.component.name if row.component else None,
        kind=Unit(row.kind),
        month=of,
        objective=objective,
        budget=budget(total(part for _, part, _ in parts), allowed),
        pages=burns.get((row.pk, Severity.PAGE), 0),
        tickets=burns.get((row.pk, Severity.TICKET), 0),
        days=shown,
        worst_day=worst if worst is not None and worst.budget.counted.bad else None,
        is_complete=at >= of.next.start,
        is_removed=row.removed_at is not None,
    )


def _days(rows: Sequence[Slo], of: Month) -> Days:
    values: dict[str, Any] = {"slos": [row.pk for row in rows], "start": of.start, "end": of.next.start}
    found: dict[int, list[tuple[date, Counted, Decimal]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, values)
        for slo_id, day, bad, amount, covered_s, expected_s, objective in cursor.fetchall():
            known = counted(exact(bad), exact(amount), exact(covered_s), exact(expected_s))
            found[slo_id].append((day, known, objective))
    return found


def _burns(rows: Sequence[Slo], of: Month) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = defaultdict(int)
    began = SloBurn.objects.filter(slo__in=rows, from_at__gte=of.start, from_at__lt=of.next.start)
    for slo_id, severity in began.values_list("slo_id", "severity"):
        found[slo_id, severity] += 1
    return found
