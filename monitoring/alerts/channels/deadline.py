"""A limit on the whole of a conversation, however slowly the other side feeds it."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer

LEAST_S = 0.001


class Deadline:
    """So many seconds from now, for everything together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    @property
    def left_s(self) -> float:
        """What is left; never 0, which sockets take for no limit or for no waiting."""
        return max(LEAST_S, self._ends_at - time.monotonic())

    @contextmanager
    def ending(self, current: Callable[[], socket.socket | None]) -> Iterator[None]:
        """Shut the conversation's socket when time is over: a limit per read would start anew with each byte."""
        timer = Timer(self.left_s, lambda: _shut(current()))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(found: socket.socket | None) -> None:
    if found is not None:
        with suppress(OSError):
            # past SSLSocket's own, which would pull its state from under the reader
            socket.socket.shutdown(found, socket.SHUT_RDWR)
