"""Turns the names in readings into rows: nodes, GPUs, MIG instances, units and workloads, each found or made once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from fleetledger.fleet.models import Cluster, Gpu, MigSlice, Node, Source, Workload
from fleetledger.lib.buckets import from_us
from monitoring.telemetry.models import Unit
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Series, UnitKey

UNPLACED = "unplaced"
A30_SLICES = 4
_MEMORY = frozenset({Field.FB_USED, Field.FB_FREE, Field.FB_RESERVED})
SLICE_GONE = timedelta(hours=2)  # a slice that was not seen for so long was taken apart


@dataclass(frozen=True, slots=True)
class Span:
    """First and last sample of something in a batch, in microseconds."""

    first_us: int
    last_us: int


@dataclass(slots=True)
class Inventory:
    """Ids of what a source's readings name. GPUs by UUID; workloads by holder; units by key."""

    source: Source
    cluster: Cluster
    gpus: dict[str, Gpu]
    nodes: dict[str, Node]
    slices: dict[str, list[MigSlice]] = field(default_factory=dict)
    units: dict[tuple[int, int | None], int] = field(default_factory=dict)
    workloads: dict[Holder, int] = field(default_factory=dict)

    @classmethod
    def load(cls, source: Source) -> "Inventory":
        """Everything the source has shown so far; four queries."""
        cluster = source.cluster or Cluster.objects.get_or_create(name=UNPLACED)[0]
        gpus = {gpu.uuid: gpu for gpu in Gpu.objects.filter(source=source).select_related("node")}
        found = cls(source, cluster, gpus, {node.name: node for node in Node.objects.filter(cluster=cluster)})
        for mig in MigSlice.objects.filter(gpu__source=source).select_related("gpu"):
            found.slices.setdefault(mig.gpu.uuid, []).append(mig)
        found.units = {
            (gpu_id, gi_id): pk
            for pk, gpu_id, gi_id in Unit.objects.filter(gpu__source=source).values_list("pk", "gpu_id", "gi_id")
        }
        return found

    def learn(self, batch: Batch) -> None:
        """Make what the batch names and is not known yet; move first and last sample."""
        spans = _spans((one.unit.uuid, one.times) for one in batch.series)
        self._learn_nodes(batch, spans)
        self._learn_gpus(batch.devices, spans, _memory(batch.series))
        self._learn_slices(batch)
        self.learn_workloads({one.holder for one in batch.series if one.holder is not None})

    def unit_id(self, key: UnitKey) -> int:
        """The unit's id, made where it is new."""
        gpu = self.gpus[key.uuid]
        if (gpu.pk, key.gi_id) not in self.units:
            unit, _ = Unit.objects.get_or_create(gpu=gpu, gi_id=key.gi_id)
            self.units[gpu.pk, key.gi_id] = unit.pk
        return self.units[gpu.pk, key.gi_id]

    def known_slices(self, uuid: str, at: datetime) -> dict[int, int]:
        """gi_id -> compute slices of the instances seen by `at` and not long gone, the latest seen last."""
        known = [
            mig for mig in self.slices.get(uuid, []) if mig.first_sample_at <= at <= mig.last_sample_at + SLICE_GONE
        ]
        return {mig.gi_id: mig.slices for mig in sorted(known, key=lambda mig: mig.last_sample_at)}

    def _learn_nodes(self, batch: Batch, spans: Mapping[str, Span]) -> None:
        last: dict[str, int] = {}
        for device in batch.devices.values():
            if device.node and device.uuid in spans:
                last[device.node] = max(last.get(device.node, 0), spans[device.uuid].last_us)
        for name in sorted((last.keys() | batch.nodes.keys()) - self.nodes.keys()):
            self.nodes[name], _ = Node.objects.get_or_create(cluster=self.cluster, name=name)
        for name, provider_id in batch.nodes.items():
            node = self.nodes[name]
            if provider_id and not node.provider_id:
                node.provider_id = provider_id
                node.save(update_fields=["provider_id"])
        for name, last_us in last.items():
            node = self.nodes[name]
            if node.last_sample_at is None or node.last_sample_at < from_us(last_us):
                node.last_sample_at = from_us(last_us)
        Node.objects.bulk_update([self.nodes[name] for name in last], ["last_sample_at"], batch_size=500)

    def _learn_gpus(self, devices: Mapping[str, Device], spans: Mapping[str, Span], memory: Mapping[str, int]) -> None:
        new = [uuid for uuid in spans if uuid not in self.gpus]
        if new:
            self._adopt(new, devices)
        changed = []
        for uuid, span in spans.items():
            gpu, device = self.gpus[uuid], devices.get(uuid)
            first, last = from_us(span.first_us), from_us(span.last_us)
            before = (gpu.first_sample_at, gpu.last_sample_at, gpu.node_id, gpu.model, gpu.memory_mib)
            gpu.memory_mib = memory.get(uuid, gpu.memory_mib)
            is_newest = gpu.last_sample_at is None or last >= gpu.last_sample_at
            gpu.first_sample_at = min(first, gpu.first_sample_at or first)
            gpu.last_sample_at = max(last, gpu.last_sample_at or last)
            if device is not None and is_newest:
                gpu.model = device.model or gpu.model
                gpu.device_index = device.device_index or gpu.device_index
                gpu.node = self.nodes.get(device.node) or gpu.node
                gpu.slices = A30_SLICES if "A30" in gpu.model.split() or "NVIDIA A30" in gpu.model else gpu.slices
            if before != (gpu.first_sample_at, gpu.last_sample_at, gpu.node_id, gpu.model, gpu.memory_mib):
                changed.append(gpu)
        fields = ["first_sample_at", "last_sample_at", "node", "model", "device_index", "slices", "memory_mib"]
        Gpu.objects.bulk_update(changed, fields, batch_size=500)

    def _adopt(self, uuids: list[str], devices: Mapping[str, Device]) -> None:
        """Make GPUs; one that another source showed before moves to this one."""
        Gpu.objects.bulk_create(
            [Gpu(uuid=uuid, model=devices[uuid].model if uuid in devices else "") for uuid in uuids],
            ignore_conflicts=True,
        )
        Gpu.objects.filter(uuid__in=uuids).update(source=self.source)
        for gpu in Gpu.objects.filter(uuid__in=uuids).select_related("node"):
            self.gpus[gpu.uuid] = gpu
        Unit.objects.bulk_create([Unit(gpu=self.gpus[uuid]) for uuid in uuids], ignore_conflicts=True)
        units = Unit.objects.filter(gpu__uuid__in=uuids).values_list("pk", "gpu_id", "gi_id")
        self.units |= {(gpu_id, gi_id): pk for pk, gpu_id, gi_id in units}

    def _learn_slices(self, batch: Batch) -> None:
        seen: dict[tuple[str, int, str], Span] = {}
        for one in batch.series:
            if one.unit.gi_id is not None and one.times:
                key = (one.unit.uuid, one.unit.gi_id, one.profile)
                old = seen.get(key, Span(one.times[0], one.times[-1]))
                seen[key] = Span(min(old.first_us, one.times[0]), max(old.last_us, one.times[-1]))
        known = {(uuid, mig.gi_id, mig.profile): mig for uuid, migs in self.slices.items() for mig in migs}
        for (uuid, gi_id, profile), span in seen.items():
            first, last = from_us(span.first_us), from_us(span.last_us)
            mig = known.get((uuid, gi_id, profile))
            if mig is None:
                mig, _ = MigSlice.objects.get_or_create(
                    gpu=self.gpus[uuid],
                    gi_id=gi_id,
                    profile=profile,
                    defaults={"slices": _slices_of(profile), "first_sample_at": first, "last_sample_at": last},
                )
                self.slices.setdefault(uuid, []).append(mig)
            if first < mig.first_sample_at or last > mig.last_sample_at:
                MigSlice.objects.filter(pk=mig.pk).update(
                    first_sample_at=Least(F("first_sample_at"), first),
                    last_sample_at=Greatest(F("last_sample_at"), last),
                )
                mig.first_sample_at, mig.last_sample_at = min(first, mig.first_sample_at), max(last, mig.last_sample_at)

    def learn_workloads(self, holders: set[Holder]) -> None:
        new = holders - self.workloads.keys()
        if not new:
            return
        for again in (False, True):
            wanted = Q()
            for holder in new:
                wanted |= Q(namespace=holder.namespace, name=holder.workload)
            for workload in Workload.objects.filter(wanted, cluster=self.cluster):
                for holder in new:
                    if (holder.namespace, holder.workload) == (workload.namespace, workload.name):
                        self.workloads[holder] = workload.pk
            missing = [holder for holder in new if holder not in self.workloads]
            if again or not missing:
                return
            Workload.objects.bulk_create(
                [
                    Workload(
                        cluster=self.cluster,
                        namespace=holder.namespace,
                        name=holder.workload,
                        kind=holder.kind,
                        owner=holder.owner,
                    )
                    for holder in missing
                ],
                ignore_conflicts=True,
            )


def _memory(rows: Iterable[Series]) -> dict[str, int]:
    """Each whole GPU's memory in MiB: used + free + reserved (where that is told) of the last samples."""
    parts: dict[str, dict[Field, float]] = {}
    for row in rows:
        if row.field in _MEMORY and row.unit.gi_id is None and row.values and row.values[-1] == row.values[-1]:
            parts.setdefault(row.unit.uuid, {})[row.field] = row.values[-1]
    return {
        uuid: round(sum(found.values()))
        for uuid, found in parts.items()
        if Field.FB_USED in found and Field.FB_FREE in found
    }


def _spans(items: Iterable[tuple[str, list[int]]]) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    for uuid, times in items:
        if times:
            old = spans.get(uuid, Span(times[0], times[-1]))
            spans[uuid] = Span(min(old.first_us, times[0]), max(old.last_us, times[-1]))
    return spans


def _slices_of(profile: str) -> int:
    """The leading number of a profile such as 3g.40gb; 1c.3g.40gb is a compute part of three slices."""
    for part in profile.split("."):
        if part.endswith("g") and part[:-1].isdigit():
            return max(1, int(part[:-1]))
    return 1
