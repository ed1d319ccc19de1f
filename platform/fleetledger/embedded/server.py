"""What the keeper asks of a server that it keeps running."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

LEFTOVER_S = 30.0


class Server(Protocol):
    """A server of one state directory: made ready, started, watched and stopped by one keeper."""

    @property
    def title(self) -> str: ...

    @property
    def start_seconds(self) -> float:
        """How long it may take until it answers; recovery after a crash is the longest case."""
        ...

    @property
    def stop_steps(self) -> tuple[tuple[signal.Signals, float], ...]:
        """The signals that end it, each with the seconds that it gets."""
        ...

    def prepare(self) -> None:
        """Make what the first start needs; does nothing later on."""
        ...

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]: ...

    def is_ready(self, pid: int) -> bool: ...

    def settle(self) -> None:
        """What can only be done once it answers; may run at every start."""
        ...

    def url(self) -> str:
        """How clients reach it."""
        ...


def stop(process: subprocess.Popen[bytes], steps: tuple[tuple[signal.Signals, float], ...]) -> None:
    """End a child of ours, each step harsher than the one before."""
    for step, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(step)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def wait_for_leftover(pid: int | None, program: str) -> None:
    """Let an earlier server end before the next takes its files; one that does not is killed.

    After a SIGKILL of its keeper a server still writes its last lines. A pid that belongs to another program by now is
    left alone.
    """
    deadline = time.monotonic() + LEFTOVER_S
    while pid is not None and _runs(pid, program):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _runs(pid: int, program: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return name.startswith(program) and rest.split()[0] != "Z"
