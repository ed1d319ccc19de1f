"""NVML without a driver, and with a driver that knows some values and not others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.nvml import NO_DRIVER, NO_LIBRARY, NvmlSource
from monitoring.telemetry.sources.readings import Batch, Device, Field, Rejected, Series, UnitKey

AT_US = 1_795_395_600_000_000
MIB = 1024 * 1024
WHOLE, SLICED = UnitKey("GPU-whole", None), UnitKey("GPU-sliced", None)
SLICE = UnitKey("GPU-sliced", 7)
NAMES = {"whole": "Tesla T4", "sliced": "NVIDIA A100-SXM4-40GB", "slice": "NVIDIA A100-SXM4-40GB MIG 1g.5gb"}
SUPPORTED = pynvml.NVML_SUCCESS
UNSUPPORTED = pynvml.NVML_ERROR_NOT_SUPPORTED


def _giving(value: Any) -> Callable[..., Any]:
    """A function that gives this, whatever it is asked."""
    return lambda *_, **__: value


def _not_supported() -> Any:
    return pynvml.NVMLError(UNSUPPORTED)


def _fields(handle: str, numbers: list[int]) -> list[SimpleNamespace]:
    """Energy on both boards; power as a field value on the sliced one alone."""
    kind = pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
    energy = SimpleNamespace(nvmlReturn=SUPPORTED, valueType=kind, value=SimpleNamespace(ullVal=9_022_652))
    code = SUPPORTED if handle == "sliced" else UNSUPPORTED
    power = SimpleNamespace(
        nvmlReturn=code, valueType=pynvml.NVML_VALUE_TYPE_UNSIGNED_INT, value=SimpleNamespace(uiVal=75_690)
    )
    answers = {pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION: energy, pynvml.NVML_FI_DEV_POWER_AVERAGE: power}
    return [answers[number] for number in numbers]


def _rates(handle: str) -> SimpleNamespace:
    if handle == "sliced":
        raise _not_supported()
    return SimpleNamespace(gpu=40, memory=10)


def _mig_mode(handle: str) -> tuple[int, int]:
    if handle == "whole":
        raise _not_supported()
    return (1, 1)


def _slice(handle: str, place: int) -> str:
    if place:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
    return "slice"


def _memory(handle: str, version: object) -> SimpleNamespace:
    if handle == "slice":
        raise _not_supported()
    return SimpleNamespace(used=100 * MIB, free=200 * MIB, reserved=3 * MIB)


def _clock(handle: str, which: int) -> int:
    return 1410 if which == pynvml.NVML_CLOCK_SM else 2**63 - 14


def _reasons(handle: str) -> int:
    raise _not_supported()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A T4 without MIG beside an A100 with one slice."""
    functions: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: ("whole", "sliced")[index],
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}".encode(),
        "nvmlDeviceGetName": lambda handle: NAMES[handle],
        "nvmlDeviceGetFieldValues": _fields,
        "nvmlDeviceGetPowerUsage": _giving(28_722),
        "nvmlDeviceGetUtilizationRates": _rates,
        "nvmlDeviceGetTemperature": _giving(55),
        "nvmlDeviceGetClockInfo": _clock,
        "nvmlDeviceGetCurrentClocksEventReasons": _reasons,
        "nvmlDeviceGetMemoryInfo": _memory,
        "nvmlDeviceGetMigMode": _mig_mode,
        "nvmlDeviceGetMaxMigDeviceCount": _giving(7),
        "nvmlDeviceGetMigDeviceHandleByIndex": _slice,
        "nvmlDeviceGetGpuInstanceId": _giving(7),
    }
    for name, function in functions.items():
        monkeypatch.setattr(pynvml, name, function)


def _values(batch: Batch, unit: UnitKey) -> dict[str, float]:
    return {series.field.value: series.values[0] for series in batch.series if series.unit == unit}


def test_each_value_is_read_in_our_units(driver: None) -> None:
    batch = NvmlSource(node="node-a").scrape(AT_US)
    whole = {"fb_free": 200, "fb_reserved": 3, "fb_used": 100, "energy": 9_022_652, "power": 28.722, "util": 40}
    assert _values(batch, WHOLE) == pytest.approx(
        whole | {"temp": 55, "sm_clock": 1410, "mem_clock": float("nan")}, nan_ok=True
    )
    assert batch.devices == {
        "GPU-whole": Device("GPU-whole", "Tesla T4", "node-a", "0"),
        "GPU-sliced": Device("GPU-sliced", "NVIDIA A100-SXM4-40GB", "node-a", "1"),
    }
    assert [series for series in batch.series if series.field is Field.UTIL] == [
        Series(WHOLE, "", Field.UTIL, "", None, [AT_US], [40.0])
    ]


def test_what_is_unavailable_is_absent_with_its_reason_and_never_zero(driver: None) -> None:
    batch = NvmlSource(node="node-a").scrape(AT_US)
    assert "util" not in _values(batch, SLICED)
    assert batch.notes == [
        "GPU-whole: throttle unavailable: Not Supported.",
        "GPU-sliced: throttle, util unavailable: Not Supported.",
        "GPU-sliced slice 7: fb_free, fb_reserved, fb_used unavailable: Not Supported.",
    ]


def test_power_is_the_field_value_or_else_the_older_call(driver: None) -> None:
    batch = NvmlSource(node="node-a").scrape(AT_US)
    assert _values(batch, SLICED)["power"] == pytest.approx(75.69)


def test_a_blank_is_rejected(driver: None) -> None:
    batch = NvmlSource(node="node-a").scrape(AT_US)
    assert batch.rejected == [Rejected(unit, Field.MEM_CLOCK, AT_US, float(2**63)) for unit in (WHOLE, SLICED)]


def test_a_slice_is_a_unit_with_its_profile(driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(used=6 * MIB, free=4857 * MIB, reserved=0)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", _giving(memory))
    batch = NvmlSource(node="node-a").scrape(AT_US)
    assert [(series.profile, series.field, series.values) for series in batch.series if series.unit == SLICE] == [
        ("1g.5gb", Field.FB_USED, [6.0]),
        ("1g.5gb", Field.FB_FREE, [4857.0]),
        ("1g.5gb", Field.FB_RESERVED, [0.0]),
    ]


def test_a_gpu_that_fell_off_the_bus_is_missing_and_the_other_counts(
    driver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handle(index: int) -> str:
        if index:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return "whole"

    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", handle)
    batch = NvmlSource(node="node-a").scrape(AT_US)
    assert batch.missing == ["GPU 1 of node-a gave no answer: GPU is lost."]
    assert list(batch.devices) == ["GPU-whole"]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, NO_LIBRARY), (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, NO_DRIVER)],
)
def test_a_machine_without_a_driver_says_so(monkeypatch: pytest.MonkeyPatch, code: int, sentence: str) -> None:
    def init() -> None:
        raise pynvml.NVMLError(code)

    monkeypatch.setattr(pynvml, "nvmlInit", init)
    with pytest.raises(SourceError) as caught:
        NvmlSource(node="node-a").scrape(AT_US)
    assert str(caught.value) == sentence
