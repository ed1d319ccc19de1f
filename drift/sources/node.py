"""A value inside a report together with the way to it, so that every refusal names the place."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from drift.errors import UnreadableReportError

ROOT = "the report"
MAX_NAME = 500
MAX_COUNT = 10_000_000
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value at `path`. Methods that ask for a kind raise UnreadableReportError where it is another."""

    value: Any
    path: str = ""

    def refuse(self, why: str) -> NoReturn:
        raise UnreadableReportError(self.path or ROOT, why)

    def find(self, key: str) -> "Node | None":
        """What stands under `key`; None where nothing does, or null."""
        if not isinstance(self.value, dict):
            self.refuse("an object is expected.")
        found = self.value.get(key)
        return None if found is None else Node(found, self._below(key))

    def at(self, key: str) -> "Node":
        found = self.find(key)
        return found if found is not None else Node(None, self._below(key))

    def entries(self) -> Iterator[tuple[str, "Node"]]:
        if not isinstance(self.value, dict):
            self.refuse("an object is expected.")
        for key, value in self.value.items():
            yield key, Node(value, self._below(key))

    def items(self) -> Iterator["Node"]:
        if not isinstance(self.value, list):
            self.refuse("a list is expected.")
        for index, value in enumerate(self.value):
            yield Node(value, f"{self.path}[{index}]")

    def number(self) -> float | None:
        """A finite number; None for null, and for what JSON cannot write (NaN, Infinity)."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("a number is expected.")
        number = float(self.value)
        return number if math.isfinite(number) else None

    def count(self) -> int | None:
        number = self.number()
        if number is None:
            return None
        if number != int(number) or not 0 <= number <= MAX_COUNT:
            self.refuse("a count is expected, a whole number from 0.")
        return int(number)

    def share(self) -> float | None:
        number = self.number()
        if number is not None and not 0 <= number <= 1:
            self.refuse("a share is expected, a number from 0 to 1.")
        return number

    def flag(self) -> bool | None:
        if self.value is not None and not isinstance(self.value, bool):
            self.refuse("true or false is expected.")
        return self.value

    def text(self, most: int = MAX_NAME) -> str:
        """A text of at most `most` characters that a database can store; empty for null."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            self.refuse("a text is expected.")
        return storable(self.value, self.path, most)

    def name(self) -> str:
        found = self.text()
        return found if found.strip() else self.refuse("a name is expected.")

    def instant(self) -> datetime | None:
        """An instant; without a time zone it is UTC."""
        text = self.text(80)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse("an instant is expected, such as 2026-11-01T06:00:00.")
        return at

    def _below(self, key: str) -> str:
        if _PLAIN_KEY.fullmatch(key):
            return f"{self.path}.{key}" if self.path else key
        return f"{self.path}[{json.dumps(key[:_SHOWN])}]"


def storable(text: str, path: str, most: int = MAX_NAME) -> str:
    """`text`, where a database takes it."""
    if len(text) > most:
        raise UnreadableReportError(path or ROOT, f"a text of at most {most} characters is expected.")
    if _UNSTORABLE.search(text):
        raise UnreadableReportError(path or ROOT, "the text holds a character that cannot be stored.")
    return text
