"""What GPUs were used for: the numbers that the API, the pages and the ledger share."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.utils import timezone

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window
from monitoring.telemetry.segments import HOURS, segments, union
from monitoring.telemetry.team_rows import NOBODY, team_rows

UNOWNED = "(unowned)"
MEASURES = (
    "allocated_us", "unallocated_us", "unknown_us", "observed_us", "busy_us", "measured_us", "sm_us", "sm_measured_us",
    "tensor_us", "tensor_measured_us", "dram_us", "dram_measured_us", "fb_used_mib_us", "fb_measured_us", "energy_uj",
    "rejected_samples",
)  # fmt: skip
KEYS = "bucket, unit_id, workload_id, gpu_id, node_id, team_id"
MIB = 1024 * 1024


class GroupBy(StrEnum):
    TEAM = "team"
    CLUSTER = "cluster"
    NAMESPACE = "namespace"
    WORKLOAD = "workload"
    NODE = "node"
    GPU = "gpu"
    GPU_MODEL = "gpu_model"
    KIND = "kind"


class Step(StrEnum):
    TOTAL = "total"
    BUCKET = "bucket"
    HOUR = "hour"
    DAY = "day"


COARSEST = {Step.TOTAL: DAY, Step.DAY: DAY, Step.HOUR: HOUR, Step.BUCKET: BUCKET}
_GROUPS = {
    GroupBy.TEAM: f"coalesce(t.slug, '{UNOWNED}')",
    GroupBy.CLUSTER: "coalesce(c.name, '')",
    GroupBy.NAMESPACE: "w.namespace",
    GroupBy.WORKLOAD: "w.name",
    GroupBy.NODE: "coalesce(n.name, '')",
    GroupBy.GPU: "g.uuid",
    GroupBy.GPU_MODEL: "g.model",
    GroupBy.KIND: "w.kind",
}
_JOINS = (
    " JOIN fleet_workload w ON w.id = f.workload_id LEFT JOIN fleet_team t ON t.id = f.team_id"
    " JOIN fleet_gpu g ON g.id = f.gpu_id LEFT JOIN fleet_node n ON n.id = f.node_id"
    " LEFT JOIN fleet_cluster c ON c.id = w.cluster_id"
)
_TEAM_GROUPS = {
    GroupBy.TEAM: _GROUPS[GroupBy.TEAM],
    GroupBy.CLUSTER: _GROUPS[GroupBy.CLUSTER],
    GroupBy.GPU_MODEL: "f.gpu_model",
    GroupBy.KIND: "f.kind",
}
_TEAM_JOINS = " LEFT JOIN fleet_team t ON t.id = f.team_id LEFT JOIN fleet_cluster c ON c.id = f.cluster_id"
_SUMS = ", ".join(f"sum(f.{name})" for name in MEASURES)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Held time of one group (and step). Times in GPU-microseconds, energy in microjoules, None without a counter."""

    group: str
    at: datetime | None
    allocated_us: int
    busy_us: int
    measured_us: int
    sm_us: int = 0
    sm_measured_us: int = 0
    tensor_us: int = 0
    tensor_measured_us: int = 0
    dram_us: int = 0
    dram_measured_us: int = 0
    fb_used_mib_us: int = 0
    fb_measured_us: int = 0
    energy_uj: int | None = None
    estimated: bool = False

    @property
    def mean_utilization(self) -> float | None:
        """Percent of the measured time; None where nothing was measured."""
        return 100 * self.busy_us / self.measured_us if self.measured_us else None

    @property
    def sm_active(self) -> float | None:
        """Share, 0 to 1."""
        return self.sm_us / self.sm_measured_us if self.sm_measured_us else None

    @property
    def tensor_active(self) -> float | None:
        return self.tensor_us / self.tensor_measured_us if self.tensor_measured_us else None

    @property
    def dram_active(self) -> float | None:
        return self.dram_us / self.dram_measured_us if self.dram_measured_us else None

    @property
    def memory_used_bytes(self) -> int | None:
        """Mean over the measured time."""
        return self.fb_used_mib_us * MIB // self.fb_measured_us if self.fb_measured_us else None


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of a window. Without fleet scope `gpus`, `gpu_us`, `unallocated_us` and `unknown_us` are None."""

    window: Window
    complete_until: datetime | None
    scope: str
    gpus: int | None
    gpu_us: int | None
    observed_us: int
    unallocated_us: int | None
    unknown_us: int | None
    rejected_samples: int
    energy_uj: int | None
    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class HeldHour:
    """An hour of one GPU for one holder. `kind`: allocated, unowned, unallocated or unknown."""

    at: datetime
    node_id: int | None
    gpu_id: int
    gpu_model: str
    team_id: int | None
    workload_id: int | None
    kind: str
    held_us: int
    busy_us: int
    measured_us: int


@dataclass(frozen=True, slots=True)
class Existence:
    """How many GPUs existed in a window up to what was read, and for how long together."""

    gpus: int
    gpu_us: int


def usage(
    window: Window,
    *,
    group_by: GroupBy = GroupBy.TEAM,
    step: Step = Step.TOTAL,
    teams: TeamScope,
    team: str | None = None,
    rollup_tree: bool = False,
) -> Usage:
    """Usage of `window` (aligned to five minutes) by group and step; two to four queries whatever its length."""
    wanted = team_ids(team, rollup_tree=rollup_tree) if team is not None else None
    is_whole = teams.fleet and team is None
    rows = _rows(window, group_by, step, teams, wanted, rollup_tree=rollup_tree and group_by is GroupBy.TEAM)
    totals = _totals(window, step, teams, wanted)
    lived = existence(window) if is_whole else None
    energy = totals["energy_uj"]
    return Usage(
        window=window,
        complete_until=complete_until(),
        scope="fleet" if is_whole else "teams",
        gpus=lived.gpus if lived else None,
        gpu_us=lived.gpu_us if lived else None,
        observed_us=int(totals["observed_us"] or 0),
        unallocated_us=int(totals["unallocated_us"] or 0) if lived else None,
        unknown_us=_unknown(lived, totals) if lived else None,
        rejected_samples=int(totals["rejected_samples"] or 0),
        energy_uj=int(energy) if energy is not None else None,
        rows=rows,
    )


def existence(window: Window) -> Existence:
    """Existence of the GPUs within [start, min(end, their source's watermark))."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH lived AS (SELECT least(%s, s.watermark_at, g.retired_at) - greatest(%s, g.first_sample_at) AS span"
            " FROM fleet_gpu g JOIN fleet_source s ON s.id = g.source_id"
            " WHERE g.first_sample_at IS NOT NULL AND s.watermark_at IS NOT NULL)"
            " SELECT count(*), coalesce(sum((extract(epoch FROM span) * 1000000)::bigint), 0) FROM lived"
            " WHERE span > interval '0'",
            [window.end, window.start],
        )
        gpus, gpu_us = cursor.fetchone()
    return Existence(int(gpus), int(gpu_us))


def complete_until() -> datetime | None:
    """Until when every source that shows GPUs has been read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(s.watermark_at) FROM fleet_source s WHERE s.enabled AND s.kind <> 'bill'"
            " AND EXISTS (SELECT 1 FROM fleet_gpu g WHERE g.source_id = s.id AND g.retired_at IS NULL)"
        )
        at: datetime | None = cursor.fetchone()[0]
    return at


def read_until() -> datetime | None:
    """Until when the source that is ahead of the others has been read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(watermark_at) FROM fleet_source WHERE kind <> 'bill'")
        at: datetime | None = cursor.fetchone()[0]
    return at


def oldest_fact_at() -> datetime | None:
    """From when on five-minute facts are there; earlier only hours are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bucket FROM telemetry_fact ORDER BY bucket LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else None


def oldest_hour_at() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT bucket FROM telemetry_gpuhour ORDER BY bucket LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else None


def data_age() -> timedelta | None:
    """How old the newest complete facts are; None while there are none."""
    at = complete_until()
    return timezone.now() - at if at else None


def version() -> int:
    """Grows with every write of facts; for ETags."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(version), 0) FROM telemetry_dataversion")
        return int(cursor.fetchone()[0])


