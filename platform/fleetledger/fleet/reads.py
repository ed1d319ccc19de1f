"""The fleet's inventory as frozen rows, for the API and the pages. Every read asks whose rows it may give."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Count, Model, Q, QuerySet
from django.utils import timezone

from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Cluster, Gpu, Node, OwnershipRule, Source, Team
from fleetledger.lib.keyset import Cut, Key

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class ClusterRow:
    name: str
    provider: str
    region: str
    nodes: int
    gpus: int


@dataclass(frozen=True, slots=True)
class NodeRow:
    cluster: str
    name: str
    provider_id: str
    gpus_expected: int | None
    gpus_seen: int
    last_sample_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class MigSliceRow:
    gi_id: int
    profile: str
    slices: int
    last_sample_at: datetime


@dataclass(frozen=True, slots=True)
class GpuRow:
    uuid: str
    model: str
    cluster: str | None
    node: str | None
    device_index: str
    memory_mib: int | None
    slices: int
    mig_slices: list[MigSliceRow]
    first_sample_at: datetime | None
    last_sample_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    user: str
    role: str


@dataclass(frozen=True, slots=True)
class TeamRow:
    slug: str
    name: str
    cost_center: str
    parent: str | None
    members: list[MemberRow]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """Days are UTC, [valid_from, valid_until); null: without a beginning or an end."""

    position: int
    team: str
    valid_from: date | None
    valid_until: date | None
    match: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """`lag_seconds` is now - `watermark_at`; facts are complete up to the watermark."""

    name: str
    kind: str
    cluster: str | None
    enabled: bool
    watermark_at: datetime | None
    lag_seconds: float | None
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    last_error: str
    last_error_at: datetime | None


def clusters(*, teams: TeamScope, name: str = "") -> list[ClusterRow]:
    """By name. Without fleet scope: those on which the own workloads held a GPU in the last 30 days."""
    visible = _visible_gpus(teams)
    rows = Cluster.objects.annotate(
        node_count=Count("nodes", distinct=True, filter=_through("nodes__gpu_set", visible)),
        gpu_count=Count("nodes__gpu_set", distinct=True, filter=_through("nodes__gpu_set", visible)),
    )
    if visible is not None:
        rows = rows.filter(nodes__gpu_set__in=visible).distinct()
    if name:
        rows = rows.filter(name=name)
    found = [ClusterRow(row.name, row.provider, row.region, row.node_count, row.gpu_count) for row in rows]
    return sorted(found, key=lambda row: row.name)


def nodes(cut: Cut, *, teams: TeamScope, cluster: str = "", name: str = "") -> list[NodeRow]:
    """Up to limit + 1 by (cluster, name)."""
    visible = _visible_gpus(teams)
    rows: QuerySet[Any] = Node.objects.select_related("cluster").annotate(
        gpu_count=Count("gpu_set", distinct=True, filter=_through("gpu_set", visible))
    )
    if visible is not None:
        rows = rows.filter(gpu_set__in=visible).distinct()
    wanted = {"cluster__name": cluster, "name": name}
    rows = rows.filter(**{key: value for key, value in wanted.items() if value})
    return [
        NodeRow(
            row.cluster.name,
            row.name,
            row.provider_id if teams.fleet else "",
            row.gpus if teams.fleet else None,
            row.gpu_count,
            row.last_sample_at,
            row.retired_at,
        )
        for row in after(rows, ("cluster__name", "name"), cut)
    ]


def gpus(
    cut: Cut,
    *,
    teams: TeamScope,
    uuid: str = "",
    cluster: str = "",
    node: str = "",
    model: str = "",
    retired: bool | None = None,
) -> list[GpuRow]:
    """Up to limit + 1 by UUID; `model` is a part of the name in any case of letters."""
    rows = Gpu.objects.select_related("node__cluster").prefetch_related("mig_slices")
    visible = _visible_gpus(teams)
    if visible is not None:
        rows = rows.filter(pk__in=visible)
    wanted = {"uuid": uuid, "node__cluster__name": cluster, "node__name": node, "model__icontains": model}
    rows = rows.filter(**{key: value for key, value in wanted.items() if value})
    if retired is not None:
        rows = rows.filter(retired_at__isnull=not retired)
    return [_gpu_row(row) for row in after(rows, ("uuid",), cut)]


def teams_list(*, teams: TeamScope, slug: str = "", parent: str = "") -> list[TeamRow]:
    """The teams that the caller may see, by slug."""
    rows = Team.objects.select_related("parent").prefetch_related("memberships__user")
    if not teams.fleet:
        rows = rows.filter(pk__in=teams.team_ids)
    wanted = {"slug": slug, "parent__slug": parent}
    rows = rows.filter(**{key: value for key, value in wanted.items() if value})
    return sorted((_team_row(row, teams) for row in rows), key=lambda row: row.slug)


def ownership_rules(*, teams: TeamScope, team: str = "", on: date | None = None) -> list[RuleRow]:
    """In the order in which they are asked; `on`: those in force on that day."""
    rows = OwnershipRule.objects.select_related("team")
    if not teams.fleet:
        rows = rows.filter(team__in=teams.team_ids)
    if team:
        rows = rows.filter(team__slug=team)
    if on is not None:
        started = Q(valid_from__isnull=True) | Q(valid_from__lte=on)
        rows = rows.filter(started, Q(valid_until__isnull=True) | Q(valid_until__gt=on))
    return [RuleRow(row.position, row.team.slug, row.valid_from, row.valid_until, row.match) for row in rows]


def sources(*, teams: TeamScope, name: str = "", kind: str = "") -> list[SourceRow]:
    """By name; settings of the whole fleet, so nothing without fleet scope."""
    if not teams.fleet:
        return []
    wanted = {"name": name, "kind": kind}
    rows = Source.objects.select_related("cluster").filter(**{key: value for key, value in wanted.items() if value})
    now = timezone.now()
    return sorted((_source_row(row, now) for row in rows), key=lambda row: row.name)


def after(rows: QuerySet[M], names: Sequence[str], cut: Cut) -> list[M]:
    """The rows beyond the cut's key in the order of `names`, up to limit + 1."""
    sign = "-" if cut.backwards else ""
    ordered = rows.order_by(*(f"{sign}{name}" for name in names))
    if cut.key is not None:
        if len(cut.key) != len(names) or not all(isinstance(part, str) for part in cut.key):
            return []
        ordered = ordered.filter(_beyond(names, cut.key, "lt" if cut.backwards else "gt"))
    return list(ordered[: cut.limit + 1])


