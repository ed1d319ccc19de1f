"""Keeps account of a file that is taken over: what was carried, what was not and why, and which secrets it held."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import Path, path_text

NOTHING_LIKE_IT = "Fleetledger has nothing like it."
PREFIX = "ALERTMANAGER"


@dataclass(frozen=True, slots=True)
class NotCarried:
    """`path` as receivers[0].slack_configs[0].text, with its line in the file that was read."""

    path: str
    line: int
    reason: str


@dataclass(slots=True)
class Account:
    """Each key of the file ends up carried or not; what nobody speaks of counts as not carried."""

    places: Document
    secrets: dict[str, str] = field(default_factory=dict)
    _carried: set[Path] = field(default_factory=set)
    _left: dict[Path, str] = field(default_factory=dict)
    _origins: dict[int, tuple[Any, Path]] = field(default_factory=dict)

    def carry(self, path: Path) -> None:
        """`path` with all below it that nobody leaves."""
        self._carried.add(path)

    def leave(self, path: Path, reason: str) -> None:
        """`path` with all below it is not carried."""
        self._left.setdefault(path, reason)

    def give_up(self, path: Path, reason: str) -> None:
        """As `leave`, also what was carried below it until now."""
        self._carried = {known for known in self._carried if known[: len(path)] != path}
        self._left = {known: why for known, why in self._left.items() if known[: len(path)] != path}
        self.leave(path, reason)

    def is_carried(self, path: Path) -> bool:
        return self._is_within(path, self._carried)

    def made(self, document: dict[str, Any], path: Path) -> dict[str, Any]:
        """`document`, of which is known from now on that it came of what stands at `path`."""
        self._origins[id(document)] = document, path
        return document

    def result(self, values: Mapping[str, Any]) -> Document:
        """What came of the file, each part at the line of what it came of."""
        found = Document(dict(values))
        self._place(found, values, (), ())
        return found

    def _place(self, found: Document, value: Any, path: Path, source: Path) -> None:
        _, source = self._origins.get(id(value), (None, source))
        found.places[path] = self.places.place(source)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for part, item in items:
            self._place(found, item, (*path, part), (*source, part))

    def secret(self, name: str, value: str) -> dict[str, str]:
        """A reference to a secret under a name of ours: letters, digits and _, told apart by number."""
        wanted = re.sub(r"[^A-Z0-9]+", "_", f"{PREFIX}_{name}".upper()).strip("_")
        known, number = wanted, 1
        while self.secrets.get(known, value) != value:
            number += 1
            known = f"{wanted}_{number}"
        self.secrets[known] = value
        return {"env": known}

    def carried(self) -> tuple[str, ...]:
        """Each key by its path; one with nothing behind it is carried by saying nothing."""
        return tuple(path_text(path) for path in self._keys() if self._reason(path) is None)

    def not_carried(self) -> tuple[NotCarried, ...]:
        """The outermost keys that were left, in the file's order."""
        found: dict[Path, str] = {}
        for path in self._keys():
            reason = self._reason(path)
            if reason is not None and not self._is_within(path[:-1], found):
                outermost = next((above for above in _upwards(path) if above in self._left), path)
                found.setdefault(outermost, reason)
        rows = [NotCarried(path_text(path), self.places.place(path).line, reason) for path, reason in found.items()]
        return tuple(sorted(rows, key=lambda row: (row.line, row.path)))

    def _reason(self, path: Path) -> str | None:
        """Why it is not carried, by the innermost of what was left and what was carried; None: it is."""
        for above in _upwards(path):
            if above in self._left:
                return self._left[above]
            if above in self._carried:
                return None
        return None if self._is_empty(path) else NOTHING_LIKE_IT

    def _is_empty(self, path: Path) -> bool:
        value: Any = self.places.values
        for part in path:
            value = value[part]
        return value in ("", [], {})

    def _keys(self) -> Iterator[Path]:
        """The paths that hold a value of their own: no mapping or list with something in it."""
        inner = {path[:-1] for path in self.places.places if path}
        return (path for path in self.places.places if path and path not in inner)

    @staticmethod
    def _is_within(path: Path, known: Any) -> bool:
        return any(above in known for above in _upwards(path))


def _upwards(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(len(path), 0, -1))


def text_of(document: Mapping[str, Any], key: str) -> str:
    """A scalar as the file has it; empty for what is no scalar."""
    value = document.get(key)
    return value if isinstance(value, str) else ""