def held_hours(window: Window, *, node_ids: Collection[int] | None = None) -> Iterator[HeldHour]:
    """Every GPU hour of `window` by holder, in order of hour and GPU; streams, for the ledger alone."""
    nodes = "" if node_ids is None else " AND f.node_id = ANY(%s)"
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT f.bucket, f.node_id, f.gpu_id, g.model, f.team_id, f.workload_id, sum(f.allocated_us),"  # noqa: S608
            " sum(f.unallocated_us), sum(f.unknown_us), sum(f.busy_us), sum(f.measured_us)"
            f" FROM {HOURS} f JOIN fleet_gpu g ON g.id = f.gpu_id WHERE f.bucket >= %s AND f.bucket < %s{nodes}"
            " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 3, 6",
            [window.start, window.end, *([] if node_ids is None else [list(node_ids)])],
        )
        while rows := cursor.fetchmany(5000):
            for row in rows:
                yield from _held(*row)


def _held(*row: Any) -> Iterator[HeldHour]:
    at, node_id, gpu_id, model, team_id, workload_id, allocated, unallocated, unknown, busy, measured = row
    if workload_id:
        kind = "unowned" if team_id is None else "allocated"
        yield HeldHour(at, node_id, gpu_id, model, team_id, workload_id, kind, int(allocated), int(busy), int(measured))
        return
    for kind, held in (("unallocated", unallocated), ("unknown", unknown)):
        if held:
            yield HeldHour(at, node_id, gpu_id, model, None, None, kind, int(held), 0, 0)


