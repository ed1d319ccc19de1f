"""Locks on files, which the kernel lets go of when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.05


class FileLock:
    """One open lock file: shared by many or held by one."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, seconds: float) -> bool:
        return self._wait(fcntl.LOCK_SH, seconds)

    def wait_exclusive(self, seconds: float) -> bool:
        return self._wait(fcntl.LOCK_EX, seconds)

    def block_exclusive(self) -> None:
        """Sleep in the kernel until nobody else holds the lock."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def note(self, words: str) -> None:
        """Leave a word for whoever finds the lock taken."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, words.encode(), 0)

    def read_note(self) -> str:
        return os.pread(self._descriptor, 200, 0).decode(errors="replace").strip()

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, kind: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._try(kind):
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True


@contextmanager
def opened(path: Path) -> Iterator[FileLock]:
    """A lock file, closed (and so let go of) at the end."""
    lock = FileLock(path)
    try:
        yield lock
    finally:
        lock.close()
