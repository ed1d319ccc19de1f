"""The table of fields: names, units and the numbers that cannot be true."""

import csv
from pathlib import Path

import pytest

from monitoring.telemetry.sources.fields import BY_DCGM_ID, BY_FIELD, BY_NAME, TABLE, bad_positions, board_watts, valid
from monitoring.telemetry.sources.readings import Field

SENTINELS = [
    *(9223372036854775792 + step for step in range(4)),
    *(2147483632 + step for step in range(4)),
    *(140737488355328 + step for step in range(4)),
]


def test_every_field_stands_in_the_table_once() -> None:
    assert sorted(BY_FIELD) == sorted(Field)
    assert len(TABLE) == len(BY_DCGM_ID) == len(Field)


@pytest.mark.parametrize("field", list(Field))
@pytest.mark.parametrize("sentinel", SENTINELS)
def test_a_sentinel_is_never_a_value(field: Field, sentinel: int) -> None:
    assert not valid(field, float(sentinel))
    assert bad_positions(field, [1.0, float(sentinel), 1.0]) == [1]


@pytest.mark.parametrize(
    ("field", "value", "is_true"),
    [
        (Field.UTIL, 100.0, True),
        (Field.UTIL, 100.5, False),
        (Field.UTIL, 808334905.0, False),
        (Field.GR_ACTIVE, 1.0, True),
        (Field.GR_ACTIVE, 1.01, False),
        (Field.GR_ACTIVE, float("nan"), False),
        (Field.ENERGY, 2147483631.0, True),
        (Field.ENERGY, 2147483636.0, True),
        (Field.ENERGY, 140737488355332.0, True),
        (Field.POWER, -1.0, False),
        (Field.TEMP, -10.0, True),
        (Field.XID, 79.0, True),
    ],
)
def test_a_value_outside_its_range_cannot_be_true(field: Field, value: float, is_true: bool) -> None:
    assert valid(field, value) is is_true


def test_other_exporters_units_become_ours() -> None:
    assert BY_NAME["nvidia_smi_utilization_gpu_ratio"] == (Field.UTIL, 100.0)
    assert BY_NAME["nvidia_smi_memory_used_bytes"][1] * 8 * 1024 * 1024 == 8.0
    assert BY_NAME["nvidia_smi_clocks_current_sm_clock_hz"] == (Field.SM_CLOCK, 1e-6)
    assert BY_NAME["all_smi_gpu_utilization"] == (Field.UTIL, 1)


@pytest.mark.parametrize(
    ("model", "watts"),
    [
        ("NVIDIA H100 80GB HBM3", 700),
        ("NVIDIA H100 PCIe", 350),
        ("NVIDIA A100-SXM4-40GB", 500),
        ("NVIDIA A100-PCIE-40GB", 250),
        ("NVIDIA A10G", 150),
        ("NVIDIA L4", 72),
        ("NVIDIA L40S", 350),
        ("Tesla T4", 70),
        ("Some new board", 1500),
        ("", 1500),
    ],
)
def test_a_boards_limit_follows_its_model(model: str, watts: float) -> None:
    assert board_watts(model) == watts


@pytest.mark.conformance
def test_the_names_of_dcgm_4_6_are_known(shared_data: Path) -> None:
    with (shared_data / "dcgm" / "dcgm_field_aliases_4.6.0.csv").open() as file:
        renamed = {row[0]: row[1] for row in csv.reader(file)}
    ours = {row.field: row.dcgm_names for row in TABLE}
    lacking = {name: renamed[names[0]] for name, names in ours.items() if renamed.get(names[0], names[0]) not in names}
    assert lacking == {}
