"""A part of a file that is taken over, by its path: whatever is read of it counts as carried."""

from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config.issues import Path
from monitoring.alerts.moving_in.account import Account


@dataclass(frozen=True, slots=True)
class Part:
    """`value` is whatever the file has there: parts of other shapes than were asked for are as if empty."""

    account: Account
    value: Any
    path: Path = ()

    def at(self, *keys: str) -> "Part":
        """What stands below; empty where nothing does."""
        part = self
        for key in keys:
            inner = part.value.get(key) if isinstance(part.value, dict) else None
            part = Part(self.account, inner, (*part.path, key))
        return part

    def text(self, *keys: str) -> str:
        """A scalar, which is carried then; empty where there is none."""
        part = self.at(*keys)
        if not isinstance(part.value, str):
            return ""
        self.account.carry(part.path)
        return part.value.strip()

    def first(self, *keys: str) -> str:
        """The scalar under the first of several names."""
        return next((text for key in keys if (text := self.text(key))), "")

    def each(self, key: str) -> "list[Part]":
        """The entries of a list."""
        part = self.at(key)
        items = part.value if isinstance(part.value, list) else []
        return [Part(self.account, item, (*part.path, place)) for place, item in enumerate(items)]

    def items(self, key: str) -> "list[tuple[str, Part]]":
        """The entries of a mapping."""
        part = self.at(key)
        return [(name, part.at(name)) for name in part.value] if isinstance(part.value, dict) else []

    def leave(self, reason: str, *keys: str) -> None:
        """It is not carried, nor what stands below it."""
        if self.at(*keys):
            self.account.leave((*self.path, *keys), reason)

    def give_up(self, reason: str) -> None:
        """As `leave`, also what was carried of it until now."""
        if self.path:
            self.account.give_up(self.path, reason)
        else:
            for key in self.value:
                self.account.give_up((key,), reason)

    def __bool__(self) -> bool:
        return self.value not in (None, "", [], {})
