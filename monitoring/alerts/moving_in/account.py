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
    files: list[str] = field(default_factory=list)
    _carried: set[Path] = field(default_factory=set)
    _left: dict[Path, str] = field(default_factory=dict)

    def carry(self, path: Path) -> None:
        """`path` with all below it that nobody leaves."""
        self._carried.add(path)

    def leave(self, path: Path, reason: str) -> None:
        """`path` with all below it is not carried."""
        self._left.setdefault(path, reason)

    def is_carried(self, path: Path) -> bool:
        return self._is_within(path, self._carried)

    def secret(self, name: str, value: str) -> dict[str, str]:
        """A reference to a secret under a name of ours: letters, digits and _, told apart by number."""
        wanted = re.sub(r"[^A-Z0-9]+", "_", f"{PREFIX}_{name}".upper()).strip("_")
        known, number = wanted, 1
        while self.secrets.get(known, value) != value:
            number += 1
            known = f"{wanted}_{number}"
        self.secrets[known] = value
        return {"env": known}

    def secret_file(self, path: str) -> dict[str, str]:
        if path not in self.files:
            self.files.append(path)
        return {"file": path}

    def carried(self) -> tuple[str, ...]:
        return tuple(
            path_text(path) for path in self._keys() if self._is_within(path, self._carried) and not self._why(path)
        )

    def not_carried(self) -> tuple[NotCarried, ...]:
        """The outermost keys that were left, in the file's order."""
        found: dict[Path, str] = {}
        for path in self._keys():
            reason = self._why(path)
            if reason is None and not self._is_within(path, self._carried):
                reason = NOTHING_LIKE_IT
            if reason is not None and not self._is_within(path[:-1], found):
                outermost = next((above for above in _upwards(path) if above in self._left), path)
                found.setdefault(outermost, reason)
        rows = [NotCarried(path_text(path), self.places.place(path).line, reason) for path, reason in found.items()]
        return tuple(sorted(rows, key=lambda row: (row.line, row.path)))

    def _why(self, path: Path) -> str | None:
        """The reason of the innermost of what was left and what was carried."""
        for above in _upwards(path):
            if above in self._left:
                return self._left[above]
            if above in self._carried:
                return None
        return None

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
