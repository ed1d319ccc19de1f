"""Knows, in a web process, whether the database answers now; and frees requests that wait for one that hangs.

A server that was stopped refuses, and each request learns it by itself. One that hangs says nothing at all: whoever
waits for it would wait for ever, and soon all threads would. So a thread asks each second; once it got no answer
FAILURES times in a row, the sockets of all connections in use are shut, which ends the waiting with an error.
"""

import os
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerError
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
import structlog
from django.db.backends.signals import connection_created

from fleetledger.rest import readiness

EVERY_S = 1.0
PATIENCE_S = 1.8
FAILURES = 2  # one alone may be our own: a machine with too much to do
log = structlog.get_logger(__name__)


class Watch:
    """One for each process; it watches from `start` on."""

    def __init__(self) -> None:
        self._is_watching = False
        self._failures = 0
        self._connections: WeakSet[Any] = WeakSet()
        self._asking: Future[None] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="database-watch")
        self._line: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock = threading.Lock()

    @property
    def is_away(self) -> bool:
        """Whether it has not answered lately; False while nobody watches."""
        return self._failures >= FAILURES

    def start(self) -> None:
        """Watch from now on, in a thread of its own."""
        self._is_watching = True
        connection_created.connect(self._remember, weak=False, dispatch_uid="availability-watch")
        threading.Thread(target=self._watch, name="database-watcher", daemon=True).start()

    def answers_now(self) -> bool:
        """Ask it, and wait for PATIENCE_S at most; yes while nobody watches."""
        if not self._is_watching:
            return True
        with self._lock:
            if self._asking is None or self._asking.done():
                self._asking = self._pool.submit(self._ask)
            asking = self._asking
        try:
            asking.result(timeout=PATIENCE_S)
        except (NoAnswerError, psycopg.Error, OSError):
            return False
        return True

    def _watch(self) -> None:
        was_away = False
        while True:
            self._failures = 0 if self.answers_now() else self._failures + 1
            if self.is_away != was_away:
                was_away = self.is_away
                log.warning("the database is away" if was_away else "the database is back")
            if was_away:
                self._free()
            time.sleep(0 if self._failures == 1 else EVERY_S)

    def _ask(self) -> None:
        try:
            if self._line is None or self._line.closed:
                self._line = readiness.open_database()
            self._line.execute("SELECT 1")
        except (psycopg.Error, OSError):
            line, self._line = self._line, None
            if line is not None:
                line.close()
            raise

    def _remember(self, connection: Any, **_: Any) -> None:
        if isinstance(connection.connection, psycopg.Connection):
            self._connections.add(connection.connection)

    def _free(self) -> None:
        """End the waiting of whoever holds a connection; our own included, for it may hang as they do."""
        lines = [*list(self._connections), *([self._line] if self._line else [])]
        for line in lines:
            with suppress(psycopg.Error, OSError, ValueError):
                if not line.closed:
                    _shut(line.fileno())


def _shut(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as copy:
        copy.shutdown(socket.SHUT_RDWR)


watch = Watch()
