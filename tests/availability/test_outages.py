"""Parts of a running product are really stopped, and hung: the right tile says so in time, and comes back by itself."""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from fleetledger.embedded.account import Account
from monitoring.availability.own.seen import INTERVAL_S
from tests import prometheus
from tests.embedded.running import Running, Whom, end_all, forget_what_lies_apart, free_port, living, wait_until

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]
MYSELF = Whom("myself", Account("myself", os.geteuid(), os.getegid()), sys.executable, ROOT / "platform")
IN_TIME_S = 2.5 * INTERVAL_S + 5
PAGE_S = 3.0
BACK_S = 90
FLEET = """
clusters: [{{name: c1}}]
sources: [{{name: prom, kind: prometheus, url: "{url}", cluster: c1}}]
components: [{{name: shop, title: Shop, public: true, probes: [{{source: prom, promql: {{expr: "vector(1)"}}}}]}}]
"""


@dataclass(frozen=True, slots=True)
class Product:
    """A product that runs with its own servers, seen from outside."""

    place: Path
    running: Running
    url: str
    token: str

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=20)

    def tiles(self) -> dict[str, tuple[str, str]]:
        """State and reason of our own parts by name."""
        answer = self.get("/api/v1/status")
        rows = answer.json()["own"] if answer.ok else []
        return {row["name"].removeprefix("fleetledger-"): (row["state"], row["why"]) for row in rows}

    def state(self, part: str) -> str:
        return self.tiles().get(part, ("", ""))[0]

    def process(self, *words: str) -> psutil.Process:
        """The part of the product with these words in its command line."""
        for child in psutil.Process(self.running.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if all(word in line for word in words) and "resource_tracker" not in line:
                    return child
        raise AssertionError(f"no process with {words}")

    def server(self, kind: str) -> tuple[psutil.Process, psutil.Process]:
        """The keeper of PostgreSQL or Redis, and the server itself."""
        known = json.loads((self.place / f"state/locks/{kind}.ready").read_text())
        return psutil.Process(known["keeper_pid"]), psutil.Process(known["server_pid"])

    def supervisor(self) -> psutil.Process:
        return psutil.Process(self.running.process.pid)

    def worker(self, name: str) -> str:
        return next(part for part in self.tiles() if part.startswith(f"worker-{name}"))


def _manage(place: Path, *words: str, **more: str) -> Running:
    more |= {"FLEETLEDGER_STATE_DIR": str(place / "state")}
    return MYSELF.start([str(ROOT / "manage.py"), *words], home=place, **more)


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[str, psutil.Process]]:
    """A real Prometheus with its process."""
    with tempfile.TemporaryDirectory(prefix="fl-prom-") as name:
        port = prometheus.free_port()
        settings = Path(name) / "prometheus.yml"
        settings.write_text(prometheus.EMPTY_CONFIG)
        with ExitStack() as stack:
            url = stack.enter_context(prometheus.serving(Path(name) / "data"))
            wanted = url.rpartition(":")[2]
            found = [one for one in psutil.Process().children() if f":{wanted}" in " ".join(one.cmdline())]
            yield url, found[0]
        assert port


