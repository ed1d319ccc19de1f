"""The simulated Prometheus answers real clients, and a real Prometheus with the same samples says the same."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_api_client import PrometheusConnect

from fleetledger.demo import series
from fleetledger.demo.prometheus_api import Api
from fleetledger.demo.series import OF_NODES, READY, Asked
from fleetledger.demo.server import DemoServer
from fleetledger.demo.service_metrics import signals
from fleetledger.demo.signals import Labels
from fleetledger.demo.world import World
from tests import prometheus

NOW = 1_795_395_600


def ask(server: DemoServer, path: str, **params: str | list[str]) -> requests.Response:
    return requests.get(f"{server.url}{path}", params=params, timeout=30)


def result(answer: requests.Response) -> list[dict[str, Any]]:
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "success")
    found: list[dict[str, Any]] = body["data"]["result"]
    return found


def test_prometheus_api_client_reads_the_fleet(demo_server: DemoServer) -> None:
    client = PrometheusConnect(url=f"{demo_server.url}/aws-use1")
    assert client.check_prometheus_connection()
    here = {one.name for one in signals() if one.cluster == "aws-use1"}
    assert client.all_metrics() == sorted({*OF_NODES, *here})
    rows = client.custom_query('DCGM_FI_DEV_POWER_USAGE{gpu="0"}', params={"time": NOW})
    assert len({row["metric"]["Hostname"] for row in rows}) == len(rows) == 12


def test_prometheus_api_client_reads_a_range_in_chunks(demo_server: DemoServer) -> None:
    client = PrometheusConnect(url=demo_server.url)
    rows = client.get_metric_range_data(
        "kube_node_info",
        label_config={"node": "bm-h100-01"},
        start_time=datetime.fromtimestamp(NOW - 3600, UTC),
        end_time=datetime.fromtimestamp(NOW, UTC),
    )
    assert {row["metric"]["provider_id"] for row in rows} == {"borealis://osl/bm-4101"}
    assert {at for row in rows for at, _ in row["values"]} == set(range(NOW - 3600, NOW + 1, 30))


def test_a_range_window_is_closed_on_both_ends_and_ends_now(demo_server: DemoServer) -> None:
    query = 'up{instance="10.40.0.20:9400"}[5m]'
    times = [at for at, _ in result(ask(demo_server, "/api/v1/query", query=query, time=str(NOW - 600)))[0]["values"]]
    assert times == list(range(NOW - 900, NOW - 599, 30))
    late = [at for at, _ in result(ask(demo_server, "/api/v1/query", query=query, time=str(NOW + 120)))[0]["values"]]
    assert late == list(range(NOW - 180, NOW + 1, 30))


def test_a_range_query_gives_the_last_scrape_at_each_step(demo_server: DemoServer) -> None:
    params = {"query": 'kube_node_info{node="bm-l40s-01"}', "start": str(NOW - 100), "end": str(NOW), "step": "50s"}
    rows = result(ask(demo_server, "/api/v1/query_range", **params))
    assert rows[0]["values"] == [[NOW - 100, "1"], [NOW - 50, "1"], [NOW, "1"]]


def test_a_posted_form_is_a_query_too(demo_server: DemoServer) -> None:
    form = {"query": 'DCGM_FI_DEV_GPU_UTIL{cluster="aws-usw2"}', "time": "2026-11-22T21:00:00Z"}
    answer = requests.post(f"{demo_server.url}/api/v1/query", data=form, timeout=30)
    assert len(result(answer)) == 48


def test_slices_bear_their_profile_and_pods_their_class(demo_server: DemoServer) -> None:
    query = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE{GPU_I_PROFILE="3g.40gb",Hostname="a100-usw2-07"}'
    rows = result(ask(demo_server, "/api/v1/query", query=query, time=str(NOW)))
    assert {row["metric"]["workload_class"] for row in rows} == {"serving"}
    assert {row["metric"]["GPU_I_ID"] for row in rows} == {"1", "2"}
    assert all(row["metric"]["exported_namespace"].endswith("-serve") for row in rows)


@pytest.mark.parametrize(
    "query", ["sum(up)", "rate(up[5m])", "last_over_time(up[5m])", "count by (job) (up)", "up @ 1", "nonsense{"]
)
def test_what_it_cannot_evaluate_is_an_error_in_prometheus_words(demo_server: DemoServer, query: str) -> None:
    answer = ask(demo_server, "/api/v1/query", query=query)
    assert answer.status_code == 422
    assert answer.json()["status"] == "error"
    assert answer.json()["errorType"] == "execution"
    assert "plain selectors" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/v1/query", {}, 400),
        ("/api/v1/query", {"query": "up", "time": "soon"}, 400),
        ("/api/v1/series", {}, 400),
        ("/api/v1/query_range", {"query": "up", "start": "0", "end": str(NOW), "step": "1"}, 400),
        ("/api/v1/query", {"query": "{job=~'.+'}[30d]", "time": str(NOW)}, 422),
        ("/api/v1/rules", {}, 404),
        ("/nowhere", {}, 404),
        ("/exporter/nobody/metrics", {}, 404),
    ],
)
def test_wrong_questions_are_refused(demo_server: DemoServer, path: str, params: dict[str, str], status: int) -> None:
    assert requests.get(f"{demo_server.url}{path}", params=params, timeout=30).status_code == status


def test_labels_values_and_series_know_matchers(demo_server: DemoServer) -> None:
    match = {"match[]": ['kube_node_info{cluster="borealis-osl"}']}
    names = requests.get(f"{demo_server.url}/api/v1/labels", params=match, timeout=30).json()["data"]
    assert {"node", "provider_id", "__name__"} < set(names)
    url = f"{demo_server.url}/borealis-osl/api/v1/label/node/values"
    assert len(requests.get(url, timeout=30).json()["data"]) == 7
    found = requests.get(f"{demo_server.url}/api/v1/series", params=match, timeout=30).json()["data"]
    assert {one["node"] for one in found} == {
        *(f"bm-h100-0{n}" for n in range(1, 5)),
        *(f"bm-l40s-0{n}" for n in range(1, 4)),
    }


def test_health_and_build_are_told(demo_server: DemoServer) -> None:
    assert ask(demo_server, "/-/healthy").text == "Prometheus Server is Healthy.\n"
    assert ask(demo_server, "/-/ready").text == "Prometheus Server is Ready.\n"
    assert ask(demo_server, "/api/v1/status/buildinfo").json()["data"]["version"] == "2.42.0"


def test_an_exporter_speaks_of_its_own_node_in_its_own_words(demo_server: DemoServer) -> None:
    lines = ask(demo_server, "/exporter/l40s-use1-01/metrics").text.splitlines()
    rows = [line for line in lines if line.startswith("DCGM_FI_DEV_SM_CLOCK{")]
    assert len(rows) == 4
    assert all('Hostname="l40s-use1-01"' in row and "exported_" not in row for row in rows)
    assert lines[0] == "# HELP DCGM_FI_DEV_SM_CLOCK SM clock frequency (in MHz)."
    whole = ask(demo_server, "/borealis-osl/metrics").text
    assert whole.count("\nDCGM_FI_DEV_GPU_UTIL{") == 56


def test_a_silent_exporter_answers_503(world: World) -> None:
    node = next(world.nodes())
    silence = next(s for s in world.silences(node, NOW - 28 * 86400, NOW) if not s.powerless)
    with DemoServer("127.0.0.1", 0, world=world, now=lambda: silence.start + 1.0) as server:
        status, _, body = _answer(server, ["exporter", node.name, "metrics"])
    assert (status, body) == (503, b"The exporter is down.\n")
    up = series.read(world, Asked(world.clusters, ["up"], _is_of_gpus, silence.start, silence.start))
    assert ("0", node.name) in {(one.samples[0][1], _host(world, dict(one.labels)["instance"])) for one in up}


@pytest.mark.realtime
def test_a_real_prometheus_with_the_same_samples_says_the_same(world: World, tmp_path: Path) -> None:
    scope = [cluster for cluster in world.clusters if cluster.name == "aws-usw2"]
    names = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_POWER_USAGE", "kube_node_info", READY, "up", "pg_up")
    rows = series.read(world, Asked(scope, names, lambda _: True, NOW - 3600, NOW))
    lines = [f"{_as_text(one.labels)} {value} {at}" for one in rows for at, value in one.samples]
    prometheus.fill(tmp_path / "data", prometheus.openmetrics(lines))
    api = Api(world, scope, lambda: NOW)
    with prometheus.serving(tmp_path / "data") as address:
        for query, at in (
            ('DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=~"[0-3]",exported_namespace!~"vision-.*"}[5m]', NOW - 600),
            ('DCGM_FI_DEV_POWER_USAGE{exported_pod="",Hostname!="a100-usw2-01"}[10m]', NOW - 615.5),
            ('{__name__=~"kube_.*",node="a100-usw2-02"}[1m]', NOW),
            ('up{job=~"ranker|feature-db"}[5m]', NOW),
            ('(pg_up{pod="feature-db-0"})[300s:30000ms]', NOW),
        ):
            params = {"query": query, "time": str(at)}
            real = requests.get(f"{address}/api/v1/query", params=params, timeout=30).json()
            ours = api.answer("query", {name: [value] for name, value in params.items()})
            assert json.loads(ours.body) == real, query
            assert real["data"]["result"]


def _answer(server: DemoServer, parts: list[str]) -> tuple[int, str, bytes]:
    from fleetledger.demo.server import _Handler

    handler = _Handler.__new__(_Handler)
    handler.server = server
    status, kind, body = handler._answer(parts, {})
    return int(status), kind, body


def _as_text(labels: Labels) -> str:
    return labels[0][1] + "{" + ",".join(f'{name}="{value}"' for name, value in labels[1:]) + "}"


def _is_of_gpus(labels: Mapping[str, str]) -> bool:
    return labels["job"] == "dcgm-exporter"


def _host(world: World, instance: str) -> str:
    return next(node.name for node in world.nodes() if instance.startswith(f"{node.address}:"))
