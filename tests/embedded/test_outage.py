"""PostgreSQL itself goes away in the middle of a task: the task runs again by itself and nothing is counted twice."""

import json
import os
import signal
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests

from fleetledger.embedded.account import Account
from fleetledger.lib.buckets import BUCKET, floor
from monitoring.telemetry.ingest import MIN_LAG
from tests.costs import bills
from tests.embedded.running import Running, Whom, end_all, forget_what_lies_apart, free_port, living, wait_until
from tests.telemetry import one_gpu

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
MYSELF = Whom("myself", Account("myself", os.geteuid(), os.getegid()), sys.executable, ROOT / "platform")
SHUTDOWN, CRASH, LOST_SESSION = "shutdown", "crash", "lost-session"
WAYS = (SHUTDOWN, CRASH, LOST_SESSION)
BACK_AT_WORK_S = 120
FAILED_TRIES = 2
ROWS = 3_000
FLEET = """
clusters: [{name: c1}]
teams: [{slug: team-a, name: A}]
ownership: [{team: team-a, match: {namespace: team-a}}]
sources:
  - {name: cloud, kind: bill, format: focus, currency: USD}
"""
SOURCE = "  - {{name: {name}, kind: prometheus, url: '{url}/{name}', cluster: c1, scrape_interval: 30s}}\n"


@dataclass(slots=True)
class Reads:
    """How often each source was asked for samples; the second answer waits until the test lets it go."""

    asked: Counter[str] = field(default_factory=Counter)
    may_go: defaultdict[str, threading.Event] = field(default_factory=lambda: defaultdict(threading.Event))

    def one(self, source: str) -> None:
        self.asked[source] += 1
        if self.asked[source] == 2:
            self.may_go[source].wait(BACK_AT_WORK_S)


@dataclass(frozen=True, slots=True)
class Product:
    """A product that runs with its own servers, seen from outside."""

    place: Path
    running: Running
    url: str
    token: str
    prometheus: str

    def learn_of(self, source: str) -> None:
        """Add a source of telemetry to the fleet's file, and ask for a pull before the timetable does."""
        file = self.place / "fleet.yaml"
        file.write_text(file.read_text() + SOURCE.format(name=source, url=self.prometheus))
        assert _manage(self.place, "apply", str(file)).ends() == 0
        script = f"from monitoring.telemetry.tasks import pull_source; pull_source.delay('{source}')"
        assert _manage(self.place, "shell", "--no-imports", "-c", script).ends() == 0

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", headers=self._headers, timeout=30)
        return answer.json() if answer.ok else {}

    def deliver(self, content: bytes) -> int:
        form = {"source": "cloud", "mode": "append"}
        where = f"{self.url}/api/v1/bill-imports"
        answer = requests.post(where, data=form, files={"file": content}, headers=self._headers, timeout=30)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    def read_until(self, source: str) -> datetime:
        reached = self.get(f"sources/{source}").get("watermark_at")
        return datetime.fromisoformat(reached) if reached else datetime.min.replace(tzinfo=UTC)

    def import_state(self, number: int) -> str:
        return str(self.get(f"bill-imports/{number}").get("delivery", {}).get("state", ""))

    def servers(self) -> dict[str, Any]:
        with suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.place / "state/locks/postgres.ready").read_text())
            return found
        return {}

    def failed_tries(self) -> int:
        return self.running.said.count("retry: Retry in")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="module")
def reads() -> Reads:
    return Reads()


@pytest.fixture(scope="module")
def product(reads: Reads) -> Iterator[Product]:
    port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="fl-outage-") as name,
        one_gpu.serving(reads.one, uuid_of=lambda word: f"GPU-{word}") as prometheus,
    ):
        place = Path(name)
        place.chmod(0o711)
        running = _manage(place, "up", "--port", str(port), FLEETLEDGER_LOG_LEVEL="INFO")
        running.says("beat      | ", 240)
        (place / "fleet.yaml").write_text(FLEET)
        assert _manage(place, "apply", str(place / "fleet.yaml")).ends() == 0
        made = _manage(place, "token", "create", "--name", "test", "--scope", "admin")
        assert made.ends() == 0
        token = next(line for line in made.said.splitlines() if line.startswith("fl_"))
        yield Product(place, running, f"http://127.0.0.1:{port}", token, prometheus)
        running.process.terminate()
        assert running.ends(30) == 0
        end_all()
        wait_until(lambda: not living(place), 20, lambda: "\n".join(living(place)))
        forget_what_lies_apart(place)


