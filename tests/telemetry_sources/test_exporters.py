"""Exporters read directly: one that fails is named, and the others count."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.telemetry.sources.exporters import ExportersSource
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Series, UnitKey
from tests.prometheus import free_port
from tests.telemetry_sources.answering import TEXT, Reply, answering

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
LINE = 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="Tesla T4",namespace="team-a",pod="train-0"} 40\n'
PLAIN = {"Content-Type": TEXT}


def _scrape(*targets: str, **options: Any) -> Batch:
    source = ExportersSource(targets, clock_us=lambda: NOW_US, **{"tries": 1, "backoff_s": 0.0} | options)
    try:
        return source.scrape(NOW_US)
    finally:
        source.close()


def test_a_scrape_is_one_sample_at_our_time() -> None:
    with answering(Reply(LINE, headers=PLAIN)) as server:
        batch = _scrape(server.address)
    assert [asked.path for asked in server.asked] == ["/metrics"]
    unit, holder = UnitKey("GPU-1", None), Holder("team-a", "train-0")
    assert batch == Batch(
        series=[Series(unit, "", Field.UTIL, "", holder, [NOW_US], [40.0])],
        devices={"GPU-1": Device("GPU-1", "Tesla T4", "127.0.0.1", "0")},
    )


def test_a_malformed_line_is_said_and_the_rest_counts() -> None:
    with answering(Reply(LINE + "DCGM_FI_DEV_GPU_UTIL{broken 1\n", headers=PLAIN)) as server:
        batch = _scrape(server.address)
    assert batch.notes == [f"{server.address}/metrics: 1 malformed line was left out."]
    assert len(batch.series) == 1


def test_a_target_that_is_down_is_missing_and_the_other_counts() -> None:
    down = f"http://127.0.0.1:{free_port()}/metrics"
    with answering(Reply(LINE, headers=PLAIN)) as server:
        batch = _scrape(down, server.address)
    assert batch.missing == [f"{down} cannot be reached. Is it running and is the address right?"]
    assert len(batch.series) == 1


@pytest.mark.parametrize("skew_s", [61, -61])
def test_an_exporter_whose_clock_is_off_is_quarantined(skew_s: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=skew_s), usegmt=True)
    with answering(Reply(LINE, headers=PLAIN | {"Date": date})) as server:
        batch = _scrape(server.address)
    side = "ahead of" if skew_s > 0 else "behind"
    sentence = f"{server.address}/metrics is quarantined: its clock is 61 s {side} ours. Set its time (NTP)."
    assert batch == Batch(missing=[sentence])


def test_a_minute_of_skew_is_borne() -> None:
    date = format_datetime(NOW + timedelta(seconds=60), usegmt=True)
    with answering(Reply(LINE, headers=PLAIN | {"Date": date})) as server:
        assert _scrape(server.address).missing == []


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply("", code=401), "answers HTTP 401: the token or password is missing or wrong."),
        (Reply("", code=404), "answers HTTP 404. Is this the exporter's /metrics?"),
        (
            Reply("<html/>", headers={"Content-Type": "text/html"}),
            "answers with a web page. Is this the exporter's /metrics?",
        ),
    ],
)
def test_each_refusal_has_its_sentence(reply: Reply, sentence: str) -> None:
    with answering(reply) as server:
        batch = _scrape(f"{server.address}/gpu/metrics")
    assert batch.missing == [f"{server.address}/gpu/metrics {sentence}"]


def test_a_page_without_gpus_is_said() -> None:
    with answering(Reply("up 1\n", headers=PLAIN)) as server:
        batch = _scrape(server.address)
    assert batch.notes == [f"{server.address}/metrics answers without any GPU measure that we store."]


def test_a_failing_exporter_is_asked_again() -> None:
    with answering(Reply("", code=503), Reply(LINE, headers=PLAIN)) as server:
        assert len(_scrape(server.address, tries=2, token="s3cret").series) == 1
    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer s3cret"] * 2


@pytest.mark.conformance
def test_a_real_mig_page_gives_its_slices(shared_data: Path) -> None:
    name = "fake-gpu-operator__design_samples_lt2.9_mig_metrics_4_Active_Workloads.ini.prom"
    text = (shared_data / "dcgm" / "captures" / name).read_text()
    with answering(Reply(text, headers=PLAIN)) as server:
        batch = _scrape(server.address)
    assert sorted({(series.unit.gi_id, series.profile) for series in batch.series}, key=str) == [
        (5, "2g.10gb"),
        (7, "1g.5gb"),
        (8, "1g.5gb"),
        (9, "1g.5gb"),
    ]
    assert [(device.model, device.node) for device in batch.devices.values()] == [
        ("NVIDIA A100-SXM4-40GB", "127.0.0.1")
    ]
