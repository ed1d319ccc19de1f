"""What a window of rows gives: its columns, one at a time."""

from typing import Protocol

from drift.measures.columns import Column, Kind
from drift.measures.windows.events import EventWindow


class Window(Protocol):
    """A column is read as `kind` where that is given, so that a window is judged by its reference's types.

    `sample` gives some whole rows, for what needs the columns side by side.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> int: ...

    def column(self, name: str, kind: Kind | None = None) -> Column: ...

    def sample(self) -> EventWindow: ...
