"""One command brings everything up and takes all of it down, as root and as an ordinary user."""

import json
import signal
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.embedded.running import Running, Whom, free_port, living, wait_until

pytestmark = pytest.mark.realtime


def up(whom: Whom, home: Path, port: int, state: Path | None = None, **more: str) -> Running:
    place = ["--state-dir", str(state)] if state else []
    return whom.start([str(whom.packages / "stand_in.py"), "up", "--port", str(port), *place], home=home, **more)


def ready(whom: Whom, home: Path, port: int) -> tuple[Running, Path]:
    state = home / "state"
    running = up(whom, home, port, state)
    running.says(f"Ready: http://127.0.0.1:{port}\n")
    wait_until(lambda: sum("stand_in.py" in line for line in living(state)) >= 4, 20, lambda: running.said)
    return running, state


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return str(answer.read().decode())


def test_a_term_stops_everything_within_its_time_even_a_part_that_ignores_it(whom: Whom, home: Path) -> None:
    port = free_port()
    running, state = ready(whom, home, port)
    assert "First visit: " in running.said
    running.process.send_signal(signal.SIGTERM)
    assert running.ends(20) == 0
    assert living(state) == []
    assert running.said.splitlines()[-1] == "Stopped."


def test_ctrl_c_stops_everything_and_the_next_start_serves_again(whom: Whom, home: Path) -> None:
    port = free_port()
    for _ in range(2):
        running, state = ready(whom, home, port)
        assert len(page(port)) == 24
        running.process.send_signal(signal.SIGINT)
        assert running.ends(20) == 0
        assert living(state) == []


def test_a_killed_supervisor_leaves_no_orphans(whom: Whom, home: Path) -> None:
    port = free_port()
    running, state = ready(whom, home, port)
    running.process.kill()
    running.ends()
    wait_until(lambda: not living(state), 15, lambda: "\n".join(living(state)))
    again, _ = ready(whom, home, port)
    again.process.terminate()
    assert again.ends(20) == 0


def test_killed_keepers_leave_no_servers_and_the_rest_still_stops(whom: Whom, home: Path) -> None:
    running, state = ready(whom, home, free_port())
    for name in ("postgres", "redis"):
        psutil.Process(json.loads((state / f"locks/{name}.ready").read_text())["keeper_pid"]).kill()
    wait_until(lambda: not any("-D " in line or "redis-server" in line for line in living(state)), 15)
    running.process.terminate()
    assert running.ends(20) == 0


def test_a_second_start_on_the_same_state_directory_is_refused_and_changes_nothing(whom: Whom, home: Path) -> None:
    port = free_port()
    running, state = ready(whom, home, port)
    word = page(port)
    second = up(whom, home, free_port(), state)
    assert second.ends() == 1
    assert second.said == (
        f"Fleetledger is already running on {state} (process {running.process.pid}): "
        "stop that one, or choose another one with --state-dir.\n"
    )
    assert page(port) == word
    running.process.terminate()
    assert running.ends(20) == 0


def test_a_port_that_somebody_else_has_is_refused_in_a_sentence(whom: Whom, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = up(whom, home, port, home / "state")
        assert refused.ends() == 1
    sentence = f"Port {port} on 127.0.0.1 is in use by another program: choose another one with --port.\n"
    assert refused.said == sentence


def test_a_host_that_is_not_ours_is_refused_in_a_sentence(whom: Whom, home: Path) -> None:
    refused = whom.start([str(whom.packages / "stand_in.py"), "up", "--host", "192.0.2.1"], home=home)
    assert refused.ends() == 1
    assert "192.0.2.1:8000 cannot be used" in refused.said


def test_wrong_usage_exits_with_two(whom: Whom, home: Path) -> None:
    wrong = whom.start([str(whom.packages / "stand_in.py"), "up", "--port", "70000"], home=home)
    assert wrong.ends() == 2
    assert "'70000' is no port: give a number from 1 to 65535." in wrong.said


def test_a_part_that_dies_starts_again_and_a_database_that_dies_comes_back(whom: Whom, home: Path) -> None:
    port = free_port()
    running, state = ready(whom, home, port)
    mark = state / "locks/postgres.ready"
    first = json.loads(mark.read_text())
    psutil.Process(first["server_pid"]).kill()
    next(process for process in psutil.process_iter() if _is_web(process, port)).kill()
    running.says("web       | ended with status -9; starts again in 2 s")
    wait_until(lambda: mark.exists() and json.loads(mark.read_text())["server_pid"] != first["server_pid"], 30)
    wait_until(lambda: any(_is_web(process, port) for process in psutil.process_iter()), 30)
    running.process.terminate()
    assert running.ends(20) == 0


def test_a_demo_fills_itself_once_beside_the_product_and_says_its_logins(whom: Whom, home: Path) -> None:
    state = home / "state"
    program = [
        str(whom.packages / "stand_in.py"),
        "up",
        "--demo",
        "--state-dir",
        str(state),
        "--port",
        str(free_port()),
    ]
    running = whom.start(program, home=home)
    running.says("demo      | The demo's logins, from ")
    port = (state / "demo-port").read_text()
    assert f"The demo's logins, from {port}\n" in running.said
    assert "First visit" not in running.said
    wait_until(lambda: any(line.endswith(f"wait world {port}") for line in living(state)), 20)
    wait_until(lambda: not any("seed" in line for line in living(state)), 20)
    running.process.terminate()
    assert running.ends(20) == 0


def test_without_a_state_directory_a_users_own_place_is_taken(whom: Whom, home: Path) -> None:
    port = free_port()
    running = up(whom, home, port, FLEETLEDGER_STATE_DIR=str(home / "named"))
    running.says("Ready: ")
    assert (home / "named" / "secret-key").stat().st_mode & 0o777 == 0o600
    running.process.terminate()
    assert running.ends(20) == 0


def test_a_prepare_that_fails_ends_the_start_with_a_sentence(whom: Whom, home: Path) -> None:
    broken = "import sys; from fleetledger.embedded import product, up\n"
    broken += "product.Product.prepare = lambda self: ['/bin/false']\n"
    broken += "sys.exit(up.main(sys.argv[1:]))"
    failed = whom.start(["-c", broken, "--state-dir", str(home / "state"), "--port", str(free_port())], home=home)
    assert failed.ends() == 1
    assert "The part 'prepare' failed: its last lines are above." in failed.said


def _is_web(process: psutil.Process, port: int) -> bool:
    try:
        return process.cmdline()[-3:] == ["web", "127.0.0.1", str(port)]
    except psutil.Error:
        return False
