"""Telemetry ingest against its floor: the same JSON parsed to numbers and the same facts copied, in the same run."""

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import parse_qs

import orjson
import pytest
from django.db import connection, transaction

from fleetledger.lib.buckets import HOUR, Window
from monitoring.telemetry import storage
from monitoring.telemetry.ingest import ingest
from tests import world

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)
GPUS = 96
SCRAPE_S = 30
METRICS = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 0.7,
    "DCGM_FI_DEV_GPU_UTIL": 70,
    "DCGM_FI_PROF_SM_ACTIVE": 0.5,
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": 0.3,
    "DCGM_FI_PROF_DRAM_ACTIVE": 0.25,
    "DCGM_FI_DEV_FB_USED": 40000,
    "DCGM_FI_DEV_POWER_USAGE": 500,
    "DCGM_FI_DEV_GPU_TEMP": 60,
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 1e9,
}
ROUNDS = 4
T = TypeVar("T")


def test_ingest_takes_at_most_three_times_its_floor() -> None:
    body = _answer()
    with _serving(body) as url:
        source = world.source("prom1", config={"url": url, "scrape_interval": f"{SCRAPE_S}s"})
        ingest(source, WINDOW)  # GPUs, workloads and partitions exist from here on, as in a fleet that runs
        facts = _facts()
        took_s, floor_s = float("inf"), float("inf")
        for _again in range(ROUNDS):  # in turns, since others use the machine too
            seconds, outcome = _timed(lambda: ingest(source, WINDOW)[0])
            took_s = min(took_s, seconds)
            floor_s = min(floor_s, _timed(lambda: _floor(body, facts))[0])
        tracemalloc.start()
        ingest(source, WINDOW)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    print(
        f"\ntelemetry ingest: {outcome.samples} samples, {outcome.samples / took_s:,.0f} samples/s, "
        f"{took_s / floor_s:.2f} x floor (JSON parse + binary COPY of the same facts, {floor_s:.3f} s), "
        f"peak {peak / 1e6:.0f} MB"
    )
    assert outcome.gpus == GPUS
    assert _count("telemetry_fact") == GPUS * 12
    assert _sum_us() == GPUS * 3600 * 1_000_000


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _facts() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(storage.FACT_COLUMNS)} FROM telemetry_fact")  # noqa: S608
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


def _floor(body: bytes, facts: list[tuple[object, ...]]) -> None:
    for row in orjson.loads(body)["data"]["result"]:
        _times = [round(pair[0] * 1000) * 1000 for pair in row["values"]]
        _values = [float(pair[1]) for pair in row["values"]]
    with transaction.atomic(), connection.cursor() as cursor:
        names = ", ".join(storage.FACT_COLUMNS)
        cursor.execute("CREATE TEMPORARY TABLE floor_fact (LIKE telemetry_fact INCLUDING ALL) ON COMMIT DROP")
        with cursor.copy(f"COPY floor_fact ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(storage.FACT_TYPES)
            for row in facts:
                copy.write_row(row)


def _answer() -> bytes:
    """An hour of raw samples with what is read around it, as Prometheus writes it."""
    result = []
    first, last = START.timestamp() - 360, START.timestamp() + 3600 + 360
    for gpu in range(GPUS):
        labels: dict[str, str] = {
            "UUID": f"GPU-{gpu:08x}-0000-0000-0000-000000000000",
            "gpu": str(gpu % 8),
            "Hostname": f"node-{gpu // 8}",
            "modelName": "NVIDIA H100 80GB HBM3",
            "job": "dcgm",
            "exported_namespace": f"team-{gpu % 5}",
            "exported_pod": f"train-{gpu // 4}",
        }
        offset = (gpu // 8) * 3.137
        for name, value in METRICS.items():
            values = []
            at = first + offset
            while at < last:
                shown = (
                    value + at % 97 / 1000 if value < 1 else value + (at - first) * (500_000 if value > 1e6 else 0.001)
                )
                values.append([round(at, 3), f"{shown:.6g}" if value < 1e6 else f"{shown:.0f}"])
                at += SCRAPE_S
            result.append({"metric": labels | {"__name__": name}, "values": values})
    return orjson.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


@contextmanager
def _serving(body: bytes) -> Iterator[str]:
    """A server that knows one answer, its metrics' names and one metric's series."""
    names = orjson.dumps({"status": "success", "data": list(METRICS)})
    series = [row["metric"] for row in orjson.loads(body)["data"]["result"][:: len(METRICS)]]
    listed = orjson.dumps({"status": "success", "data": series})
    nothing = orjson.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer in two writes would wait 40 ms for an acknowledgement

        def do_GET(self) -> None:
            self._answer(names)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if "query" not in form:
                self._answer(listed)
            else:
                self._answer(nothing if "kube_node_info" in form["query"][0] else body)

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def _sum_us() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(allocated_us + unallocated_us + unknown_us) FROM telemetry_fact")
        return int(cursor.fetchone()[0])