@pytest.mark.parametrize("way", WAYS)
def test_a_pull_whose_database_goes_away_runs_again_and_counts_nothing_twice(
    way: str, product: Product, reads: Reads
) -> None:
    source, due = way, floor(datetime.now(UTC) - MIN_LAG, BUCKET)
    _lose_it_before_it_writes_to("telemetry_gpuhour", way, product, lambda: product.learn_of(source))
    wait_until(lambda: _is_read_again(product, source) or product.read_until(source) >= due, BACK_AT_WORK_S)
    reads.may_go[source].set()
    wait_until(lambda: product.read_until(source) >= due, BACK_AT_WORK_S, lambda: product.running.said)
    assert product.get(f"sources/{source}")["last_error"] == ""
    hour_us = 3_600_000_000
    with _database(product) as database:
        found = database.execute(
            "SELECT count(DISTINCT bucket) * 300000000, sum(allocated_us), sum(unallocated_us + unknown_us),"
            " sum(busy_us) FROM telemetry_fact f JOIN fleet_source s ON s.id = f.source_id WHERE s.name = %s",
            [source],
        ).fetchone()
        days = database.execute(
            "SELECT sum(d.allocated_us) FROM telemetry_gpuhour d JOIN fleet_gpu g ON g.id = d.gpu_id WHERE g.uuid = %s",
            [f"GPU-{source}"],
        ).fetchone()
    assert found is not None
    assert found[0] >= hour_us
    assert found[1:] == (found[0], 0, found[0] // 2)
    assert days == (found[0],)


@pytest.mark.parametrize("way", WAYS)
def test_an_import_whose_database_goes_away_runs_again_and_counts_nothing_twice(way: str, product: Product) -> None:
    content = bills.text(*(bills.row("0.10", ResourceId=f"{way}-{number}") for number in range(ROWS)))
    numbers: list[int] = []
    _lose_it_before_it_writes_to("costs_billrow", way, product, lambda: numbers.append(product.deliver(content)))
    (number,) = numbers
    wait_until(lambda: product.import_state(number) == "imported", BACK_AT_WORK_S, lambda: product.running.said)
    with _database(product) as database:
        rows = database.execute(
            "SELECT count(*), count(DISTINCT line), sum(r.billed) FROM costs_billrow r"
            " JOIN costs_deliverypart p ON p.id = r.part_id WHERE p.delivery_id = %s",
            [number],
        ).fetchone()
        totals = database.execute(
            "SELECT row_count, billed FROM costs_deliverypart WHERE delivery_id = %s", [number]
        ).fetchall()
    assert rows == (ROWS, ROWS, ROWS * Decimal("0.10"))
    assert totals == [(ROWS, ROWS * Decimal("0.10"))]


def _lose_it_before_it_writes_to(table: str, way: str, product: Product, begin: Callable[[], None]) -> None:
    """Stop PostgreSQL while the task that `begin` asks for is in the middle of its transaction, held by a lock."""
    with _database(product) as database:
        database.execute(f"LOCK TABLE {table} IN SHARE MODE")
        begin()
        wait_until(lambda: _waiting_for(table, database) != [], 90, lambda: product.running.said)
        if way == LOST_SESSION:
            failed = product.failed_tries()
            database.execute("SELECT pg_terminate_backend(%s)", _waiting_for(table, database))
            wait_until(lambda: product.failed_tries() > failed, 30, lambda: product.running.said)
        else:
            _stop(product, signal.SIGINT if way == SHUTDOWN else signal.SIGKILL)


def _is_read_again(product: Product, source: str) -> bool:
    return "being read again" in product.get(f"sources/{source}").get("last_error", "")


def _waiting_for(table: str, database: psycopg.Connection) -> list[int]:
    found = database.execute("SELECT pid FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
    return [int(pid) for (pid,) in found]


def _stop(product: Product, end: signal.Signals) -> None:
    """End the server, keep it away until tasks have failed again and again, then let its keeper start it anew."""
    before, failed = product.servers(), product.failed_tries()
    keeper, server = psutil.Process(before["keeper_pid"]), psutil.Process(before["server_pid"])
    keeper.suspend()
    try:
        server.send_signal(end)
        wait_until(lambda: server.status() == psutil.STATUS_ZOMBIE, 30)
        enough = failed + FAILED_TRIES
        wait_until(lambda: product.failed_tries() >= enough, BACK_AT_WORK_S, lambda: product.running.said)
        assert requests.get(f"{product.url}/readyz", timeout=30).status_code == 503
    finally:
        keeper.resume()
    wait_until(lambda: product.servers().get("server_pid") not in (None, before["server_pid"]), 60)


@contextmanager
def _database(product: Product) -> Iterator[psycopg.Connection]:
    connection = psycopg.connect(product.servers()["url"])
    try:
        yield connection
    finally:
        connection.close()


def _manage(place: Path, *words: str, **more: str) -> Running:
    more |= {"FLEETLEDGER_STATE_DIR": str(place / "state")}
    return MYSELF.start([str(ROOT / "manage.py"), *words], home=place, **more)
