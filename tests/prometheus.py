"""A real Prometheus for tests, filled from OpenMetrics text or scraping what it is told to."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("prometheus") or "/usr/bin/prometheus"
PROMTOOL = shutil.which("promtool") or "/usr/bin/promtool"
START_SECONDS = 30.0
BLOCKS_OF = "--max-block-duration=768h"  # the file is read once for each block
EMPTY_CONFIG = "global: {scrape_interval: 15s}\n"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def fill(folder: Path, samples: Path | str) -> None:
    """Turn OpenMetrics (a file, or text that ends with # EOF) into Prometheus' blocks in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = samples
    if isinstance(samples, str):
        source = folder.parent / f"{folder.name}.om"
        source.write_text(samples)
    subprocess.run(
        [PROMTOOL, "tsdb", "create-blocks-from", BLOCKS_OF, "openmetrics", str(source), str(folder)],
        check=True,
        capture_output=True,
        timeout=60,
    )


def openmetrics(lines: Iterable[str]) -> str:
    """OpenMetrics text of `lines` (name{labels} value seconds): families together, each in order of time."""
    families: dict[str, list[str]] = {}
    for line in lines:
        families.setdefault(line.split("{", 1)[0], []).append(line)
    parts = [f"# TYPE {name} gauge\n" + "\n".join(rows) for name, rows in families.items()]
    return "\n".join(parts) + "\n# EOF\n"


@contextmanager
def serving(folder: Path, config: str = EMPTY_CONFIG, *arguments: str) -> Iterator[str]:
    """Run Prometheus on `folder`; gives its address once it answers, stops it afterwards."""
    port = free_port()
    settings = folder.parent / f"{folder.name}.yml"
    settings.write_text(config)
    log = (folder.parent / f"{folder.name}.log").open("wb")
    process = subprocess.Popen(
        [
            PROGRAM,
            f"--config.file={settings}",
            f"--storage.tsdb.path={folder}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            *arguments,
        ],
        stdout=log,
        stderr=log,
        env=os.environ | {"GOMAXPROCS": "1"},
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/-/ready", timeout=2):  # noqa: S310 our own loopback server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"Prometheus did not become ready at {address}.")
