"""Reads the GPUs of this machine through NVML: each measure is a value, or unavailable with its reason, never 0."""

import re
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pynvml

from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.fields import valid
from monitoring.telemetry.sources.readings import Batch, Device, Field, Rejected, Series, UnitKey

MIB = 1024 * 1024
MILLI = 0.001
PROFILE = re.compile(r"MIG (\S+)$")
FIELD_VALUES: tuple[tuple[Field, int, float], ...] = (
    (Field.ENERGY, pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, 1.0),
    (Field.POWER, pynvml.NVML_FI_DEV_POWER_AVERAGE, MILLI),
)
UNION: dict[int, str] = {
    pynvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_SHORT: "usVal",
}
NO_LIBRARY = (
    "This machine has no NVIDIA driver library (libnvidia-ml.so.1). Install the NVIDIA driver, "
    "or take the source of kind nvml out of the configuration."
)
NO_DRIVER = "The NVIDIA driver is installed but not loaded. Load it (modprobe nvidia) or restart the machine."
NO_PERMISSION = "This user may not use the NVIDIA driver. Give it access to /dev/nvidia*."


@dataclass(slots=True)
class _Reading:
    """One unit's values, and why others are unavailable: reason -> fields."""

    values: dict[Field, float] = field(default_factory=dict)
    lacking: dict[str, list[Field]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: Field, read: Callable[[], float]) -> None:
        """Keep what `read` gives, or the reason why it gives nothing."""
        try:
            self.values[name] = float(read())
        except pynvml.NVMLError as error:
            self.lacking[str(error)].append(name)


class NvmlSource:
    """The GPUs of the machine we run on."""

    def __init__(self, *, node: str = "") -> None:
        self._node = node or socket.gethostname()

    def scrape(self, at_us: int) -> Batch:
        """One sample of everything; raises SourceError where there is no driver. A GPU that fails is missing."""
        batch = Batch()
        with _driver():
            for index in range(pynvml.nvmlDeviceGetCount()):
                try:
                    self._scrape_device(index, at_us, batch)
                except pynvml.NVMLError as error:
                    batch.missing.append(f"GPU {index} of {self._node} gave no answer: {error}.")
        return batch

    def _scrape_device(self, index: int, at_us: int, batch: Batch) -> None:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        uuid = _text(pynvml.nvmlDeviceGetUUID(handle))
        model = _text(pynvml.nvmlDeviceGetName(handle))
        batch.devices[uuid] = Device(uuid, model, self._node, str(index))
        _keep(batch, UnitKey(uuid, None), "", _read_device(handle), at_us)
        for slice_handle in _slices(handle):
            gi_id = int(pynvml.nvmlDeviceGetGpuInstanceId(slice_handle))
            named = PROFILE.search(_text(pynvml.nvmlDeviceGetName(slice_handle)))
            reading = _Reading()
            _read_memory(slice_handle, reading)
            _keep(batch, UnitKey(uuid, gi_id), named[1] if named else "", reading, at_us)


@contextmanager
def _driver() -> Iterator[None]:
    """NVML started and, afterwards, let go."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise SourceError(_no_driver(error)) from error
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _no_driver(error: Any) -> str:
    sentences = {
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: NO_LIBRARY,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED: NO_DRIVER,
        pynvml.NVML_ERROR_NO_PERMISSION: NO_PERMISSION,
    }
    return sentences.get(error.value, f"The NVIDIA driver gave no answer: {error}. See the machine's kernel log.")


def _read_device(handle: Any) -> _Reading:
    reading = _Reading()
    _read_fields(handle, reading)
    if Field.POWER not in reading.values:
        _forget(reading, Field.POWER)
        reading.take(Field.POWER, lambda: pynvml.nvmlDeviceGetPowerUsage(handle) * MILLI)
    reading.take(Field.UTIL, lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    reading.take(Field.TEMP, lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    reading.take(Field.SM_CLOCK, lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))
    reading.take(Field.MEM_CLOCK, lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_MEM))
    reading.take(Field.THROTTLE, lambda: pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))
    _read_memory(handle, reading)
    return reading


def _read_fields(handle: Any, reading: _Reading) -> None:
    """One call for all of them; each value bears its own return code."""
    try:
        answers = pynvml.nvmlDeviceGetFieldValues(handle, [number for _, number, _ in FIELD_VALUES])
    except pynvml.NVMLError as error:
        reading.lacking[str(error)].extend(name for name, _, _ in FIELD_VALUES)
        return
    for (name, _, factor), answer in zip(FIELD_VALUES, answers, strict=True):
        member = UNION.get(answer.valueType)
        if answer.nvmlReturn != pynvml.NVML_SUCCESS:
            reading.lacking[str(pynvml.NVMLError(answer.nvmlReturn))].append(name)
        elif member is None:
            reading.lacking[f"Unknown value type {answer.valueType}"].append(name)
        else:
            reading.values[name] = float(getattr(answer.value, member)) * factor


def _read_memory(handle: Any, reading: _Reading) -> None:
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
    except pynvml.NVMLError as error:
        reading.lacking[str(error)].extend((Field.FB_USED, Field.FB_FREE, Field.FB_RESERVED))
        return
    reading.values[Field.FB_USED] = memory.used / MIB
    reading.values[Field.FB_FREE] = memory.free / MIB
    reading.values[Field.FB_RESERVED] = memory.reserved / MIB


def _forget(reading: _Reading, name: Field) -> None:
    """A second way to read it is tried: the first reason does not count."""
    for reason in [reason for reason, names in reading.lacking.items() if name in names]:
        reading.lacking[reason].remove(name)


def _slices(handle: Any) -> Iterator[Any]:
    """The handles of the device's MIG slices; none where MIG is off or unknown to the board."""
    try:
        current, _ = pynvml.nvmlDeviceGetMigMode(handle)
        places = pynvml.nvmlDeviceGetMaxMigDeviceCount(handle) if current == pynvml.NVML_DEVICE_MIG_ENABLE else 0
    except pynvml.NVMLError_NotSupported:
        return
    for place in range(places):
        try:
            yield pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)
        except pynvml.NVMLError_NotFound:
            continue


def _keep(batch: Batch, unit: UnitKey, profile: str, reading: _Reading, at_us: int) -> None:
    named = unit.uuid if unit.gi_id is None else f"{unit.uuid} slice {unit.gi_id}"
    for reason, names in sorted(reading.lacking.items()):
        if names:
            batch.notes.append(f"{named}: {', '.join(sorted(names))} unavailable: {reason}.")
    for name, value in reading.values.items():
        kept = value
        if not valid(name, value):
            batch.rejected.append(Rejected(unit, name, at_us, value))
            kept = float("nan")
        batch.series.append(Series(unit, profile, name, "", None, [at_us], [kept]))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
