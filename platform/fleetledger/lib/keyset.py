"""Which page of an ordered list is wanted: told by the key of the row beside it, not by counting rows."""

from dataclasses import dataclass
from decimal import Decimal

Key = tuple[str | int | Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """The rows after `key` (before it, and from there backwards, when `backwards`), at most `limit`."""

    limit: int
    key: Key | None = None
    backwards: bool = False
