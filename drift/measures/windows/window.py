"""What a window of rows gives: its columns, one at a time."""

from typing import Protocol

from drift.measures.columns import Column, Kind


class Window(Protocol):
    """A column is read as `kind` where that is given, so that a window is judged by its reference's types."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> int: ...

    def column(self, name: str, kind: Kind | None = None) -> Column: ...
