"""Applies and exports `clusters` and `nodes`. What the file does not name stays; a key it leaves out stays as it is."""

from collections.abc import Sequence
from typing import Any

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.fleet.models import Cluster, Node

Items = Sequence[dict[str, Any]]


def apply_clusters(items: Items, plan: Plan) -> None:
    stored = {row.name: row for row in Cluster.objects.all()}
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item["name"]
        if name in seen:
            plan.refuse(("clusters", index, "name"), f"The cluster '{name}' stands twice.")
            continue
        seen.add(name)
        values: dict[str, Any] = {key: item[key] or "" for key in ("provider", "region") if key in item}
        save(plan, "cluster", name, stored.get(name) or Cluster(name=name), values)
    notes.kept(plan, "clusters", set(stored) - seen)


def export_clusters() -> list[dict[str, Any]]:
    rows = Cluster.objects.all()
    return [_filled({"name": row.name, "provider": row.provider, "region": row.region}) for row in rows]


def apply_nodes(items: Items, plan: Plan) -> None:
    stored = {(row.cluster.name, row.name): row for row in Node.objects.select_related("cluster")}
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(items):
        key = (item["cluster"], item["name"])
        if key in seen:
            plan.refuse(("nodes", index, "name"), f"The node '{key[1]}' stands twice in the cluster '{key[0]}'.")
            continue
        seen.add(key)
        row = stored.get(key) or Node(name=key[1], cluster=cluster_named(key[0], plan))
        values: dict[str, Any] = {"declared": True}
        if "provider_id" in item:
            values["provider_id"] = item["provider_id"] or ""
        if "gpus" in item:
            values["gpus"] = item["gpus"]
        save(plan, "node", f"{key[0]}/{key[1]}", row, values)
    absent = [
        f"{cluster}/{name}" for (cluster, name), row in stored.items() if row.declared and (cluster, name) not in seen
    ]
    notes.kept(plan, "nodes", ["/".join(key) for key in absent])


def export_nodes() -> list[dict[str, Any]]:
    """The nodes that the configuration named; those only seen in telemetry come back by themselves."""
    rows = Node.objects.filter(declared=True).select_related("cluster").order_by("cluster__name", "name")
    return [
        _filled({"name": row.name, "cluster": row.cluster.name, "provider_id": row.provider_id, "gpus": row.gpus})
        for row in rows
    ]


def cluster_named(name: str, plan: Plan) -> Cluster:
    """The cluster of this name; one that no `clusters` names is made, and shown as a change."""
    row = Cluster.objects.filter(name=name).first()
    if row is None:
        row = Cluster(name=name)
        save(plan, "cluster", name, row, {})
    return row


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None)}
