"""What is known of models: all of them at a glance, each with its last report, findings and costs, within teams."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from drift.models import FindingSeverity, Model
from drift.reads_mitigations import NO_COSTS, ModelCosts, costs_of_models
from fleetledger.fleet.access import TeamScope

TREND = 30
COSTS_OF = timedelta(days=90)
LATE_BY = 1.1  # of the expected time: a report that comes a little late is no event


class State(StrEnum):
    """How a model stands by its last dated report; `drifted` says the data set, `some` single columns."""

    DRIFTED = "drifted"
    SOME = "some"
    STEADY = "steady"
    UNKNOWN = "unknown"
    LATE = "late"
    EMPTY = "empty"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class LastReport:
    """The latest dated report. `window_from` equals `window_to` where only an instant is known."""

    id: int
    window_from: datetime
    window_to: datetime
    received_at: datetime
    share: float | None
    drift_share: float | None
    is_drifted: bool | None
    columns: int
    drifted_columns: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as it is now. `trend` is the share of drifted columns of its last reports, the oldest first.

    `open_findings` are those that are not closed, decided or not; `worst` is the severity of the gravest, else empty.
    `trend_at` is known where one model is asked for.
    """

    id: int
    name: str
    owner: str
    owner_name: str
    description: str
    is_production: bool
    importance: int
    pool: str
    expected_every_s: int | None
    window_grain: str
    state: State
    reports: int
    undated: int
    last: LastReport | None
    last_received_at: datetime | None
    open_findings: int = 0
    worst: str = ""
    costs: ModelCosts = NO_COSTS
    trend: tuple[float | None, ...] = field(default=())
    trend_at: tuple[datetime, ...] = field(default=())

    @property
    def expected_by(self) -> datetime | None:
        """When the next report is late."""
        if self.expected_every_s is None or self.last_received_at is None:
            return None
        return self.last_received_at + timedelta(seconds=self.expected_every_s * LATE_BY)


_COUNTED_ONE = """
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE is_dated) AS reports, count(*) FILTER (WHERE NOT is_dated) AS undated,
           max(received_at) AS received_at
    FROM drift_report WHERE model_id = m.id AND state = 'imported'
) counted
"""
_COUNTED_ALL = """
LEFT JOIN (
    SELECT model_id, count(*) FILTER (WHERE is_dated) AS reports, count(*) FILTER (WHERE NOT is_dated) AS undated,
           max(received_at) AS received_at
    FROM drift_report WHERE state = 'imported' GROUP BY model_id
) counted ON counted.model_id = m.id
"""
_MODELS = """
SELECT m.id, m.name, t.slug, t.name, m.description, m.is_production, m.importance, m.pool, m.expected_every_s,
       m.window_grain, m.removed_at IS NOT NULL, coalesce(counted.reports, 0), coalesce(counted.undated, 0),
       counted.received_at, coalesce(found.open, 0), coalesce((%(severities)s::text[])[found.worst], ''),
       recent.shares, CASE WHEN %(name)s <> '' THEN recent.ends END,
       recent.ids[1], recent.starts[1], recent.ends[1], recent.received[1], recent.shares[1], recent.limits[1],
       recent.flags[1], recent.columns[1], recent.drifted[1]
FROM drift_model m
JOIN fleet_team t ON t.id = m.owner_id
/* counted */
LEFT JOIN (
    SELECT model_id, count(*) AS open, max(array_position(%(severities)s::text[], severity::text)) AS worst
    FROM drift_finding WHERE state <> 'closed' GROUP BY model_id
) found ON found.model_id = m.id
CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids, array_agg(window_from) AS starts, array_agg(window_to) AS ends,
           array_agg(received_at) AS received, array_agg(share) AS shares, array_agg(drift_share) AS limits,
           array_agg(is_drifted) AS flags, array_agg("columns") AS columns, array_agg(drifted_columns) AS drifted
    FROM (
        SELECT id, window_from, window_to, received_at, share, drift_share, is_drifted, "columns", drifted_columns
        FROM drift_report WHERE model_id = m.id AND is_dated AND state = 'imported'
        ORDER BY window_to DESC, id DESC LIMIT %(trend)s
    ) latest
) recent
WHERE (%(fleet)s OR m.owner_id = ANY(%(teams)s)) AND (m.name = %(name)s OR (%(name)s = '' AND m.removed_at IS NULL))
ORDER BY m.name
"""


def models(*, teams: TeamScope, at: datetime) -> tuple[ModelRow, ...]:
    """Every model that is not removed, by name."""
    return _found(teams, at, "")


def model(name: str, *, teams: TeamScope, at: datetime) -> ModelRow | None:
    """One model, also one that was removed; None where there is none that these teams may see."""
    return next(iter(_found(teams, at, name)), None) if name and "\x00" not in name else None


def stored(name: str, *, teams: TeamScope) -> Model | None:
    """The model itself, for those who change something of it; not one that was removed."""
    if "\x00" in name:
        return None
    found = Model.objects.select_related("owner").filter(name=name, removed_at__isnull=True).first()
    return found if found is not None and teams.allows(found.owner_id) else None


def sendable(*, teams: TeamScope) -> tuple[Model, ...]:
    """The models that these teams may see and that take reports, by name."""
    found = Model.objects.select_related("owner").filter(removed_at__isnull=True).order_by("name")
    return tuple(found if teams.fleet else found.filter(owner_id__in=teams.team_ids))


def _found(teams: TeamScope, at: datetime, name: str) -> tuple[ModelRow, ...]:
    asked: dict[str, Any] = {
        "fleet": teams.fleet,
        "teams": sorted(teams.team_ids),
        "name": name,
        "trend": TREND,
        "severities": list(FindingSeverity.values),
    }
    counted = _COUNTED_ONE if name else _COUNTED_ALL  # for all, one pass over the reports is the cheaper way
    with connection.cursor() as cursor:
        cursor.execute(_MODELS.replace("/* counted */", counted), asked)
        rows = [_row(values, at) for values in cursor.fetchall()]
    costs = costs_of_models(at - COSTS_OF, teams=teams, name=name)
    return tuple(replace(row, costs=costs[row.id]) if row.id in costs else row for row in rows)


def _row(values: Iterable[Any], at: datetime) -> ModelRow:
    (
        pk, name, owner, owner_name, description, is_production, importance, pool, every, grain, is_removed, reports,
        undated, received_at, open_findings, worst, shares, ends, *latest,
    ) = values  # fmt: skip
    last = LastReport(*latest) if shares else None
    row = ModelRow(
        id=pk,
        name=name,
        owner=owner,
        owner_name=owner_name,
        description=description,
        is_production=is_production,
        importance=importance,
        pool=pool,
        expected_every_s=every,
        window_grain=grain,
        state=State.REMOVED if is_removed else _state(last),
        reports=reports,
        undated=undated,
        last=last,
        last_received_at=received_at,
        open_findings=open_findings,
        worst=worst,
        trend=tuple(reversed(shares or ())),
        trend_at=tuple(reversed(ends or ())),
    )
    is_late = not is_removed and row.expected_by is not None and row.expected_by < at
    return replace(row, state=State.LATE) if is_late else row


def _state(last: LastReport | None) -> State:
    if last is None:
        return State.EMPTY
    if last.is_drifted:
        return State.DRIFTED
    if last.drifted_columns:
        return State.SOME
    return State.STEADY if last.columns and last.share is not None else State.UNKNOWN