def _beyond(names: Sequence[str], key: Key, comparison: str) -> Q:
    """(a, b) > (x, y) as a > x or (a = x and b > y)."""
    first = Q(**{f"{names[0]}__{comparison}": key[0]})
    if len(names) == 1:
        return first
    return first | (Q(**{names[0]: key[0]}) & _beyond(names[1:], key[1:], comparison))


def _visible_gpus(teams: TeamScope) -> Collection[int] | None:
    """None: all of them."""
    return None if teams.fleet else ports.held_gpu_ids(teams.team_ids)


def _through(path: str, visible: Collection[int] | None) -> Q | None:
    return None if visible is None else Q(**{f"{path}__in": visible})


def _gpu_row(row: Gpu) -> GpuRow:
    return GpuRow(
        uuid=row.uuid,
        model=row.model,
        cluster=row.node.cluster.name if row.node else None,
        node=row.node.name if row.node else None,
        device_index=row.device_index,
        memory_mib=row.memory_mib,
        slices=row.slices,
        mig_slices=[
            MigSliceRow(part.gi_id, part.profile, part.slices, part.last_sample_at) for part in row.mig_slices.all()
        ],
        first_sample_at=row.first_sample_at,
        last_sample_at=row.last_sample_at,
        retired_at=row.retired_at,
    )


def _team_row(row: Team, teams: TeamScope) -> TeamRow:
    parent = row.parent if row.parent and teams.allows(row.parent.pk) else None
    members = sorted((MemberRow(entry.user.username, entry.role) for entry in row.memberships.all()), key=_by_user)
    return TeamRow(row.slug, row.name, row.cost_center, parent.slug if parent else None, members)


def _by_user(row: MemberRow) -> str:
    return row.user


def _source_row(row: Source, now: datetime) -> SourceRow:
    lag = (now - row.watermark_at).total_seconds() if row.watermark_at else None
    return SourceRow(
        name=row.name,
        kind=row.kind,
        cluster=row.cluster.name if row.cluster else None,
        enabled=row.enabled,
        watermark_at=row.watermark_at,
        lag_seconds=lag,
        last_attempt_at=row.last_attempt_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )
