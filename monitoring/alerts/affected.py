"""What an alert concerns of the fleet, by its labels: GPUs or a node, with their GPU-hours since and what they cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Gpu

GPU_LABELS = ("UUID", "uuid", "gpu_uuid", "GPU_UUID")
NODE_LABELS = ("node", "Hostname", "hostname", "nodename", "kubernetes_node")


@dataclass(frozen=True, slots=True)
class Affected:
    """`gpu_hours` from the alert's start until its end or now. `amount` is None where a model has no price."""

    what: str
    gpus: int
    gpu_hours: float
    amount: Decimal | None
    currency: str


def affected(labels: Mapping[str, str], start: datetime, end: datetime, *, teams: TeamScope) -> Affected | None:
    """None where no label names something that this reader may see."""
    found = _by_uuid(labels) or _by_node(labels)
    if found is None:
        return None
    what, rows = found
    if not teams.fleet:
        rows = rows.filter(pk__in=ports.held_gpu_ids(teams.team_ids))
    models = Counter(rows.filter(retired_at=None).values_list("model", flat=True))
    if not models:
        return None
    hours = max((end - start).total_seconds(), 0) / 3600
    count = sum(models.values())
    amount, currency = _cost(models, hours, end)
    return Affected(what, count, count * hours, amount, currency)


def _by_uuid(labels: Mapping[str, str]) -> tuple[str, QuerySet[Gpu]] | None:
    uuid = next((labels[name] for name in GPU_LABELS if labels.get(name)), "")
    return (uuid[:12], Gpu.objects.filter(uuid=uuid)) if uuid else None


def _by_node(labels: Mapping[str, str]) -> tuple[str, QuerySet[Gpu]] | None:
    node = next((labels[name] for name in NODE_LABELS if labels.get(name)), "")
    if not node:
        return None
    rows = Gpu.objects.filter(node__name=node)
    cluster, index = labels.get("cluster", ""), labels.get("gpu", "")
    rows = rows.filter(node__cluster__name=cluster) if cluster else rows
    if index.isdecimal():
        return f"GPU {index} of {node}", rows.filter(device_index=index)
    return f"node {node}", rows


def _cost(models: Mapping[str, int], hours: float, at: datetime) -> tuple[Decimal | None, str]:
    prices = ports.gpu_hour_prices(list(models), at)
    currencies = {price.currency for price in prices.values()}
    if len(prices) < len(models) or len(currencies) != 1:
        return None, ""
    (currency,) = currencies
    each = (prices[model].amount * count * Decimal(f"{hours:.6f}") for model, count in models.items())
    return sum(each, Decimal(0)), currency
