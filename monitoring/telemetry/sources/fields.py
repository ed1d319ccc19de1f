"""The fields we store: their numbers in DCGM, their names on the wire, their units, and which values can be true."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.telemetry.sources.readings import Field

MIB = 1.0 / (1024 * 1024)
MEGA = 1e-6
PERCENT = 100.0
MILLI = 1000.0


@dataclass(frozen=True, slots=True)
class Stored:
    """One field: its DCGM number, its names there (old, then new), other exporters' names with factors, its range."""

    field: Field
    dcgm_id: int
    dcgm_names: tuple[str, ...]
    low: float
    high: float
    others: tuple[tuple[str, float], ...] = ()


TABLE: tuple[Stored, ...] = (
    Stored(
        Field.GR_ACTIVE,
        1001,
        ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"),
        0,
        1,
    ),
    Stored(
        Field.UTIL,
        203,
        ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL_RATIO"),
        0,
        100,
        (("nvidia_smi_utilization_gpu_ratio", PERCENT), ("all_smi_gpu_utilization", 1)),
    ),
    Stored(Field.SM_ACTIVE, 1002, ("DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_SM_UTIL_RATIO"), 0, 1),
    Stored(Field.TENSOR, 1004, ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_TENSOR_UTIL_RATIO"), 0, 1),
    Stored(Field.DRAM, 1005, ("DCGM_FI_PROF_DRAM_ACTIVE", "DCGM_FI_PROF_DRAM_UTIL_RATIO"), 0, 1),
    Stored(
        Field.FB_USED,
        252,
        ("DCGM_FI_DEV_FB_USED",),
        0,
        4_194_304,
        (("nvidia_smi_memory_used_bytes", MIB), ("all_smi_gpu_memory_used_bytes", MIB)),
    ),
    Stored(Field.FB_FREE, 251, ("DCGM_FI_DEV_FB_FREE",), 0, 4_194_304, (("nvidia_smi_memory_free_bytes", MIB),)),
    Stored(
        Field.FB_RESERVED, 253, ("DCGM_FI_DEV_FB_RESERVED",), 0, 4_194_304, (("nvidia_smi_memory_reserved_bytes", MIB),)
    ),
    Stored(
        Field.POWER,
        155,
        ("DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_BOARD_POWER_WATTS"),
        0,
        5_000,
        (("nvidia_smi_power_draw_watts", 1), ("all_smi_gpu_power_consumption_watts", 1)),
    ),
    Stored(
        Field.ENERGY,
        156,
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",),
        0,
        1e17,
        (("all_smi_gpu_energy_hw_millijoules_total", 1), ("nvidia_smi_energy_joules_total", MILLI)),
    ),
    Stored(
        Field.TEMP,
        150,
        ("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS"),
        -50,
        200,
        (("nvidia_smi_temperature_gpu", 1), ("all_smi_gpu_temperature_celsius", 1)),
    ),
    Stored(
        Field.SM_CLOCK,
        100,
        ("DCGM_FI_DEV_SM_CLOCK",),
        0,
        50_000,
        (("nvidia_smi_clocks_current_sm_clock_hz", MEGA), ("all_smi_gpu_frequency_mhz", 1)),
    ),
    Stored(
        Field.MEM_CLOCK,
        101,
        ("DCGM_FI_DEV_MEM_CLOCK",),
        0,
        50_000,
        (("nvidia_smi_clocks_current_memory_clock_hz", MEGA),),
    ),
    Stored(
        Field.THROTTLE,
        112,
        ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "DCGM_FI_DEV_CLOCKS_EVENT_REASONS"),
        0,
        2.0**53,
        (("nvidia_smi_clocks_event_reasons_active", 1), ("nvidia_smi_clocks_throttle_reasons_active", 1)),
    ),
    Stored(Field.XID, 230, ("DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR"), 0, 65_535),
)
INFO_NAMES = frozenset({"nvidia_smi_gpu_info", "all_smi_gpu_info"})
"""Series without a measure that name a GPU's model."""

BY_FIELD: dict[Field, Stored] = {row.field: row for row in TABLE}
BY_DCGM_ID: dict[int, Stored] = {row.dcgm_id: row for row in TABLE}
BY_NAME: dict[str, tuple[Field, float]] = {name: (row.field, 1.0) for row in TABLE for name in row.dcgm_names} | {
    name: (row.field, factor) for row in TABLE for name, factor in row.others
}
INT64_BLANK = float(2**63)
"""9223372036854775792 to ..795 all become this number once they are floating-point."""
INT32_BLANK = (2147483632.0, 2147483635.0)
FP64_BLANK = (140737488355328.0, 140737488355331.0)

BOARD_WATTS: tuple[tuple[str, float], ...] = (
    ("GB300", 1400),
    ("GB200", 1200),
    ("GH200", 1000),
    ("B300", 1400),
    ("B200", 1000),
    ("H200 NVL", 600),
    ("H200", 700),
    ("H100 NVL", 400),
    ("H100 PCIE", 350),
    ("H100", 700),
    ("H800", 700),
    ("H20", 500),
    ("A100 PCIE", 250),
    ("A100 80GB PCIE", 300),
    ("A100", 500),
    ("A800", 500),
    ("L40S", 350),
    ("L40", 300),
    ("L4", 72),
    ("A40", 300),
    ("A30", 165),
    ("A16", 250),
    ("A10", 150),
    ("A2", 60),
    ("T4", 70),
    ("V100", 350),
    ("P100", 300),
    ("RTX PRO 6000", 600),
    ("RTX 6000 ADA", 300),
    ("RTX A6000", 300),
    ("RTX 5090", 575),
    ("RTX 4090", 450),
    ("MI355X", 1400),
    ("MI325X", 1000),
    ("MI300X", 750),
)
UNKNOWN_BOARD_WATTS = 1500.0
IDLE_SHARE = 0.35
"""A board that draws more than this share of its limit is at work."""


def is_blank(value: float) -> bool:
    """Whether DCGM wrote this number where it had no value."""
    return value == INT64_BLANK or INT32_BLANK[0] <= value <= INT32_BLANK[1] or FP64_BLANK[0] <= value <= FP64_BLANK[1]


def valid(field: Field, value: float) -> bool:
    """Whether this number, in our unit, can be true of this field. NaN cannot."""
    row = BY_FIELD[field]
    return row.low <= value <= row.high and not is_blank(value)


def bad_positions(field: Field, values: Sequence[float]) -> list[int]:
    """Where in `values` stand numbers that cannot be true; quick where there are none."""
    row = BY_FIELD[field]
    low, high = row.low, row.high
    bad = [at for at, value in enumerate(values) if not low <= value <= high]
    if high < INT32_BLANK[0]:
        return bad
    return sorted({*bad, *(at for at, value in enumerate(values) if is_blank(value))})


def board_watts(model: str) -> float:
    """The most power a board of this model may draw, for judging steps of its energy counter."""
    words = f" {model.upper().replace('-', ' ')}"
    return next((watts for name, watts in BOARD_WATTS if f" {name}" in words), UNKNOWN_BOARD_WATTS)
