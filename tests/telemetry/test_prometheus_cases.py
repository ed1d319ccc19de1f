"""Worked cases beyond the eight, from samples in a real Prometheus: time-slicing, lost scrapes, a dead server."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Source
from monitoring.telemetry import reads
from monitoring.telemetry.reads import Step
from tests import prometheus, world
from tests.telemetry import world as said
from tests.telemetry.samples import START_US, every

pytestmark = [pytest.mark.django_db, pytest.mark.realtime]

EVERYTHING = TeamScope.everything()
START_S = START_US // 1_000_000
HOUR_US = 3_600_000_000
DEVICE = f'UUID="{said.UUID}",gpu="0",modelName="{said.MODEL}",Hostname="node-a",job="dcgm"'
UTIL, ENERGY = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"


def _line(name: str, value: float, at: float, *, pod: str = "train-0", namespace: str = "team-a") -> str:
    holder = f',exported_namespace="{namespace}",exported_pod="{pod}"' if pod else ""
    return f"{name}{{{DEVICE}{holder}}} {value:g} {START_S + at:.0f}"


@contextmanager
def _filled(folder: Path, lines: list[str]) -> Iterator[Source]:
    prometheus.fill(folder / "data", prometheus.openmetrics(lines))
    with prometheus.serving(folder / "data") as url:
        yield world.source("prom1", cluster=world.cluster(), config={"url": url, "scrape_interval": "30s"})


def _ingest(start: str = "2026-11-23T01:00:00Z", end: str = "2026-11-23T02:00:00Z") -> None:
    out = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("ingest", "--source", "prom1", "--from", start, "--to", end, **out)


def test_four_pods_on_one_gpu_have_a_quarter_of_the_hour_each(tmp_path: Path) -> None:
    lines = [
        _line(UTIL, 60, at, pod=f"pod-{n}", namespace=f"team-{n}") for n in range(4) for at in every(30, -300, 3900)
    ]
    for number in range(4):
        world.rule(world.team(f"team-{number}"), {"namespace": f"team-{number}"})
    with _filled(tmp_path, lines):
        _ingest()
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert [(row.group, row.allocated_us, row.busy_us, row.estimated) for row in usage.rows] == [
        (f"team-{number}", HOUR_US // 4, HOUR_US * 60 // 400, True) for number in range(4)
    ]
    assert (usage.gpus, usage.gpu_us, usage.unallocated_us, usage.unknown_us) == (1, HOUR_US, 0, 0)


def test_three_lost_scrapes_are_a_minute_unknown_and_energy_is_complete(tmp_path: Path) -> None:
    world.rule(world.team("team-a"), {"namespace": "team-a"})
    times = [at for at in every(30, -300, 3900) if at not in (1800, 1830, 1860)]
    lines = [_line(UTIL, 50, at) for at in times] + [_line(ENERGY, (1000 + at) * 300_000, at) for at in times]
    with _filled(tmp_path, lines):
        _ingest()
        _ingest()
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert (usage.observed_us, usage.unknown_us) == (3540_000_000, 60_000_000)
    assert usage.energy_uj == 3600 * 300_000_000
    assert [row.energy_uj for row in usage.rows] == [3540 * 300_000_000]


def test_hours_hold_what_the_window_holds(tmp_path: Path) -> None:
    world.rule(world.team("team-a"), {"namespace": "team-a"})
    times = every(30, -300, 2 * 3600 + 300)
    lines = [_line(UTIL, 80 if at < 3600 else 20, at) for at in times]
    with _filled(tmp_path, lines):
        _ingest(end="2026-11-23T03:00:00Z")
    rows = reads.usage(said.window(120), teams=EVERYTHING, step=Step.HOUR).rows
    assert [(row.at, row.allocated_us, row.mean_utilization) for row in rows] == [
        (said.window().start, HOUR_US, 80.0),
        (said.window().end, HOUR_US, 20.0),
    ]


def test_an_unallocated_gpu_is_nobodys_and_the_exporters_own_pod_is_no_holder(tmp_path: Path) -> None:
    own = f'{UTIL}{{{DEVICE},namespace="gpu-operator",pod="nvidia-dcgm-exporter-x"}} 0 '
    with _filled(tmp_path, [f"{own}{START_S + at:.0f}" for at in every(30, -300, 3900)]):
        _ingest()
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert (usage.rows, usage.unallocated_us, usage.unknown_us) == ((), HOUR_US, 0)


def test_a_server_that_is_down_is_a_sentence_and_nothing_is_written() -> None:
    source = world.source(
        "prom1", cluster=world.cluster(), config={"url": f"http://127.0.0.1:{prometheus.free_port()}"}
    )
    with pytest.raises(CommandError, match="cannot be reached"):
        _ingest()
    source.refresh_from_db()
    assert "cannot be reached" in source.last_error
    assert said.stored() == []
