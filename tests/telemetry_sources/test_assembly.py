"""One batch from many label sets: merged by unit, in our units, with what cannot be true set aside."""

from math import isnan

from monitoring.telemetry.sources.assembly import Assembly
from monitoring.telemetry.sources.labels import LabelOptions
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Rejected, UnitKey

UUID = "GPU-00000001-0000-0000-0000-000000000000"
UNIT = UnitKey(UUID, None)
LABELS = {"UUID": UUID, "gpu": "0", "modelName": "NVIDIA H100 80GB HBM3"}
UTIL, POWER = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE"


def _assembled(*series: tuple[str, dict[str, str], list[int], list[float]]) -> Batch:
    assembly = Assembly(LabelOptions())
    for name, labels, times, values in series:
        assembly.add(name, LABELS | labels, times, values)
    return assembly.finish()


def test_a_label_that_changes_its_name_leaves_one_gpu_and_one_series() -> None:
    batch = _assembled(
        (UTIL, {"hostname": "node-a"}, [3, 4], [30.0, 40.0]),
        (UTIL, {"Hostname": "node-a"}, [1, 2, 3], [10.0, 20.0, 30.0]),
    )
    assert [(series.times, series.values) for series in batch.series] == [([1, 2, 3, 4], [10.0, 20.0, 30.0, 40.0])]
    assert batch.devices == {UUID: Device(UUID, "NVIDIA H100 80GB HBM3", "node-a", "0")}


def test_old_and_new_names_of_a_field_are_one_series() -> None:
    batch = _assembled((UTIL, {}, [1, 2], [10.0, 20.0]), ("DCGM_FI_DEV_GPU_UTIL_RATIO", {}, [2, 3], [20.0, 30.0]))
    assert [(series.field, series.times) for series in batch.series] == [(Field.UTIL, [1, 2, 3])]


def test_a_value_that_cannot_be_true_is_nan_and_named() -> None:
    batch = _assembled((UTIL, {}, [1, 2, 3], [50.0, 808334905.0, 50.0]))
    (series,) = batch.series
    assert series.times == [1, 2, 3]
    assert [isnan(value) for value in series.values] == [False, True, False]
    assert batch.rejected == [Rejected(UNIT, Field.UTIL, 2, 808334905.0)]


def test_each_holder_has_its_own_series() -> None:
    batch = _assembled(
        (UTIL, {"exported_namespace": "b", "exported_pod": "y"}, [3], [2.0]),
        (UTIL, {"exported_namespace": "a", "exported_pod": "x"}, [1, 2], [1.0, 1.0]),
        (UTIL, {"namespace": "m", "pod": "metrics-0"}, [4], [0.0]),
    )
    assert [(series.holder, series.times) for series in batch.series] == [
        (None, [4]),
        (Holder("a", "x"), [1, 2]),
        (Holder("b", "y"), [3]),
    ]


def test_an_idle_gpu_of_a_job_that_renames_labels_is_not_held_by_the_exporter() -> None:
    batch = _assembled(
        (UTIL, {"job": "gpu", "exported_pod": "x", "pod": "metrics-0"}, [1], [1.0]),
        (UTIL, {"job": "gpu", "UUID": "GPU-2", "pod": "metrics-0"}, [1], [0.0]),
        (UTIL, {"job": "honest", "UUID": "GPU-3", "pod": "y", "namespace": "b"}, [1], [0.0]),
    )
    assert {series.unit.uuid: series.holder for series in batch.series} == {
        UUID: Holder("", "x"),
        "GPU-2": None,
        "GPU-3": Holder("b", "y"),
    }


def test_a_utilisation_scaled_to_0_1_is_brought_back_and_said() -> None:
    batch = _assembled((UTIL, {}, [1, 2], [0.5, 0.97]), (POWER, {}, [1, 2], [600.0, 610.0]))
    assert [series.values for series in batch.series if series.field is Field.UTIL] == [[50.0, 97.0]]
    assert batch.notes == ["GPU_UTIL arrives as a share of 0-1 here, not as percent: it was multiplied by 100."]


def test_an_idle_gpu_at_one_percent_stays_at_one_percent() -> None:
    batch = _assembled((UTIL, {}, [1, 2], [0.0, 1.0]), (POWER, {}, [1, 2], [600.0, 610.0]))
    assert [series.values for series in batch.series if series.field is Field.UTIL] == [[0.0, 1.0]]
    assert batch.notes == []


def test_series_that_name_no_gpu_are_left_out_and_said() -> None:
    assembly = Assembly(LabelOptions())
    assembly.add(UTIL, {"gpu": "0"}, [1], [1.0])
    batch = assembly.finish()
    assert batch.series == []
    assert batch.notes == [f"1 series of {UTIL} name no GPU (no UUID label) and were left out."]


def test_the_info_series_names_the_model_of_bare_rows() -> None:
    assembly = Assembly(LabelOptions())
    assembly.add("nvidia_smi_temperature_gpu", {"uuid": "x", "instance": "node-a:9835"}, [1], [50.0])
    assembly.add("nvidia_smi_gpu_info", {"uuid": "x", "name": "NVIDIA L40S", "index": "2"}, [1], [1.0])
    assert assembly.finish().devices == {"x": Device("x", "NVIDIA L40S", "node-a", "2")}
