"""From a label set to the unit it speaks of, its device, its holder and the replica that scraped it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitoring.telemetry.sources.readings import Device, Holder, UnitKey

Labels = Mapping[str, str]

BARE_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
EXPORTER_POD = re.compile(
    r"(^|[-_.])(dcgm[-_]?exporter|nvidia[-_](gpu|smi)[-_]exporter|gpu[-_]exporter|all-smi)([-_.]|$)"
)
UUID_LABELS = ("UUID", "uuid", "gpu_uuid")
INDEX_LABELS = ("index", "gpu", "minor_number", "gpu_index")
MODEL_LABELS = ("modelName", "model_name", "gpu_name", "name")
NODE_LABELS = ("exported_node", "node", "kubernetes_node", "Hostname", "exported_hostname", "hostname")
HOST_LABELS = ("exported_instance", "instance")
POD_NAMES = ("pod", "pod_name")
NAMESPACE_NAMES = ("namespace", "pod_namespace")
CONTAINER_NAMES = ("container", "container_name")
HOLDER_MARKS = tuple(f"exported_{name}" for name in (*POD_NAMES, *NAMESPACE_NAMES, *CONTAINER_NAMES))


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Which labels mean what at this source; `exporter_pods` adds names of pods that are exporters."""

    replica_labels: tuple[str, ...] = ()
    class_label: str = ""
    owner_label: str = ""
    exporter_pods: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one label set speaks of."""

    unit: UnitKey
    profile: str
    device: Device
    holder: Holder | None
    replica: str


def subject(labels: Labels, options: LabelOptions, *, renamed: bool = False) -> Subject | None:
    """What these labels speak of; None where they name no GPU.

    `renamed` says that this scrape job writes the workload's labels as exported_X: then a plain pod is the exporter's.
    """
    uuid = _uuid(labels)
    if not uuid:
        return None
    return Subject(
        UnitKey(uuid, _slice_id(labels)),
        labels.get("GPU_I_PROFILE", ""),
        Device(uuid, _model(labels), node_of(labels), _index(labels)),
        holder_of(labels, options, renamed=renamed),
        "/".join(labels[name] for name in options.replica_labels if labels.get(name)),
    )


def writes_exported(labels: Labels) -> bool:
    """Whether the scraper moved the workload's labels aside in this label set."""
    return any(name in labels for name in HOLDER_MARKS)


def holder_of(labels: Labels, options: LabelOptions, *, renamed: bool = False) -> Holder | None:
    """The workload that holds the unit, or None: no pod, an empty one, or the exporter's own."""
    if renamed or writes_exported(labels):
        read = _reader(labels, "exported_{}")
    else:
        read = _reader(labels, "{}")
        if any(_is_exporter(read(names), options) for names in (POD_NAMES, CONTAINER_NAMES)):
            return None
    pod, namespace = read(POD_NAMES), read(NAMESPACE_NAMES)
    job = labels.get("hpc_job") or labels.get("exported_hpc_job", "")
    if not (pod or job):
        return None
    return Holder(
        namespace,
        pod or job,
        _own(labels, options.class_label),
        _own(labels, options.owner_label),
    )


def node_of(labels: Labels) -> str:
    """The node's name: a label that says so, never an exporter's pod, else the host part of the target."""
    for name in NODE_LABELS:
        value = labels.get(name, "")
        if value and not EXPORTER_POD.search(value):
            return value
    return next((host_of(labels[name]) for name in HOST_LABELS if labels.get(name)), "")


def host_of(address: str) -> str:
    """The host of `host:port` or `[v6]:port`."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, port = address.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else address


def _uuid(labels: Labels) -> str:
    value = next((labels[name] for name in UUID_LABELS if labels.get(name)), "")
    return f"GPU-{value.lower()}" if BARE_UUID.fullmatch(value) else value


def _slice_id(labels: Labels) -> int | None:
    value = labels.get("GPU_I_ID", "")
    return int(value) if value.isdecimal() else None


def _model(labels: Labels) -> str:
    named = next((labels[name] for name in MODEL_LABELS if labels.get(name)), "")
    gpu = labels.get("gpu", "")
    return named or ("" if gpu.isdecimal() else gpu)


def _index(labels: Labels) -> str:
    return next((labels[name] for name in INDEX_LABELS if labels.get(name, "").isdecimal()), "")


def _reader(labels: Labels, pattern: str) -> Callable[[tuple[str, ...]], str]:
    def read(names: tuple[str, ...]) -> str:
        keys = (pattern.format(name) for name in names)
        return next((labels[key] for key in keys if labels.get(key)), "")

    return read


def _is_exporter(value: str, options: LabelOptions) -> bool:
    if not value:
        return False
    return bool(
        EXPORTER_POD.search(value) or (options.exporter_pods and re.search(options.exporter_pods, value) is not None)
    )


def _own(labels: Labels, name: str) -> str:
    return labels.get(f"exported_{name}") or labels.get(name, "") if name else ""
