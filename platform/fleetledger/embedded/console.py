"""Prints what the parts say, each line under its part's name, one writer at a time."""

import sys
import threading
from contextlib import suppress

WIDTH = 9


class Console:
    """Standard output shared by many readers; a closed terminal stops the words, never the product."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, words: str) -> None:
        """The supervisor's own voice, without a prefix."""
        self._write(f"{words}\n")

    def pass_on(self, name: str, line: str) -> None:
        self._write(f"{name:<{WIDTH}} | {line}\n")

    def _write(self, text: str) -> None:
        with self._lock, suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