def _rows(
    window: Window, group_by: GroupBy, step: Step, teams: TeamScope, wanted: list[int] | None, *, rollup_tree: bool
) -> tuple[UsageRow, ...]:
    parts = segments(window, COARSEST[step])
    groups, joins, held = _GROUPS, _JOINS, " WHERE f.workload_id <> 0 AND f.allocated_us > 0"
    if group_by in _TEAM_GROUPS:
        groups, joins, held = _TEAM_GROUPS, _TEAM_JOINS, f" WHERE f.team_id <> {NOBODY} AND f.allocated_us > 0"
        sql, parameters = team_rows(parts, MEASURES)
    else:
        sql, parameters = union(parts, f"{KEYS}, estimated, {', '.join(MEASURES)}")
    at = "NULL::timestamptz" if step is Step.TOTAL else step_sql(step)
    if rollup_tree:  # each team's time also counts for the teams above it
        joins = joins.replace(
            "LEFT JOIN fleet_team t ON t.id = f.team_id",
            "LEFT JOIN above a ON a.id = f.team_id LEFT JOIN fleet_team t ON t.id = a.up",
        )
    scope, scoped = _scope(teams, wanted)
    ahead = (
        "RECURSIVE above(id, up) AS (SELECT id, id FROM fleet_team UNION ALL SELECT a.id, p.parent_id FROM above a"
        " JOIN fleet_team p ON p.id = a.up WHERE p.parent_id IS NOT NULL), "
        if rollup_tree
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {ahead} f AS ({sql}) SELECT {groups[group_by]}, {at}, bool_or(f.estimated), {_SUMS}"  # noqa: S608
            f" FROM f{joins}{held}{scope} GROUP BY 1, 2 ORDER BY 2, 1",
            [*parameters, *scoped],
        )
        return tuple(_usage_row(row) for row in cursor.fetchall())


def step_sql(step: Step) -> str:
    """The step's start as SQL over rows `f`."""
    return "f.bucket" if step is Step.BUCKET else f"date_trunc('{step.value}', f.bucket, 'UTC')"


def _totals(window: Window, step: Step, teams: TeamScope, wanted: list[int] | None) -> dict[str, Any]:
    sql, parameters = team_rows(segments(window, COARSEST[step]), MEASURES)
    scope, scoped = _scope(teams, wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH f AS ({sql}) SELECT {_SUMS} FROM f WHERE true{scope}",  # noqa: S608
            [*parameters, *scoped],
        )
        return dict(zip(MEASURES, cursor.fetchone(), strict=True))


def _scope(teams: TeamScope, wanted: list[int] | None) -> tuple[str, list[list[int]]]:
    """The tenant filter: a condition on team_id with its parameters."""
    conditions, parameters = "", []
    if not teams.fleet:
        conditions += " AND f.team_id = ANY(%s)"
        parameters.append(sorted(teams.team_ids))
    if wanted is not None:
        conditions += " AND f.team_id = ANY(%s)"
        parameters.append(wanted)
    return conditions, parameters


def team_ids(slug: str, *, rollup_tree: bool = False) -> list[int]:
    """The team's id, with those below it where the tree is asked for; empty where no team has the slug."""
    below = " UNION ALL SELECT c.id FROM fleet_team c JOIN tree ON c.parent_id = tree.id" if rollup_tree else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE tree(id) AS (SELECT id FROM fleet_team WHERE slug = %s{below}) SELECT id FROM tree",  # noqa: S608
            [slug],
        )
        return [int(pk) for (pk,) in cursor.fetchall()]


def _unknown(lived: Existence, totals: dict[str, Any]) -> int:
    """What of the GPUs' existence nobody can tell: stored as unknown, or never read."""
    return lived.gpu_us - int(totals["allocated_us"] or 0) - int(totals["unallocated_us"] or 0)


def _usage_row(row: tuple[Any, ...]) -> UsageRow:
    group, at, estimated, *sums = row
    found = dict(zip(MEASURES, sums, strict=True))
    energy = found.pop("energy_uj")
    for unused in ("unallocated_us", "unknown_us", "observed_us", "rejected_samples"):
        found.pop(unused)
    return UsageRow(
        group=str(group),
        at=at,
        estimated=bool(estimated),
        energy_uj=None if energy is None else int(energy),
        **{name: int(value) for name, value in found.items()},
    )
