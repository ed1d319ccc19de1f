"""A worker that is killed in the middle of an import: another finishes it, once."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from django.db import connection

from drift import ingest, tasks
from drift.models import Report, ReportState, Score
from fleetledger.embedded import parts, python
from tests.drift import reports, world
from tests.embedded.running import wait_until

pytestmark = [pytest.mark.realtime, pytest.mark.django_db(transaction=True)]
QUEUE = "drift-killed"
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE \"drift_report\"%'"
)


def test_a_worker_killed_in_the_middle_finishes_once() -> None:
    received = ingest.receive(world.model(), reports.content(reports.SNAPSHOT))
    with worker() as process:
        with closing(psycopg.connect(database_url())) as holder:  # it keeps the import from its last step
            holder.execute("SELECT 1 FROM drift_report FOR UPDATE")
            tasks.import_file.apply_async((received.file_id,), queue=QUEUE)
            wait_until(is_at_the_last_step, 60)
            (executing,) = process.children()
            os.kill(executing.pid, signal.SIGKILL)
            wait_until(lambda: not psutil.pid_exists(executing.pid), 20)
            assert (Score.objects.count(), Report.objects.get().state) == (0, ReportState.RECEIVED)
        wait_until(lambda: Report.objects.get().state == ReportState.IMPORTED, 60)
    assert (Score.objects.count(), Report.objects.get().drifted_columns) == (13, 12)


def is_at_the_last_step() -> bool:
    """The scores are written but not committed: the report's counts wait for the row that the test holds."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone() == (1,))


def database_url() -> str:
    """The tests' own database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(scheme="postgresql", path=f"/{connection.settings_dict['NAME']}"))


@contextmanager
def worker() -> Iterator[psutil.Process]:
    """A real Celery worker on the tests' database and broker, with a queue of its own."""
    settings = {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "x" * 50,
        "DJANGO_SETTINGS_MODULE": "fleetledger.settings",
    }
    command = parts.worker_command("killed", queues=QUEUE, concurrency=1)
    process = subprocess.Popen(command, env=python.environment(settings))
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)
