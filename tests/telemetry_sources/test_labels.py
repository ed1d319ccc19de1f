"""Label sets fork from one exporter to the next; the unit, the node and the holder must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.telemetry.sources.labels import LabelOptions, host_of, node_of, subject
from monitoring.telemetry.sources.readings import Device, Holder, UnitKey

NONE = LabelOptions()
UUID = "GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52"
SCRAPED = {
    "gpu": "3",
    "UUID": UUID,
    "device": "nvidia3",
    "modelName": "NVIDIA H100 80GB HBM3",
    "Hostname": "node-a",
    "instance": "10.0.0.7:9400",
    "namespace": "gpu-operator",
    "pod": "nvidia-dcgm-exporter-x7kpq",
}
HELD = SCRAPED | {"exported_namespace": "team-a", "exported_pod": "train-0", "exported_container": "main"}


def test_the_workload_is_read_from_the_exported_labels() -> None:
    found = subject(HELD, NONE)
    assert found is not None
    assert found.holder == Holder("team-a", "train-0")
    assert found.device == Device(UUID, "NVIDIA H100 80GB HBM3", "node-a", "3")
    assert (found.unit, found.profile, found.replica) == (UnitKey(UUID, None), "", "")


@pytest.mark.parametrize(
    ("labels", "renamed", "holder"),
    [
        ({"namespace": "team-a", "pod": "train-0", "container": "main"}, False, Holder("team-a", "train-0")),
        ({"namespace": "", "pod": "", "container": ""}, False, None),
        ({}, False, None),
        ({"namespace": "gpu-operator", "pod": "nvidia-dcgm-exporter-x7kpq"}, False, None),
        ({"namespace": "m", "pod": "metrics-x7kpq", "container": "dcgm-exporter"}, False, None),
        ({"namespace": "m", "pod": "metrics-x7kpq"}, True, None),
        ({"exported_pod": "", "exported_namespace": "", "pod": "metrics-x7kpq", "namespace": "m"}, False, None),
        ({"pod_name": "old-0", "pod_namespace": "team-b"}, False, Holder("team-b", "old-0")),
        ({"hpc_job": "4711"}, False, Holder("", "4711")),
    ],
)
def test_the_holder_is_the_workload_and_never_the_exporter(
    labels: dict[str, str], renamed: bool, holder: Holder | None
) -> None:
    found = subject({"UUID": UUID} | labels, NONE, renamed=renamed)
    assert found is not None
    assert found.holder == holder


def test_a_pod_can_be_named_as_an_exporter_by_hand() -> None:
    labels = {"UUID": UUID, "namespace": "m", "pod": "gpu-metrics-x7kpq"}
    found = subject(labels, LabelOptions(exporter_pods="^gpu-metrics-"))
    assert found is not None
    assert found.holder is None


def test_class_owner_and_replica_come_from_the_labels_named() -> None:
    options = LabelOptions(("cluster", "prometheus_replica"), "workload_class", "team")
    found = subject(
        HELD | {"workload_class": "training", "exported_team": "red", "team": "ops", "prometheus_replica": "B"}, options
    )
    assert found is not None
    assert found.holder == Holder("team-a", "train-0", "training", "red")
    assert found.replica == "B"


@pytest.mark.parametrize(
    ("labels", "node"),
    [
        ({"Hostname": "node-a", "instance": "10.0.0.7:9400"}, "node-a"),
        ({"hostname": "node-a"}, "node-a"),
        ({"Hostname": "nvidia-dcgm-exporter-s228n", "instance": "10.0.0.7:9400"}, "10.0.0.7"),
        ({"Hostname": "nvidia-dcgm-exporter-s228n", "node": "node-a"}, "node-a"),
        ({"Hostname": "nvidia-dcgm-exporter-s228n"}, ""),
        ({"exported_instance": "node-0058", "instance": "10.0.0.7:9090"}, "node-0058"),
    ],
)
def test_a_node_is_a_node_and_not_the_exporters_pod(labels: dict[str, str], node: str) -> None:
    assert node_of(labels) == node


@pytest.mark.parametrize(
    ("address", "host"),
    [("node-a:9400", "node-a"), ("[fd00::7]:9400", "fd00::7"), ("fd00::7", "fd00::7"), ("node-a", "node-a")],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


def test_a_slice_is_a_unit_of_its_own() -> None:
    found = subject(SCRAPED | {"GPU_I_ID": "7", "GPU_I_PROFILE": "1g.5gb"}, NONE)
    assert found is not None
    assert (found.unit, found.profile) == (UnitKey(UUID, 7), "1g.5gb")


def test_the_device_stands_before_its_slices_in_order() -> None:
    units = [UnitKey("GPU-b", None), UnitKey("GPU-a", 10), UnitKey("GPU-a", 2), UnitKey("GPU-a", None)]
    assert sorted(units) == [UnitKey("GPU-a", None), UnitKey("GPU-a", 2), UnitKey("GPU-a", 10), UnitKey("GPU-b", None)]


def test_labels_without_a_uuid_speak_of_no_gpu() -> None:
    assert subject({"gpu": "0"}, NONE) is None


@pytest.mark.parametrize(
    ("labels", "model"),
    [({"uuid": "u", "gpu": "NVIDIA H200", "index": "1"}, "NVIDIA H200"), ({"uuid": "u", "name": "L40S"}, "L40S")],
)
def test_the_model_is_found_under_other_exporters_names(labels: dict[str, str], model: str) -> None:
    found = subject(labels, NONE)
    assert found is not None
    assert found.device.model == model


@given(st.uuids())
def test_a_uuid_without_its_prefix_is_the_same_gpu(uuid: object) -> None:
    bare, whole = subject({"uuid": str(uuid).upper()}, NONE), subject({"UUID": f"GPU-{uuid}"}, NONE)
    assert bare is not None
    assert whole is not None
    assert bare.unit == whole.unit
