"""What teams held and how busy it was: summaries, busy hours and workloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import DAY, HOUR, Window, ceil, floor
from monitoring.telemetry.reads import team_ids

HOURS_OF_A_DAY = 24


@dataclass(frozen=True, slots=True)
class TeamSummary:
    """A team's window. `gpus` are distinct GPUs held; `daily` the mean utilisation in percent of each day, or None."""

    slug: str
    name: str
    cost_center: str
    parent: str | None
    lead: str
    gpus: int
    allocated_us: int
    busy_us: int
    measured_us: int
    daily: tuple[float | None, ...]

    @property
    def mean_utilization(self) -> float | None:
        return percent(self.busy_us, self.measured_us)


@dataclass(frozen=True, slots=True)
class BusyHour:
    """An hour of held time."""

    at: datetime
    allocated_us: int
    busy_us: int
    measured_us: int


@dataclass(frozen=True, slots=True)
class WorkloadUse:
    """What a workload held. `gpu_models` are (model, GPUs); `last_day` the utilisation of the window's last 24"
    " hours.
    """

    workload_id: int
    name: str
    namespace: str
    cluster: str
    kind: str
    owner: str
    team: str | None
    gpu_models: tuple[tuple[str, int], ...]
    allocated_us: int
    busy_us: int
    measured_us: int
    last_day: tuple[float | None, ...]


def percent(busy_us: int, measured_us: int) -> float | None:
    """Utilisation of the measured time; None where nothing was measured."""
    return 100 * busy_us / measured_us if measured_us else None


def team_summaries(window: Window, *, teams: TeamScope) -> tuple[TeamSummary, ...]:
    """Every team the caller may see, by name, with or without use; three queries."""
    return _summaries(window, teams, None)


def team_summary(slug: str, window: Window, *, teams: TeamScope) -> TeamSummary | None:
    """One team; None where it does not exist for this caller."""
    found = _summaries(window, teams, slug)
    return found[0] if found else None


def busy_hours(window: Window, *, teams: TeamScope, team: str | None = None) -> tuple[BusyHour, ...]:
    """Held time hour by hour, of one team or of all that the caller sees; hours without any are left out."""
    ids = _ids(teams, team)
    condition = "team_id = ANY(%s)" if ids is not None else "true"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bucket, sum(allocated_us)::bigint, sum(busy_us)::bigint, sum(measured_us)::bigint"  # noqa: S608
            f" FROM telemetry_teamhour WHERE {condition} AND bucket >= %s AND bucket < %s AND allocated_us > 0"
            " GROUP BY 1 ORDER BY 1",
            [*([ids] if ids is not None else []), floor(window.start, HOUR), window.end],
        )
        return tuple(BusyHour(*row) for row in cursor.fetchall())


def workloads(window: Window, *, teams: TeamScope, team: str | None = None) -> tuple[WorkloadUse, ...]:
    """Every workload that held time, the largest first; two queries."""
    ids = _ids(teams, team)
    condition = " AND f.team_id = ANY(%s)" if ids is not None else ""
    span = _days(window)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH held AS (SELECT f.workload_id, f.team_id, g.model, f.gpu_id, sum(f.allocated_us) AS"  # noqa: S608
            " allocated,"
            " sum(f.busy_us) AS busy, sum(f.measured_us) AS measured FROM telemetry_gpuday f"
            " JOIN fleet_gpu g ON g.id = f.gpu_id WHERE f.workload_id <> 0 AND f.bucket >= %s AND f.bucket < %s"
            f"{condition} GROUP BY 1, 2, 3, 4), models AS (SELECT workload_id, team_id, model, count(*) AS gpus,"
            " sum(allocated) AS allocated, sum(busy) AS busy, sum(measured) AS measured FROM held GROUP BY 1, 2, 3)"
            " SELECT w.id, w.name, w.namespace, c.name, w.kind, w.owner, t.slug,"
            " array_agg(m.model ORDER BY m.allocated DESC, m.model), array_agg(m.gpus ORDER BY m.allocated DESC,"
            " m.model),"
            " sum(m.allocated)::bigint, sum(m.busy)::bigint, sum(m.measured)::bigint"
            " FROM models m JOIN fleet_workload w ON w.id = m.workload_id JOIN fleet_cluster c ON c.id = w.cluster_id"
            " LEFT JOIN fleet_team t ON t.id = m.team_id GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 10 DESC, 3, 2",
            [span.start, span.end, *([ids] if ids is not None else [])],
        )
        rows = cursor.fetchall()
    last = _last_day(window, [row[0] for row in rows])
    return tuple(_workload(row, last) for row in rows)


