"""Open alerts in groups by one of their labels: how many of what, and the first few of each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.models import AlertState
from monitoring.alerts.reads import SORTS, AlertRow, Wanted, found, label, to_rows
from monitoring.alerts.severities import tone_of_rank

GROUPS_PER_PAGE = 15
SHOWN_PER_GROUP = 5


class GroupBy(StrEnum):
    ALERTNAME = "alertname"
    TEAM = "team"
    SEVERITY = "severity"
    CLUSTER = "cluster"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts that have a value in common; `alerts` are the first of `count`, `tone` is the worst's."""

    key: str
    count: int
    firing: int
    unknown: int
    acknowledged: int
    withheld: int
    tone: str
    oldest_at: datetime
    alerts: tuple[AlertRow, ...] = ()

    @property
    def more(self) -> int:
        return self.count - len(self.alerts)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some of `total` groups, the worst first."""

    groups: tuple[AlertGroup, ...]
    total: int
    page: int
    pages: int


def groups(
    wanted: Wanted,
    by: GroupBy,
    *,
    teams: TeamScope,
    at: datetime,
    sort: str = "severity",
    page: int = 1,
    size: int = GROUPS_PER_PAGE,
) -> GroupPage:
    """Three queries, however many alerts there are."""
    keyed = _keyed(found(wanted, teams=teams), by)
    listed = keyed.order_by().values("key").annotate(**_sums()).order_by("worst_rank", "-count", "key")
    total = listed.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    shown = list(listed[(page - 1) * size : page * size])
    members = _members(keyed, [one["key"] for one in shown], by, sort, at)
    return GroupPage(tuple(_group(one, members.get(one["key"], ())) for one in shown), total, page, pages)


def groups_by_key(
    wanted: Wanted, by: GroupBy, cut: Cut, key: str | None, *, teams: TeamScope, at: datetime
) -> list[AlertGroup]:
    """Up to limit + 1 beside the one of this key, in the order of keys; two queries, however many alerts there are."""
    keyed = _keyed(found(wanted, teams=teams), by)
    if key is not None:
        keyed = keyed.filter(key__lt=key) if cut.backwards else keyed.filter(key__gt=key)
    listed = keyed.order_by().values("key").annotate(**_sums()).order_by("-key" if cut.backwards else "key")
    shown = list(listed[: cut.limit + 1])
    members = _members(keyed, [one["key"] for one in shown], by, "severity", at)
    return [_group(one, members.get(one["key"], ())) for one in shown]


def of_group(wanted: Wanted, by: GroupBy, key: str, *, teams: TeamScope) -> QuerySet[Any]:
    """The alerts of one group."""
    return _keyed(found(wanted, teams=teams), by).filter(key=key)


def _keyed(rows: QuerySet[Any], by: GroupBy) -> QuerySet[Any]:
    expressions = {
        GroupBy.ALERTNAME: F("name"),
        GroupBy.TEAM: F("tenant"),
        GroupBy.SEVERITY: F("severity"),
        GroupBy.CLUSTER: label("cluster"),
    }
    keyed: QuerySet[Any] = rows.annotate(key=expressions.get(by, F("name")))
    return keyed


def _sums() -> dict[str, Any]:
    return {
        "count": Count("pk"),
        "firing": Count("pk", filter=Q(state=AlertState.FIRING)),
        "unknown": Count("pk", filter=Q(state=AlertState.STALE)),
        "acknowledged": Count("pk", filter=Q(now__acknowledged_at__isnull=False)),
        "withheld": Count("pk", filter=Q(now__is_withheld=True)),
        "worst_rank": Min("severity_rank"),
        "oldest_at": Min("starts_at"),
    }


def _members(
    keyed: QuerySet[Any], keys: list[str], by: GroupBy, sort: str, at: datetime
) -> dict[str, tuple[AlertRow, ...]]:
    """The first of each group, by one query with a window over the group."""
    order = SORTS.get(sort, SORTS["severity"])
    placed = keyed.filter(key__in=keys).annotate(
        place=Window(RowNumber(), partition_by=[F("key")], order_by=[*order]),
    )
    rows = to_rows(placed.filter(place__lte=SHOWN_PER_GROUP).order_by(*order), at)
    by_key: dict[str, list[AlertRow]] = {}
    for row in rows:
        by_key.setdefault(_key_of(row, by), []).append(row)
    return {key: tuple(found) for key, found in by_key.items()}


def _key_of(row: AlertRow, by: GroupBy) -> str:
    if by is GroupBy.TEAM:
        return row.team or "platform"
    if by is GroupBy.SEVERITY:
        return row.severity
    return row.labels.get("cluster", "") if by is GroupBy.CLUSTER else row.name


def _group(sums: dict[str, Any], members: tuple[AlertRow, ...]) -> AlertGroup:
    return AlertGroup(
        key=sums["key"],
        count=sums["count"],
        firing=sums["firing"],
        unknown=sums["unknown"],
        acknowledged=sums["acknowledged"],
        withheld=sums["withheld"],
        tone=tone_of_rank(sums["worst_rank"]),
        oldest_at=sums["oldest_at"],
        alerts=members,
    )
