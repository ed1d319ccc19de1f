"""What an incident cost: the GPU-hours of the machines that it concerns, counted from our own facts, with their price.

What was not measured is told apart: hours that nobody knows about, and models without a price.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Gpu
from fleetledger.lib.buckets import BUCKET, HOUR, MICROSECOND, Window, ceil, floor
from monitoring.alerts.affected import GPU_LABELS, NODE_LABELS
from monitoring.availability.models import ComponentKind, Incident
from monitoring.telemetry import reads, reads_gpus

US_PER_HOUR = HOUR // MICROSECOND
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Cost:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Impact:
    """Of [from_at, until_at), in whole steps of our facts. Times in GPU-microseconds.

    `gpu_us` = `allocated_us` (somebody held them: their work was hurt) + `unallocated_us` + `unknown_us` (no facts).
    Without fleet scope it is what the reader's teams held there, and what they do not see is None.
    `costs` holds `gpu_us` at the price of each model at the end; `unpriced` are models without one.
    """

    places: tuple[str, ...]
    from_at: datetime
    until_at: datetime
    scope: str
    gpus: int
    gpu_us: int
    allocated_us: int
    unallocated_us: int | None
    unknown_us: int | None
    costs: tuple[Cost, ...]
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of one GPU."""

    model: str
    gpu_us: int
    allocated_us: int
    unallocated_us: int = 0


def impact(incident: Incident, now: datetime, *, teams: TeamScope) -> Impact | None:
    """None where neither an alert nor a component names a machine that this reader may see."""
    places, rows = _machines(incident)
    window = _window(incident, now)
    lived = {row.uuid: (row, us) for row in rows if (us := _existence(row, window)) > 0}
    parts = _whole(lived, window) if teams.fleet else _own(lived, window, teams)
    if not parts:
        return None
    gpu_us, allocated = sum(part.gpu_us for part in parts), sum(part.allocated_us for part in parts)
    unallocated = sum(part.unallocated_us for part in parts)
    costs, unpriced = _costs(parts, window.end)
    return Impact(
        places=tuple(sorted(places)),
        from_at=window.start,
        until_at=window.end,
        scope="fleet" if teams.fleet else "teams",
        gpus=len(parts),
        gpu_us=gpu_us,
        allocated_us=allocated,
        unallocated_us=unallocated if teams.fleet else None,
        unknown_us=gpu_us - allocated - unallocated if teams.fleet else None,
        costs=costs,
        unpriced=unpriced,
    )


def _window(incident: Incident, now: datetime) -> Window:
    """From when it began until it was mitigated (resolved, now), widened to the steps that are kept."""
    begins = [incident.opened_at, *incident.alerts.values_list("started_at", flat=True)]
    end = incident.mitigated_at or incident.resolved_at or now
    start = max(min(begins), end - LONGEST)
    oldest = reads.oldest_fact_at()
    step = BUCKET if oldest is None or start >= oldest else HOUR
    return Window(floor(start, step), ceil(max(end, start), step))


def _machines(incident: Incident) -> tuple[set[str], list[Gpu]]:
    """The places in words, and their GPUs."""
    wanted = Q(pk__in=[])
    places: set[str] = set()
    for labels in incident.alerts.values_list("labels", flat=True):
        found = _of_labels(labels)
        if found:
            places.add(found[0])
            wanted |= found[1]
    for component in incident.components.filter(kind__in=[ComponentKind.CLUSTER, ComponentKind.NODE]):
        field = "node__cluster__name" if component.kind == ComponentKind.CLUSTER else "node__name"
        places.add(f"{component.kind} {component.name}")
        wanted |= Q(**{field: component.name})
    return places, list(Gpu.objects.filter(wanted).order_by("uuid"))


def _of_labels(labels: Mapping[str, str]) -> tuple[str, Q] | None:
    uuid = next((labels[name] for name in GPU_LABELS if labels.get(name)), "")
    if uuid:
        return f"GPU {uuid[:12]}", Q(uuid=uuid)
    node = next((labels[name] for name in NODE_LABELS if labels.get(name)), "")
    cluster = labels.get("cluster", "")
    here = Q(node__cluster__name=cluster) if cluster else Q()
    if node:
        return f"node {node}", here & Q(node__name=node)
    return (f"cluster {cluster}", here) if cluster else None


def _existence(row: Gpu, window: Window) -> int:
    """For how long it existed within the window."""
    if row.first_sample_at is None:
        return 0
    start, end = max(row.first_sample_at, window.start), min(row.retired_at or window.end, window.end)
    return max((end - start) // MICROSECOND, 0)


def _whole(lived: Mapping[str, tuple[Gpu, int]], window: Window) -> list[_Part]:
    used = {row.uuid: row for row in reads_gpus.gpus(window, teams=TeamScope.everything())} if lived else {}
    found = []
    for uuid, (row, us) in lived.items():
        use = used.get(uuid)
        allocated, unallocated = (use.allocated_us, use.unallocated_us) if use else (0, 0)
        found.append(_Part(row.model, max(us, allocated + unallocated), allocated, unallocated))
    return found


def _own(lived: Mapping[str, tuple[Gpu, int]], window: Window, teams: TeamScope) -> list[_Part]:
    """What the reader's own teams held."""
    rows = reads.usage(window, group_by=reads.GroupBy.GPU, teams=teams).rows if lived else ()
    held = {row.group: row.allocated_us for row in rows if row.group in lived}
    return [_Part(lived[uuid][0].model, us, us) for uuid, us in held.items() if us]


def _costs(parts: Sequence[_Part], at: datetime) -> tuple[tuple[Cost, ...], tuple[str, ...]]:
    hours: dict[str, int] = defaultdict(int)
    for part in parts:
        hours[part.model] += part.gpu_us
    prices = ports.gpu_hour_prices(list(hours), at)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for model, price in prices.items():
        sums[price.currency] += price.amount * hours[model] / US_PER_HOUR
    costs = tuple(Cost(amount, currency) for currency, amount in sorted(sums.items()))
    return costs, _without(prices, hours)


def _without(prices: Mapping[str, ports.HourPrice], models: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(model or "unknown model" for model in models if model not in prices))
