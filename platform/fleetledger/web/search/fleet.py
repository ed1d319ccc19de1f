"""Finds teams, workloads, nodes and GPUs by their names."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from urllib.parse import quote

from django.db.models import Q
from django.utils import timezone

from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Gpu, Node, Team, Workload
from fleetledger.fleet.ownership import Resolver
from fleetledger.web.search.hits import Group, Hit, register

CANDIDATES = 500  # workloads looked at for people who do not see the whole fleet


def teams(query: str, scope: TeamScope, limit: int) -> Group:
    found = Team.objects.filter(Q(name__icontains=query) | Q(slug__icontains=query) | Q(cost_center=query))
    own = found if scope.fleet else found.filter(pk__in=scope.team_ids)
    rows = own[: limit + 1]
    note = "cost centre {}"
    hits = (
        Hit(
            team.name, f"/teams/{team.slug}/", note.format(team.cost_center) if team.cost_center else team.slug, "users"
        )
        for team in rows
    )
    return _group("Teams", hits, limit)


def workloads(query: str, scope: TeamScope, limit: int) -> Group:
    """Workloads by name or namespace, each leading to its team's page."""
    found = Workload.objects.select_related("cluster").filter(Q(name__icontains=query) | Q(namespace__icontains=query))
    owners = Resolver.load()
    slugs = dict(Team.objects.values_list("pk", "slug"))
    now = timezone.now()
    hits = (
        _workload_hit(workload, slugs.get(team_id) if team_id else None)
        for workload in found[:CANDIDATES]
        for team_id in [_owner(owners, workload, now)]
        if scope.allows(team_id)
    )
    return _group("Workloads", hits, limit)


def nodes(query: str, scope: TeamScope, limit: int) -> Group:
    found = Node.objects.select_related("cluster").filter(
        Q(name__icontains=query) | Q(provider_id__icontains=query), retired_at=None
    )
    own = found if scope.fleet else found.filter(gpu_set__in=ports.held_gpu_ids(scope.team_ids)).distinct()
    hits = (
        Hit(
            node.name,
            f"/fleet/nodes/{quote(node.cluster.name, safe='')}/{quote(node.name, safe='')}/",
            node.cluster.name,
            "server",
        )
        for node in own[: limit + 1]
    )
    return _group("Nodes", hits, limit)


def gpus(query: str, scope: TeamScope, limit: int) -> Group:
    """GPUs by UUID or model."""
    found = Gpu.objects.select_related("node").filter(Q(uuid__icontains=query) | Q(model__icontains=query))
    own = found if scope.fleet else found.filter(pk__in=ports.held_gpu_ids(scope.team_ids))
    hits = (
        Hit(gpu.uuid, f"/fleet/gpus/{quote(gpu.uuid, safe='')}/", _gpu_note(gpu), "cpu") for gpu in own[: limit + 1]
    )
    return _group("GPUs", hits, limit)


def register_all() -> None:
    register("teams", teams)
    register("workloads", workloads)
    register("nodes", nodes)
    register("gpus", gpus)


def _group(label: str, hits: Iterable[Hit], limit: int) -> Group:
    shown = tuple(islice(hits, limit + 1))
    return Group(label, shown[:limit], len(shown) > limit)


def _owner(owners: Resolver, workload: Workload, now: datetime) -> int | None:
    return owners.team_for(now, cluster=workload.cluster.name, namespace=workload.namespace, workload=workload.name)


def _workload_hit(workload: Workload, slug: str | None) -> Hit:
    url = f"/teams/{slug}/?q={quote(workload.name)}" if slug else f"/search/?q={quote(workload.name)}"
    owner = slug or "no rule owns it"
    return Hit(workload.name, url, f"{workload.namespace} · {workload.cluster.name} · {owner}", "box")


def _gpu_note(gpu: Gpu) -> str:
    return " · ".join(
        filter(
            None, (gpu.model, gpu.node.name if gpu.node else "", f"GPU {gpu.device_index}" if gpu.device_index else "")
        )
    )
