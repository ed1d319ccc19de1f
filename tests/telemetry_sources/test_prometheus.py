"""Raw samples from a real Prometheus: cut half-open, sharded, escaped, with replicas and nodes told apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.telemetry.sources.prometheus import PrometheusSource
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, UnitKey
from tests.prometheus import fill, openmetrics, serving

pytestmark = pytest.mark.realtime

START = 1_795_395_600
US = 1_000_000
UTIL, POWER = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE"
UUIDS = [f"GPU-{digit}0000001-0000-0000-0000-000000000000" for digit in "05af"]
LONE = [
    (POWER, "GPU-x", r"a\"b\\c.*", 500),
    (POWER, "GPU-y", "aXbcc", 500),
    (POWER, "GPU-share", "shares", 650),
    (UTIL, "GPU-share", "shares", 1),
]
"""Name, UUID, cluster as it is escaped in the text, value."""


def _gpu(uuid: str, labels: str = "") -> str:
    return f'gpu="0",UUID="{uuid}",modelName="NVIDIA H100 80GB HBM3",Hostname="node-a",job="dcgm"{labels}'


def _lines() -> Iterator[str]:
    """Four GPUs, a sample each 30 s from START - 60 to START + 330, both edges included."""
    held = ',namespace="ops",pod="nvidia-dcgm-exporter-x",exported_namespace="team-a",exported_pod="train-0"'
    for uuid in UUIDS:
        for replica in "AB":
            labels = _gpu(uuid, f'{held},prometheus_replica="{replica}"')
            yield from (f"{UTIL}{{{labels}}} 40 {at}" for at in range(START - 60, START + 331, 30))
    for name, uuid, cluster, value in LONE:
        labels = _gpu(uuid, f',cluster="{cluster}"')
        yield from (f"{name}{{{labels}}} {value} {at}" for at in range(START - 60, START + 331, 30))
    yield f'kube_node_info{{node="node-a",provider_id="aws:///eu-1a/i-0"}} 1 {START + 100}'
    yield f'kube_node_info{{node="node-a",provider_id="aws:///eu-1a/i-1"}} 1 {START + 200}'
    yield f'nvidia_smi_gpu_info{{uuid="GPU-z",name="NVIDIA L40S",index="1"}} 1 {START + 200}'
    yield f'nvidia_smi_temperature_gpu{{uuid="GPU-z",instance="node-z:9835"}} 50 {START + 200}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sources") / "tsdb"
    fill(folder, openmetrics(_lines()))
    with serving(folder) as address:
        yield address


def _pull(address: str, cluster: str | None = None, max_series: int = 5_000, before_s: int = 0) -> Batch:
    source = PrometheusSource(
        address,
        scrape_interval_s=30,
        replica_labels=["prometheus_replica"],
        matchers=None if cluster is None else {"cluster": cluster},
        max_series=max_series,
    )
    batch = source.pull(START * US, (START + 300) * US, before_us=before_s * US)
    source.close()
    return batch


def test_a_bucket_holds_its_start_and_not_its_end(server: str) -> None:
    series = _pull(server).series[0]
    assert series.times == [(START + step) * US for step in range(0, 300, 30)]
    assert series.values == [40.0] * 10


def test_samples_before_and_after_are_given_when_asked_for(server: str) -> None:
    source = PrometheusSource(server, scrape_interval_s=30)
    batch = source.pull(START * US, (START + 300) * US, before_us=30 * US, after_us=31 * US)
    source.close()
    assert batch.series[0].times == [(START + step) * US for step in range(-30, 331, 30)]


def test_units_holders_and_replicas_are_told_apart(server: str) -> None:
    batch = _pull(server)
    held = Holder("team-a", "train-0")
    found = {(s.unit, s.field, s.replica, s.holder) for s in batch.series if s.unit.uuid in UUIDS}
    assert found == {(UnitKey(uuid, None), Field.UTIL, replica, held) for uuid in UUIDS for replica in "AB"}
    assert batch.devices[UUIDS[0]] == Device(UUIDS[0], "NVIDIA H100 80GB HBM3", "node-a", "0")
    assert (batch.missing, batch.rejected) == ([], [])


@pytest.mark.parametrize("max_series", [1, 2, 5])
def test_shards_together_are_the_whole_and_nothing_twice(server: str, max_series: int) -> None:
    assert _pull(server, max_series=max_series) == _pull(server)


def test_a_matchers_value_is_itself_and_no_pattern(server: str) -> None:
    batch = _pull(server, cluster='a"b\\c.*')
    assert {series.unit.uuid for series in batch.series} == {"GPU-x"}


def test_a_matcher_for_an_impossible_label_is_refused() -> None:
    with pytest.raises(ValueError, match="'a b' is no name of a label"):
        PrometheusSource("http://127.0.0.1:1", scrape_interval_s=30, matchers={"a b": "c"})


def test_nodes_bear_their_providers_id_the_newest_where_a_name_was_given_again(server: str) -> None:
    assert _pull(server).nodes == {"node-a": "aws:///eu-1a/i-1"}


def test_a_server_without_kube_state_metrics_has_no_nodes(server: str) -> None:
    batch = _pull(server, cluster="shares")
    assert (batch.nodes, batch.missing) == ({}, [])


def test_the_info_series_names_the_model(server: str) -> None:
    assert _pull(server).devices["GPU-z"] == Device("GPU-z", "NVIDIA L40S", "node-z", "1")


def test_a_day_of_ones_under_power_is_a_share_and_is_said(server: str) -> None:
    batch = _pull(server, cluster="shares")
    assert [series.values for series in batch.series if series.field is Field.UTIL] == [[100.0] * 10]
    assert batch.notes == ["GPU_UTIL arrives as a share of 0-1 here, not as percent: it was multiplied by 100."]


def test_where_others_count_in_percent_one_is_one_percent(server: str) -> None:
    batch = _pull(server)
    ones = [s.values for s in batch.series if s.unit.uuid == "GPU-share" and s.field is Field.UTIL]
    assert ones == [[1.0] * 10]
    assert batch.notes == []


def test_a_window_without_samples_is_empty_and_not_missing(server: str) -> None:
    source = PrometheusSource(server, scrape_interval_s=30)
    batch = source.pull((START - 9000) * US, (START - 8700) * US)
    source.close()
    assert batch == Batch()


@pytest.mark.conformance
@pytest.mark.parametrize("case", ["steady", "reassign", "gap20m", "ha_pair", "mig", "node_rename"])
def test_a_worked_case_arrives_sample_by_sample(shared_data: Path, tmp_path: Path, case: str) -> None:
    path = shared_data / "dcgm" / "cases" / f"{case}.om"
    fill(tmp_path / "tsdb", path)
    with serving(tmp_path / "tsdb") as address:
        source = PrometheusSource(address, scrape_interval_s=30, replica_labels=["prometheus_replica"])
        batch = source.pull(START * US, (START + 3600) * US)
        source.close()
    lines = [line.rsplit(" ", 1) for line in path.read_text().splitlines() if not line.startswith("#")]
    inside = [line for line, at in lines if START <= int(at) < START + 3600]
    assert sum(len(series.times) for series in batch.series) == len(inside)
    assert len(batch.devices) == 1
    assert (batch.missing, batch.rejected) == ([], [])
