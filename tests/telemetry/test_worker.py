"""A worker that dies, or loses its database, in the middle of a pull: the task runs again and counts nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from django.db import connection

from fleetledger.celery import app
from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import BUCKET, floor
from monitoring.telemetry.tasks import pull_source
from tests import world
from tests.telemetry import one_gpu
from tests.telemetry import world as said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0


@pytest.mark.parametrize("accident", ["process", "database"])
def test_a_pull_that_dies_half_way_runs_again_and_counts_nothing_twice(accident: str, tmp_path: Path) -> None:
    until = floor(datetime.now(UTC) - timedelta(minutes=5), BUCKET)
    app.control.purge()
    with _worker(tmp_path / "worker.log") as worker:
        strike = {"process": lambda: _kill_children(worker), "database": _end_other_connections}[accident]
        asked: list[str] = []

        def is_asked(word: str) -> None:
            asked.append(word)
            if len(asked) == 1:
                strike()

        with one_gpu.serving(is_asked, uuid_of=lambda _word: said.UUID) as url:
            watermark = until - timedelta(hours=1)
            source = world.source(
                "prom1",
                cluster=world.cluster(),
                config={"url": f"{url}/prom1", "scrape_interval": "30s"},
                watermark_at=watermark,
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


def _wait_for(is_done: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > deadline:
            raise AssertionError((folder / "worker.log").read_text()[-3000:])
        time.sleep(0.2)