@pytest.fixture(scope="module")
def product(watched: tuple[str, psutil.Process]) -> Iterator[Product]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="fl-tiles-") as name:
        place = Path(name)
        place.chmod(0o711)
        running = _manage(
            place, "up", "--port", str(port), FLEETLEDGER_LOG_LEVEL="INFO", FLEETLEDGER_API_RATE="100000/min"
        )
        running.says("beat      | ", 240)
        (place / "fleet.yaml").write_text(FLEET.format(url=watched[0]))
        assert _manage(place, "apply", str(place / "fleet.yaml")).ends() == 0
        made = _manage(place, "token", "create", "--name", "test", "--scope", "admin")
        assert made.ends() == 0
        token = next(line for line in made.said.splitlines() if line.startswith("fl_"))
        found = Product(place, running, f"http://127.0.0.1:{port}", token)
        names = (
            "web",
            "redis",
            "beat",
            "workers",
            "timetable",
            "notifier",
            "postgresql",
            "queue",
            "outbox",
            "source-prom",
        )
        wait_until(lambda: all(found.state(part) == "up" for part in names), 120, lambda: str(found.tiles()))
        yield found
        running.process.terminate()
        assert running.ends(30) == 0
        end_all()
        wait_until(lambda: not living(place), 20, lambda: "\n".join(living(place)))
        forget_what_lies_apart(place)


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """Hung by SIGSTOP, until the end of the block."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def turns(product: Product, part: str) -> str:
    """The sentence with which a tile stops being green, in time."""
    wait_until(lambda: product.state(part) in ("unknown", "down"), IN_TIME_S, lambda: str(product.tiles()))
    return product.tiles()[part][1]


def comes_back(product: Product, part: str) -> None:
    wait_until(lambda: product.state(part) == "up", BACK_S, lambda: str(product.tiles()))


def test_beat_that_hangs_or_ends(product: Product) -> None:
    with stopped(product.process("celery", " beat")):
        assert turns(product, "beat").startswith("Beat has not renewed its lock for ")
    comes_back(product, "beat")
    with stopped(product.supervisor()):
        product.process("celery", " beat").kill()
        assert turns(product, "beat")
    comes_back(product, "beat")


def test_a_worker_that_hangs_or_ends(product: Product) -> None:
    part = product.worker("bills")
    hung = product.process("celery", "worker", "bills@")
    with stopped(hung, *hung.children(recursive=True)):
        assert turns(product, part).startswith("It has not answered for ")
        assert product.state("workers") == "up"
    comes_back(product, part)
    with stopped(product.supervisor()):
        product.process("celery", "worker", "bills@").kill()
        assert turns(product, part).startswith("It has not answered for ")
    comes_back(product, part)


def test_redis_that_hangs_or_ends_while_pages_answer(product: Product) -> None:
    keeper, server = product.server("redis")
    with stopped(server):
        assert turns(product, "redis") == "It does not answer within 1 s."
        assert turns(product, "beat") == "Redis does not answer, so nobody can say."
        assert product.get("/sign-in").status_code in (200, 404)
        assert product.get("/api/v1/components").status_code == 200
    comes_back(product, "redis")
    comes_back(product, "beat")
    with stopped(keeper):
        server.kill()
        assert turns(product, "redis") in ("It takes no connection.", "It does not answer within 1 s.")
        assert product.get("/api/v1/components").status_code == 200
    comes_back(product, "redis")
    comes_back(product, "workers")
    comes_back(product, "timetable")


def test_a_notifier_that_hangs_leaves_nothing_green(product: Product) -> None:
    def is_grey() -> bool:
        states = {state for state, _ in product.tiles().values()}
        return states == {"unknown"}

    with stopped(product.process(" notifier")):
        wait_until(is_grey, IN_TIME_S, lambda: str(product.tiles()))
        assert product.tiles()["postgresql"][1].startswith("No sample since ")
    comes_back(product, "postgresql")


def test_a_database_that_hangs_or_ends_leaves_the_last_picture(product: Product) -> None:
    wait_until((product.place / "state/status.json").exists, 20)
    wait_until(lambda: "Shop" in (product.place / "state/status.json").read_text(), 60)
    keeper, server = product.server("postgres")
    with stopped(server, *server.children(recursive=True)):
        _shows_the_last_picture(product)
    wait_until(lambda: _answers(product), 60, lambda: product.running.said[-3000:])
    comes_back(product, "postgresql")
    with stopped(keeper):
        server.send_signal(signal.SIGINT)
        wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 30)
        _shows_the_last_picture(product)
    wait_until(lambda: _answers(product), 90, lambda: product.running.said[-3000:])
    comes_back(product, "postgresql")


def _shows_the_last_picture(product: Product) -> None:
    for _ in range(4):
        page, took_s = _timed(lambda: requests.get(f"{product.url}/status", timeout=20))
        assert took_s < PAGE_S
        assert page.status_code == 200
        assert "Down: it does not answer." in page.text
        assert "Shop" in page.text
        assert "as of 20" in page.text
    for path in ("/", "/alerts", "/api/v1/components"):
        refused, took_s = _timed(lambda path=path: product.get(path))  # type: ignore[misc]
        assert (path, refused.status_code) == (path, 503)
        assert "does not answer" in refused.text
        assert took_s < 30


def _answers(product: Product) -> bool:
    with suppress(requests.RequestException):
        return product.get("/api/v1/components").status_code == 200
    return False


def _timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - started


def test_a_prometheus_that_hangs_or_ends(product: Product, watched: tuple[str, psutil.Process]) -> None:
    with stopped(watched[1]):
        assert "did not answer" in turns(product, "source-prom")
    comes_back(product, "source-prom")
    watched[1].kill()
    assert "cannot be reached" in turns(product, "source-prom")
    wait_until(lambda: _shop(product)["state"] == "unknown", 2.5 * 30 + 5, lambda: str(_shop(product)))
    assert "cannot be reached" in _shop(product)["why"]


def _shop(product: Product) -> dict[str, str]:
    found: dict[str, str] = product.get("/api/v1/components/shop").json()["component"]
    return found
