"""The text of exporters: what is stored, what is malformed, and real captures as a whole."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.telemetry.sources.assembly import Assembly
from monitoring.telemetry.sources.exposition import Parser, Sample
from monitoring.telemetry.sources.labels import LabelOptions
from monitoring.telemetry.sources.readings import Batch, Holder, UnitKey

NAME = "DCGM_FI_DEV_GPU_UTIL"
AT_US = 1_795_395_600_000_000


def test_a_line_with_and_without_a_time() -> None:
    scrape = Parser().parse(f'{NAME}{{UUID="a"}} 12\n{NAME}{{UUID="b"}} 13 1795395600123\n')
    assert scrape.samples == [
        Sample(NAME, {"UUID": "a"}, 12.0, None),
        Sample(NAME, {"UUID": "b"}, 13.0, 1_795_395_600_123_000),
    ]


def test_openmetrics_bears_seconds_and_exemplars() -> None:
    scrape = Parser().parse(f'{NAME}{{UUID="a"}} 12 1795395600.5 # {{trace="x"}} 1\n# EOF\n')
    assert scrape.samples == [Sample(NAME, {"UUID": "a"}, 12.0, 1_795_395_600_500_000)]


def test_escapes_and_braces_inside_a_label() -> None:
    scrape = Parser().parse(f'{NAME}{{UUID="a}}b \\"c\\" \\\\ d\\n" , gpu="0",}} 1\n')
    assert scrape.samples == [Sample(NAME, {"UUID": 'a}b "c" \\ d\n', "gpu": "0"}, 1.0, None)]


@pytest.mark.parametrize(
    "line",
    [
        f"{NAME}{{UUID=a}} 1",
        f'{NAME}{{UUID="a" gpu="0"}} 1',
        f'{NAME}{{UUID="a"}}',
        f'{NAME}{{UUID="a"}} x',
        f'{NAME}{{UUID="a"}} 1_000',
        f'{NAME}{{UUID="a"}} 1 2 3',
        f'{NAME}{{UUID="a" 1',
        f"{NAME} <<<NULL>>>",
        '{UUID="a"} 1',
        "<html>",
    ],
)
def test_a_malformed_line_is_counted_and_the_others_stay(line: str) -> None:
    scrape = Parser().parse(f'{NAME}{{UUID="a"}} 1\n{line}\n{NAME}{{UUID="b"}} 2\n')
    assert [sample.value for sample in scrape.samples] == [1.0, 2.0]
    assert scrape.malformed == 1


def test_other_measures_are_read_over() -> None:
    scrape = Parser().parse("# HELP x y\n# TYPE x gauge\nprocess_cpu_seconds_total 3\n\n")
    assert (scrape.samples, scrape.malformed) == ([], 0)


def test_a_series_is_parsed_once() -> None:
    parser = Parser()
    first, second = (parser.parse(f'{NAME}{{UUID="a"}} {value}').samples[0] for value in (1, 2))
    assert first.labels is second.labels


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    lines = [line.strip() for line in text.split("\n")]
    scrape = Parser().parse(text)
    assert scrape.malformed <= sum(1 for line in lines if line and not line.startswith("#"))


def _read(path: Path) -> tuple[Batch, int]:
    scrape = Parser().parse(path.read_text())
    assembly = Assembly(LabelOptions())
    for sample in scrape.samples:
        assembly.add(sample.name, sample.labels, [AT_US], [sample.value])
    return assembly.finish(), scrape.malformed


CAPTURES = {
    "all-smi__metrics": (0, 0, 0, 0, 0),
    "all-smi__src_api_metrics_runtime.rs": (0, 0, 0, 0, 4),
    "all-smi__src_network_metrics_parser.rs": (3, 3, 0, 6, 1),
    "all-smi__tests_cpu_model_test.rs": (0, 0, 0, 0, 0),
    "cloud-native-docs__gpu-telemetry_dcgm-exporter.rst": (2, 3, 0, 17, 0),
    "dcgm-exporter__README.md": (1, 1, 0, 2, 0),
    "fake-gpu-operator__design_samples_lt2.9_fraction_metrics_1_workload.ini": (2, 2, 1, 24, 0),
    "fake-gpu-operator__design_samples_lt2.9_mig_metrics_4_Active_Workloads.ini": (1, 4, 0, 44, 0),
    "fake-gpu-operator__design_samples_lt2.9_mig_metrics_Active_1g.5gb.ini": (1, 1, 0, 11, 0),
    "fake-gpu-operator__design_samples_lt2.9_mig_metrics_Empty_mig_disabled.ini": (1, 1, 0, 12, 0),
    "fake-gpu-operator__design_samples_lt2.9_mig_metrics_Emtpy_MIG_enabled.ini": (1, 1, 0, 9, 0),
    "fake-gpu-operator__design_samples_lt2.9_mig_metrics_Idle_1g.5gb_allocated.ini": (1, 1, 0, 11, 0),
    "gpu-monitoring-tools__README.md": (1, 1, 0, 2, 0),
    "label_remap_datadog": (1, 1, 1, 1, 0),
    "nvidia_gpu_exporter__linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01__load": (1, 1, 0, 9, 0),
    "nvidia_gpu_exporter__linux-x86_64__nvidia-h100-mig__590.48.01__load": (1, 1, 0, 8, 0),
    "nvidia_gpu_exporter__linux-x86_64__nvidia-l40s__595.80__load": (1, 1, 0, 9, 0),
}
"""Per capture: GPUs, units, units with a holder, series, malformed lines."""


@pytest.mark.conformance
def test_every_capture_gives_its_units_and_nothing_else(shared_data: Path) -> None:
    found = {}
    for path in sorted((shared_data / "dcgm" / "captures").glob("*.prom")):
        batch, malformed = _read(path)
        units = {series.unit for series in batch.series}
        held = {series.unit for series in batch.series if series.holder}
        found[path.stem] = (len(batch.devices), len(units), len(held), len(batch.series), malformed)
    assert found == CAPTURES


@pytest.mark.conformance
def test_four_slices_at_work_are_four_units_of_one_gpu(shared_data: Path) -> None:
    name = "fake-gpu-operator__design_samples_lt2.9_mig_metrics_4_Active_Workloads.ini.prom"
    batch, _ = _read(shared_data / "dcgm" / "captures" / name)
    uuid = "GPU-473571f2-fb37-ef7e-50fe-9885b74a23cd"
    profiles = {(series.unit, series.profile) for series in batch.series}
    assert profiles == {
        (UnitKey(uuid, 5), "2g.10gb"),
        *((UnitKey(uuid, slice_id), "1g.5gb") for slice_id in (7, 8, 9)),
    }


@pytest.mark.conformance
def test_process_labels_beside_the_pod_do_not_hide_the_holder(shared_data: Path) -> None:
    batch, _ = _read(shared_data / "dcgm" / "captures" / "label_remap_datadog.prom")
    assert Counter(series.holder for series in batch.series) == {Holder("foo", "bar"): 1}


@pytest.mark.conformance
def test_an_h100_read_through_nvidia_smi_bears_its_model(shared_data: Path) -> None:
    name = "nvidia_gpu_exporter__linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01__load.prom"
    batch, _ = _read(shared_data / "dcgm" / "captures" / name)
    assert {device.model for device in batch.devices.values()} == {"NVIDIA H100 80GB HBM3"}
    assert {series.field.value: series.values[0] for series in batch.series} == {
        "fb_free": 61263.0,
        "fb_reserved": 479.0,
        "fb_used": 19818.0,
        "mem_clock": 2619.0,
        "power": 631.95,
        "sm_clock": 1980.0,
        "temp": 59.0,
        "throttle": 0.0,
        "util": 100.0,
    }
