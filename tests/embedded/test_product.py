"""The product itself comes up, survives its servers' deaths and goes down without a trace."""

import json
import os
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fleetledger.embedded.account import Account
from tests.embedded.running import Running, Whom, end_all, forget_what_lies_apart, free_port, living, wait_until

pytestmark = pytest.mark.realtime
ROOT = Path(__file__).resolve().parents[2]
FIRST_PAGE_S = 60


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fl-product-") as name:
        Path(name).chmod(0o711)
        yield Path(name)
        end_all()
        wait_until(lambda: not living(Path(name)), 20, lambda: "\n".join(living(Path(name))))
        forget_what_lies_apart(Path(name))


def up(place: Path, port: int, **more: str) -> Running:
    """The product as the account that runs the tests."""
    myself = Whom("myself", Account("myself", os.geteuid(), os.getegid()), sys.executable, ROOT / "platform")
    return myself.start(
        [str(ROOT / "manage.py"), "up", "--port", str(port), "--state-dir", str(place / "state")], home=place, **more
    )


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_everything_comes_up_and_goes_down_and_comes_up_again(place: Path) -> None:
    port = free_port()
    for is_first in (True, False):
        running = up(place, port)
        running.says(f"Ready: http://127.0.0.1:{port}\n", FIRST_PAGE_S)
        running.says("/set-up/")
        assert ("Applying" in running.said) is is_first
        for part in ("telemetry", "bills", "beat"):
            running.says(f"{part:<9} | ")
        wait_until(lambda: status(port, "/readyz") == 200, 30, lambda: running.said)  # noqa: B023 asked at once
        running.process.send_signal(signal.SIGTERM)
        assert running.ends(25) == 0
        assert running.said.splitlines()[-1] == "Stopped."
        assert living(place) == []


def test_a_killed_supervisor_takes_web_workers_and_servers_with_it(place: Path) -> None:
    port = free_port()
    running = up(place, port)
    running.says("Ready: ", FIRST_PAGE_S)
    running.says("beat      | ")
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert len(children) > 10
    running.process.kill()
    running.ends()
    wait_until(lambda: not [child for child in children if _lives(child)], 15)
    assert status(port, "/healthz") == 0


def test_a_database_that_dies_is_back_by_itself_and_the_pages_with_it(place: Path) -> None:
    port = free_port()
    running = up(place, port)
    running.says("Ready: ", FIRST_PAGE_S)
    mark = place / "state/locks/postgres.ready"
    first = json.loads(mark.read_text())
    psutil.Process(first["server_pid"]).kill()
    wait_until(lambda: mark.exists() and json.loads(mark.read_text())["server_pid"] != first["server_pid"], 30)
    wait_until(lambda: status(port, "/readyz") == 200, 30, lambda: running.said)
    wait_until(lambda: status(port, "/") == 200, 30, lambda: running.said)
    running.process.terminate()
    assert running.ends(25) == 0


def test_a_command_uses_the_servers_of_a_running_product(place: Path) -> None:
    port = free_port()
    running = up(place, port)
    running.says("Ready: ", FIRST_PAGE_S)
    myself = Whom("myself", Account("myself", os.geteuid(), os.getegid()), sys.executable, ROOT / "platform")
    command = myself.start(
        [str(ROOT / "manage.py"), "migrate", "--check"], home=place, FLEETLEDGER_STATE_DIR=str(place / "state")
    )
    assert command.ends() == 0, command.said
    assert sum(" -D " in line for line in living(place)) == 1
    assert status(port, "/healthz") == 200
    running.process.terminate()
    assert running.ends(25) == 0


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
