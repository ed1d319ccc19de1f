"""Alerting from outside: one file, one command, alerts by HTTP, and receivers that note what they were told when."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.alerts.receiver import Receiver, receiving
from tests.prometheus import free_port

pytestmark = pytest.mark.realtime
ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
teams:
  - {{slug: acme, name: Acme}}
  - {{slug: other, name: Other}}
  - {{slug: calm, name: Calm}}
alerting:
  - team: acme
    route: &quick {{receiver: hook, group_by: [alertname], group_wait: 2s, group_interval: 5s, repeat_interval: 20s}}
    receivers: [{{name: hook, webhook: [{{url: "{acme}"}}]}}]
  - team: other
    route: {{receiver: hook, group_by: [alertname], group_wait: 2s, group_interval: 5s, repeat_interval: 20s}}
    receivers: [{{name: hook, webhook: [{{url: "{other}"}}]}}]
  - team: calm
    route: {{receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 4h}}
    receivers: [{{name: hook, webhook: [{{url: "{calm}"}}]}}]
""".replace("&quick ", "")
GROUP_INTERVAL_S = 5.0


class Site:
    """An installation of its own, started by the one command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        return kept | {"FLEETLEDGER_STATE_DIR": str(self.folder / "state")}

    def start(self) -> None:
        with (self.folder / "up.log").open("ab") as log:
            arguments = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(self.port)]
            self._process = subprocess.Popen(arguments, env=self._environment, stdout=log, stderr=log)
        wait_until(self._answers, 120, lambda: (self.folder / "up.log").read_text()[-3000:])

    def kill_everything(self) -> None:
        """SIGKILL to every process of it at once, PostgreSQL and Redis among them."""
        assert self._process is not None
        ours = [self._process.pid, *(child.pid for child in psutil.Process(self._process.pid).children(recursive=True))]
        state = str(self.folder / "state")
        servers = [
            item.pid for item in psutil.process_iter(["cmdline"]) if state in " ".join(item.info["cmdline"] or [])
        ]
        for pid in {*ours, *servers}:
            kill(pid)
        self._process.wait(20)
        wait_until(lambda: not any(map(psutil.pid_exists, servers)), 30)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def run(self, *arguments: str) -> str:
        """A command's standard output; it succeeds."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, path: str, token: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 loopback
            content = answer.read()
        return json.loads(content) if content else None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "up.log").read_text()[-3000:]
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status == 200)
        except OSError:
            return False


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(is_done: Callable[[], bool], seconds: float, said: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < deadline, said()
        time.sleep(0.1)


@contextmanager
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="fl-alerting-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        one = Site(folder)
        try:
            one.start()
            yield one
        finally:
            one.stop()


def alert(name: str, **labels: str) -> dict[str, Any]:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    return {"labels": {"alertname": name, **labels}, "endsAt": ends_at.isoformat()}


def told(receiver: Receiver, since: float) -> list[tuple[float, list[str]]]:
    """When each message came, in seconds, and the alerts it held by their label gpu."""
    return [
        (item.at - since, sorted(entry["labels"].get("gpu", "") for entry in item.document["alerts"]))
        for item in receiver.told
    ]


def late(receiver: Receiver, since: float, due: list[float]) -> list[tuple[float, float]]:
    """Which messages were not told within the interval that begins when they were due, as (due, told) in seconds."""
    times = [at for at, _ in told(receiver, since)]
    return [
        (wanted, at)
        for wanted, at in zip(due, times, strict=True)
        if not wanted - 0.5 <= at < wanted + GROUP_INTERVAL_S
    ]


def test_messages_come_when_alertmanager_would_send_them_and_a_crash_of_everything_repeats_none() -> None:
    with receiving() as acme, receiving() as other, receiving() as calm, site() as one:
        (one.folder / "fleet.yaml").write_text(CONFIG.format(acme=acme.url, other=other.url, calm=calm.url))
        one.run("apply", str(one.folder / "fleet.yaml"))
        tokens = {
            team: one.run(
                "token", "create", "--name", team, "--scope", "write:alerts", "--scope", "read", "--team", team
            )
            for team in ("acme", "other", "calm")
        }

        began = time.time()
        one.ask("/t/acme/api/v2/alerts", tokens["acme"], [alert("Hot", gpu="0")])
        one.ask("/t/other/api/v2/alerts", tokens["other"], [alert("Hot", gpu="0")])
        wait_until(lambda: len(other.told) == 1, 30)
        one.ask("/t/other/api/v2/alerts", tokens["other"], [alert("Hot", gpu="1")])
        wait_until(lambda: len(acme.told) >= 3 and len(other.told) >= 3, 60)
        both = ["0", "1"]
        assert [said for _, said in told(acme, began)] == [["0"]] * 3
        assert [said for _, said in told(other, began)] == [["0"], both, both]
        assert late(acme, began, [2, 22, 42]) == late(other, began, [2, 7, 27]) == []

        one.ask("/t/calm/api/v2/alerts", tokens["calm"], [alert("Hot", gpu="0")])
        wait_until(lambda: len(calm.told) == 1, 30)
        now = datetime.now(UTC)
        silence = {
            "matchers": [{"name": "gpu", "value": "7", "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=2)).isoformat(),
            "createdBy": "mira",
            "comment": "A fan is being replaced.",
        }
        made = one.ask("/t/calm/api/v2/silences", tokens["calm"], silence)["silenceID"]
        time.sleep(4)
        one.kill_everything()
        one.start()
        assert [item["id"] for item in one.ask("/t/calm/api/v2/silences", tokens["calm"])] == [made]
        time.sleep(8)  # four of the group's intervals
        assert len(calm.told) == 1
