"""What a team's use cost, by day, GPU model or workload, with the part that was held and idle."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Sum

from costs.models import CostDay
from costs.reads import account, visible_accounts
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window


class CostGroup(StrEnum):
    TOTAL = "total"
    TEAM = "team"
    DAY = "day"
    GPU_MODEL = "gpu_model"
    WORKLOAD = "workload"


@dataclass(frozen=True, slots=True)
class TeamCost:
    """Exact cost of a group, a team's slug, day, model or workload; `idle` is cost x (measured - busy) / held."""

    group: str
    workload_id: int | None
    currency: str
    cost: Decimal
    idle: Decimal


def team_costs(
    window: Window, *, teams: TeamScope, team: str | None = None, group_by: CostGroup = CostGroup.TOTAL
) -> tuple[TeamCost, ...]:
    """Costs of the days that touch `window`, of one team or of all that the caller sees; the costliest first."""
    last = (window.end - timedelta(microseconds=1)).date()
    found = CostDay.objects.filter(visible_accounts(teams), day__gte=window.start.date(), day__lte=last)
    if team is not None:
        found = found.filter(account=account(team, teams=teams))
    fields = {
        CostGroup.TOTAL: (),
        CostGroup.TEAM: ("account__team__slug",),
        CostGroup.DAY: ("day",),
        CostGroup.GPU_MODEL: ("gpu_model",),
        CostGroup.WORKLOAD: ("workload_id", "workload__namespace", "workload__name"),
    }[group_by]
    sums = found.values(*fields, "run__currency").annotate(total=Sum("cost"), idle_cost=Sum("idle")).order_by()
    rows = [_team_cost(row, group_by) for row in sums]
    if group_by is CostGroup.DAY:
        return tuple(sorted(rows, key=lambda row: (row.currency, row.group)))
    return tuple(sorted(rows, key=lambda row: (row.currency, -row.cost, row.group)))


def _team_cost(row: dict[str, Any], group_by: CostGroup) -> TeamCost:
    if group_by is CostGroup.WORKLOAD:
        group = "/".join(filter(None, (row["workload__namespace"], row["workload__name"])))
    elif group_by is CostGroup.TEAM:
        group = row["account__team__slug"] or ""
    else:
        group = "" if group_by is CostGroup.TOTAL else str(row[group_by])
    return TeamCost(
        group=group,
        workload_id=row.get("workload_id"),
        currency=row["run__currency"],
        cost=row["total"],
        idle=row["idle_cost"],
    )
