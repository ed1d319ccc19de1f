"""A worker that dies, or loses its database, in the middle of a pull: the task runs again and counts nothing twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import orjson
import psutil
import psycopg
import pytest
from django.db import connection

from fleetledger.celery import app
from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import BUCKET, floor
from monitoring.telemetry.tasks import pull_source
from tests import world
from tests.telemetry import world as said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
NAME = "DCGM_FI_DEV_GPU_UTIL"
LABELS = {"UUID": said.UUID, "modelName": said.MODEL, "exported_namespace": "team-a", "exported_pod": "train-0"}


@pytest.mark.parametrize("accident", ["process", "database"])
def test_a_pull_that_dies_half_way_runs_again_and_counts_nothing_twice(accident: str, tmp_path: Path) -> None:
    until = floor(datetime.now(UTC) - timedelta(minutes=5), BUCKET)
    app.control.purge()
    with _worker(tmp_path / "worker.log") as worker:
        strike = {"process": lambda: _kill_children(worker), "database": _end_other_connections}[accident]
        with _prometheus(strike) as (url, asked):
            watermark = until - timedelta(hours=1)
            source = world.source(
                "prom1", cluster=world.cluster(), config={"url": url, "scrape_interval": "30s"}, watermark_at=watermark
            )
            pull_source.delay("prom1")
            _wait_for(lambda: Source.objects.get(pk=source.pk).watermark_at not in (None, watermark), tmp_path)
    assert len(asked) >= 2
    reached = Source.objects.get(pk=source.pk).watermark_at
    assert reached is not None
    hours_us = (reached - watermark) // timedelta(microseconds=1)
    assert said.total("telemetry_fact") == (hours_us, 0, 0, hours_us // 2, 0)
    assert said.total("telemetry_teamday")[0] == hours_us


@contextmanager
def _worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker on the tests' database and broker."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    command = [sys.executable, "-P", "-m", "celery", "-A", "fleetledger", "worker", "-Q", "telemetry", "-c", "1"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database, "PYTHONPATH": path},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _kill_children(worker: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(worker.pid).children(recursive=True):
        child.kill()


def _end_other_connections() -> None:
    """What a restart of the database does to the worker: every connection of the database ends but the test's own."""
    own = connection.settings_dict
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s",
            [own["NAME"], "%pg_try_advisory_lock%"],
        )


@contextmanager
def _prometheus(strike: Callable[[], None]) -> Iterator[tuple[str, list[str]]]:
    """A server with two hours of samples; the accident happens while it is first asked for them."""
    asked: list[str] = []
    first = time.time() - 7200
    values = [[round(first + 30 * number, 3), "50"] for number in range(240)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
            result: list[dict[str, object]] = []
            if "count by" in query:
                result = [{"metric": {"__name__": NAME}, "value": [0, "1"]}]
            elif "last_over_time" not in query:
                result = [{"metric": LABELS | {"__name__": NAME}, "values": values}]
                asked.append(query)
                if len(asked) == 1:
                    strike()
            self._answer(orjson.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))

        def _answer(self, content: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except BrokenPipeError:
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _wait_for(is_done: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > deadline:
            raise AssertionError((folder / "worker.log").read_text()[-3000:])
        time.sleep(0.2)