def _summaries(window: Window, teams: TeamScope, slug: str | None) -> tuple[TeamSummary, ...]:
    span = _days(window)
    ids = sorted(teams.team_ids)
    conditions = "(%s OR t.id = ANY(%s)) AND (%s::text IS NULL OR t.slug = %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, t.slug, t.name, t.cost_center, p.slug, coalesce((SELECT string_agg(nullif("  # noqa: S608
            "coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username), ''), ', ' ORDER BY u.username)"
            " FROM fleet_membership m JOIN fleet_user u ON u.id = m.user_id WHERE m.team_id = t.id AND m.role ="
            " 'lead'), ''),"
            " (SELECT count(DISTINCT f.gpu_id) FROM telemetry_gpuday f WHERE f.team_id = t.id"
            " AND f.bucket >= %s AND f.bucket < %s) FROM fleet_team t LEFT JOIN fleet_team p ON p.id = t.parent_id"
            f" WHERE {conditions} ORDER BY t.name, t.slug",
            [span.start, span.end, teams.fleet, ids, slug, slug],
        )
        found = cursor.fetchall()
    daily = _daily(span, [row[0] for row in found])
    days = [day.start for day in span.steps(DAY)]
    return tuple(_summary(row, daily.get(row[0], {}), days) for row in found)


def _daily(span: Window, ids: list[int]) -> dict[int, dict[datetime, tuple[int, int, int]]]:
    daily: dict[int, dict[datetime, tuple[int, int, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT team_id, bucket, sum(allocated_us)::bigint, sum(busy_us)::bigint, sum(measured_us)::bigint"
            " FROM telemetry_teamday WHERE team_id = ANY(%s) AND bucket >= %s AND bucket < %s GROUP BY 1, 2",
            [ids, span.start, span.end],
        )
        for team_id, at, *sums in cursor.fetchall():
            daily.setdefault(team_id, {})[at] = (sums[0], sums[1], sums[2])
    return daily


def _summary(
    row: tuple[Any, ...], daily: dict[datetime, tuple[int, int, int]], days: Sequence[datetime]
) -> TeamSummary:
    _, slug, name, cost_center, parent, lead, gpus = row
    return TeamSummary(
        slug=slug,
        name=name,
        cost_center=cost_center,
        parent=parent,
        lead=lead,
        gpus=gpus,
        allocated_us=sum(sums[0] for sums in daily.values()),
        busy_us=sum(sums[1] for sums in daily.values()),
        measured_us=sum(sums[2] for sums in daily.values()),
        daily=tuple(percent(daily[day][1], daily[day][2]) if day in daily else None for day in days),
    )


def _workload(row: tuple[Any, ...], last: dict[int, tuple[float | None, ...]]) -> WorkloadUse:
    pk, name, namespace, cluster, kind, owner, team, models, gpus, *sums = row
    models_of = tuple(zip(models, gpus, strict=True))
    nothing = (None,) * HOURS_OF_A_DAY
    allocated, busy, measured = sums
    last_day = last.get(pk, nothing)
    return WorkloadUse(pk, name, namespace, cluster, kind, owner, team, models_of, allocated, busy, measured, last_day)


def _last_day(window: Window, ids: list[int]) -> dict[int, tuple[float | None, ...]]:
    """Utilisation of the window's last 24 hours, hour by hour."""
    end = ceil(window.end, HOUR)
    hours = [end - timedelta(hours=back) for back in range(HOURS_OF_A_DAY, 0, -1)]
    found: dict[int, dict[datetime, float | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT workload_id, bucket, sum(busy_us)::bigint, sum(measured_us)::bigint FROM telemetry_gpuhour"
            " WHERE workload_id = ANY(%s) AND bucket >= %s AND bucket < %s GROUP BY 1, 2",
            [ids, hours[0], end],
        )
        for workload_id, at, busy, measured in cursor.fetchall():
            found.setdefault(workload_id, {})[at] = percent(busy, measured)
    return {pk: tuple(means.get(hour) for hour in hours) for pk, means in found.items()}


def _ids(teams: TeamScope, team: str | None) -> list[int] | None:
    """The team ids to read, None for all: a team that the caller does not see gives none."""
    if team is None:
        return None if teams.fleet else sorted(teams.team_ids)
    return [pk for pk in team_ids(team) if teams.allows(pk)]


def _days(window: Window) -> Window:
    return Window(floor(window.start, DAY), ceil(window.end, DAY))
