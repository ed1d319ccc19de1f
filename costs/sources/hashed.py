"""A stream whose SHA-256 is made beside whatever else is done with its bytes."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import BinaryIO, Self

PIECE_BYTES = 2 * 1024 * 1024


class Hashed:
    """Reads a stream from its start and hashes in a thread what was read; a context, whose end ends the thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha = hashlib.sha256()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def read(self, count: int) -> bytes:
        return self._note(self._stream.read(count))

    def readline(self, count: int) -> bytes:
        return self._note(self._stream.readline(count))

    def seek(self, offset: int) -> None:
        """Back to `offset` 0, as if nothing had been read. Raises ValueError for another."""
        if offset:
            raise ValueError(f"{offset} is not where the file starts, and hashing begins there.")
        self._wait()
        self._sha = hashlib.sha256()
        self._stream.seek(0)

    def hexdigest(self) -> str:
        """SHA-256 of the whole stream, whether or not all of it was read."""
        while self.read(PIECE_BYTES):
            pass
        self._wait()
        return self._sha.hexdigest()

    def _note(self, piece: bytes) -> bytes:
        self._wait()  # one piece at a time, so that memory stays bounded
        self._last = self._pool.submit(self._sha.update, piece)
        return piece

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
