"""Keeps one embedded server running for as long as any command uses it, then stops it.

One process of its own per server and state directory, so that the command that started it may end before the last:
1. a command shares the lock `<server>.users`; the kernel takes that share back however the command ends;
2. the keeper holds `<server>.keeper` alone for its life, starts the server and notes its address in `<server>.ready`;
3. a thread of the keeper waits to hold `<server>.users` alone: then nobody is left, so the server is stopped;
4. a server that dies in between is started again, with growing pauses;
5. when the keeper itself is killed, the kernel ends the server (see launch).
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fleetledger.embedded.errors import EmbeddedError, ServerFailedError
from fleetledger.embedded.locks import POLL_S, FileLock
from fleetledger.embedded.postgres_server import PostgresServer
from fleetledger.embedded.redis_server import RedisServer
from fleetledger.embedded.server import Server, stop
from fleetledger.embedded.state import StateDir, write_secret

KINDS: dict[str, type[PostgresServer] | type[RedisServer]] = {"postgres": PostgresServer, "redis": RedisServer}
LONGEST_PAUSE_S = 10.0
LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Marks:
    """The files by which commands and the keeper of one server find each other."""

    state: StateDir
    kind: str

    @property
    def users(self) -> Path:
        return self.state.locks / f"{self.kind}.users"

    @property
    def keeper(self) -> Path:
        return self.state.locks / f"{self.kind}.keeper"

    @property
    def starting(self) -> Path:
        return self.state.locks / f"{self.kind}.starting"

    @property
    def ready(self) -> Path:
        return self.state.locks / f"{self.kind}.ready"

    @property
    def failure(self) -> Path:
        return self.state.locks / f"{self.kind}.failure"

    @property
    def log(self) -> Path:
        return self.state.logs / f"{self.kind}.log"


class Keeper:
    """Starts, watches and stops the one server."""

    def __init__(self, marks: Marks, log: IO[bytes]) -> None:
        self._marks = marks
        self._log = log
        self._server: Server = KINDS[marks.kind](marks.state)
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._over = threading.Event()

    def run(self) -> None:
        """Keep the server until nobody uses it or we are told to end."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        self._server.prepare()
        process = self._start()
        threading.Thread(target=self._wait_for_last_user, daemon=True).start()
        pause_s = 0.5
        try:
            while not self._over.is_set():
                started_at = time.monotonic()
                self._wait(process)
                if self._over.is_set():
                    break
                self._marks.ready.unlink(missing_ok=True)
                self._say(f"{self._server.title} ended by itself (status {process.returncode}); starting it again")
                pause_s = 0.5 if time.monotonic() - started_at > LONGEST_PAUSE_S else min(pause_s * 2, LONGEST_PAUSE_S)
                self._pause(pause_s)
                process = self._restart(process)
        finally:
            self._marks.ready.unlink(missing_ok=True)
            stop(process, self._server.stop_steps)

    def _start(self) -> subprocess.Popen[bytes]:
        process = self._server.start(self._log)
        deadline = time.monotonic() + self._server.start_seconds
        try:
            while not self._server.is_ready(process.pid):
                if process.poll() is not None:
                    raise ServerFailedError(
                        self._server.title, f"it ended with status {process.returncode}", self._marks.log
                    )
                if self._over.is_set() or time.monotonic() > deadline:
                    raise ServerFailedError(self._server.title, "it did not answer in time", self._marks.log)
                time.sleep(POLL_S)
            self._server.settle()
        except EmbeddedError:
            stop(process, self._server.stop_steps)
            raise
        write_secret(
            self._marks.ready,
            json.dumps({"url": self._server.url(), "server_pid": process.pid, "keeper_pid": os.getpid()}),
        )
        return process

    def _restart(self, ended: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        if self._over.is_set():
            return ended
        try:
            return self._start()
        except EmbeddedError as error:
            self._say(str(error))
            return ended

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Sleep until the server ends or nobody is left; waits for the child without asking again and again."""
        if process.poll() is not None:
            return
        descriptor = os.pidfd_open(process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(descriptor, selectors.EVENT_READ)
                selector.register(self._wake_read, selectors.EVENT_READ)
                selector.select()
        finally:
            os.close(descriptor)
        process.poll()

    def _pause(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.select(seconds)

    def _wait_for_last_user(self) -> None:
        FileLock(
            self._marks.users
        ).block_exclusive()  # held until we are gone: who comes meanwhile waits for a fresh start
        self._end()

    def _end(self, *_signal: object) -> None:
        self._over.set()
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _say(self, words: str) -> None:
        self._log.write(f"keeper: {words}\n".encode())
        self._log.flush()


def main(arguments: list[str]) -> int:
    """Entry of the keeper's process: the kind of server with the state directory."""
    kind, root = arguments
    marks = Marks(StateDir(Path(root)), kind)
    lock = FileLock(marks.keeper)
    if not lock.wait_exclusive(10):
        return 1
    marks.ready.unlink(missing_ok=True)
    marks.failure.unlink(missing_ok=True)
    with marks.log.open("ab") as log:
        try:
            Keeper(marks, log).run()
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            write_failure(marks, str(error))
            return 1
    return 0


def write_failure(marks: Marks, words: str) -> None:
    """Leave the reason for whoever waits for us."""
    marks.failure.write_text(words, encoding="utf-8")


def open_log(marks: Marks) -> IO[bytes]:
    """The server's log, with the one before kept when it has grown large."""
    if marks.log.exists() and marks.log.stat().st_size > LOG_LIMIT_BYTES:
        marks.log.replace(marks.log.with_suffix(".log.1"))
    return marks.log.open("ab")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
