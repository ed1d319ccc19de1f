"""Real servers for tests of alerting: Debian's Alertmanager, and our own web part on the test's database."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from fleetledger.embedded import parts
from tests.prometheus import free_port

ALERTMANAGER = shutil.which("prometheus-alertmanager") or "/usr/bin/prometheus-alertmanager"
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


@contextmanager
def alertmanager(folder: Path, config: str) -> Iterator[str]:
    """Run Debian's Alertmanager with this configuration; gives its address."""
    port = free_port()
    (folder / "alertmanager.yml").write_text(config)
    arguments = [
        ALERTMANAGER,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with _running(arguments, folder / "alertmanager.log", os.environ | {"GOMAXPROCS": "1"}):
        address = f"http://127.0.0.1:{port}"
        wait_until_answers(f"{address}/-/ready")
        yield address


@contextmanager
def web(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run our web part, as in production, on the database of the running test (one that commits); gives its address."""
    port = free_port()
    with _running(parts.web_command("127.0.0.1", port, threads=4), folder / "web.log", our_environment(environment)):
        address = f"http://127.0.0.1:{port}"
        wait_until_answers(f"{address}/healthz")
        yield address


def our_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which our own programs find the test's database and the checkout."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    return {
        **os.environ,
        "DATABASE_URL": database,
        "PYTHONPATH": path,
        "DJANGO_SETTINGS_MODULE": "fleetledger.settings",
        **(more or {}),
    }


def our_command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def wait_until_answers(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 our own loopback server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"Nothing answers at {url}.")


@contextmanager
def _running(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env=dict(environment), stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=15)
