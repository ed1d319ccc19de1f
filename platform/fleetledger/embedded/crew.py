"""Starts the parts of the product, starts those again that die, and ends them all."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fleetledger.embedded import launch
from fleetledger.embedded.console import Console

LONGEST_PAUSE_S = 15.0
STEADY_AFTER_S = 60.0
POLL_S = 0.05
StopSteps = tuple[tuple[signal.Signals, float], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the product: how it is started and how it is ended."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    stop_steps: StopSteps
    is_one_shot: bool = False
    ends_last: bool = False  # others need it until they have ended themselves
    listen: Callable[[str], bool] | None = None  # takes a line for itself by answering True


@dataclass(slots=True)
class Child:
    """A part that runs, or waits for its next start."""

    part: Part
    process: subprocess.Popen[bytes]
    started_at: float
    deaths: int = 0
    pause_s: float = 1.0
    next_start_at: float | None = None
    status: int | None = field(default=None)


class Crew:
    """All parts of one supervisor, for its main thread alone: the kernel ties a death signal to the thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._children: list[Child] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.is_ending = False

    def start(self, part: Part) -> Child:
        child = Child(part=part, process=self._spawn(part), started_at=time.monotonic())
        self._children.append(child)
        return child

    def step(self, seconds: float) -> None:
        """Sleep until something happens, at most so long; then see to the parts that ended."""
        pauses = [child.next_start_at - time.monotonic() for child in self._children if child.next_start_at is not None]
        self._sleep(max(0.0, min([seconds, *pauses])))
        for child in self._children:
            self._see_to(child)

    def wait_for(self, child: Child) -> int:
        """Wait for a one-shot part's end; gives its status, or 1 when all is being ended."""
        while child.status is None:
            if self.is_ending:
                return 1
            self.step(10)
        return child.status

    def end(self) -> None:
        """End all parts, side by side, each by its own steps; those that others lean on afterwards."""
        self.is_ending = True
        for is_last in (False, True):
            self._end([child for child in self._children if child.part.ends_last is is_last and _runs(child)])

    def _end(self, children: list[Child]) -> None:
        waiting = [(child, iter(child.part.stop_steps), 0.0) for child in children]
        while waiting:
            waiting = [(child, steps, _harsher(child, steps, until)) for child, steps, until in waiting if _runs(child)]
            time.sleep(POLL_S)

    def request_end(self) -> None:
        """Ask for the end from a signal handler; asked twice, the parts are killed at once."""
        if self.is_ending:
            for child in self._children:
                with suppress(ProcessLookupError):
                    child.process.kill()
        self.is_ending = True
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _see_to(self, child: Child) -> None:
        now = time.monotonic()
        if child.next_start_at is not None:
            if now >= child.next_start_at and not self.is_ending:
                child.process, child.started_at, child.next_start_at = self._spawn(child.part), now, None
            return
        if child.status is not None or child.process.poll() is None:
            return
        if child.part.is_one_shot or self.is_ending:
            child.status = child.process.returncode
            return
        child.deaths += 1
        child.pause_s = 1.0 if now - child.started_at > STEADY_AFTER_S else min(child.pause_s * 2, LONGEST_PAUSE_S)
        child.next_start_at = now + child.pause_s
        self._console.pass_on(
            child.part.name, f"ended with status {child.process.returncode}; starts again in {child.pause_s:.0f} s"
        )

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        # SIGKILL: without a supervisor there is nothing to wait for, and some parts ignore SIGTERM while they start
        process = launch.start(
            part.command,
            death_signal=signal.SIGKILL,
            output=subprocess.PIPE,
            environment=part.environment,
            folder=Path("/"),
        )
        if process.stdout is not None:
            threading.Thread(target=self._read, args=(part, process.stdout), daemon=True).start()
        return process

    def _read(self, part: Part, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                if line and not (part.listen and part.listen(line)):
                    self._console.pass_on(part.name, line)

    def _sleep(self, seconds: float) -> None:
        with ExitStack() as opened, selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            for child in self._children:
                if child.process.returncode is None:
                    selector.register(opened.enter_context(_watched(child.process.pid)), selectors.EVENT_READ)
            selector.select(seconds)


def _runs(child: Child) -> bool:
    return child.process.poll() is None


def _harsher(child: Child, steps: Iterator[tuple[signal.Signals, float]], until: float) -> float:
    """Take the next step once the last one had its time; gives the moment until which this one has."""
    if time.monotonic() < until:
        return until
    step, seconds = next(steps, (signal.SIGKILL, 1.0))
    child.process.send_signal(step)
    return time.monotonic() + seconds


@contextmanager
def _watched(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
