"""Parts of a file of rows: some of its columns, or the rows of one season."""

from dataclasses import dataclass
from typing import Any

from drift.findings.seasons import season_of
from drift.measures.columns import Column, Kind
from drift.measures.windows.arrays import to_column
from drift.measures.windows.events import EventWindow
from drift.measures.windows.files import ParquetWindow
from drift.native.instants import instants
from drift.native.meanings import Meanings

SAMPLE_ROWS = 2000


@dataclass(frozen=True, slots=True)
class SomeColumns:
    """A window without the columns that nothing measures, each read as the model's `kinds` say."""

    window: ParquetWindow
    names: tuple[str, ...]
    meanings: Meanings

    @property
    def rows(self) -> int:
        return self.window.rows

    def column(self, name: str, kind: Kind | None = None) -> Column:
        return self.window.column(name, kind or self.meanings.kinds.get(name))

    def sample(self) -> EventWindow:
        return self.window.sample()


@dataclass(frozen=True, slots=True)
class SomeRows:
    """The rows that `mask` keeps, with all columns."""

    window: ParquetWindow
    mask: Any  # pyarrow has no types

    @property
    def names(self) -> tuple[str, ...]:
        return self.window.names

    @property
    def rows(self) -> int:
        return int(self.mask.true_count)

    def column(self, name: str, kind: Kind | None = None) -> Column:
        return to_column(name, self.window.file.read(columns=[name]).column(0).filter(self.mask), kind)

    def sample(self) -> EventWindow:
        """The first rows of it, batch by batch, so that the file is never in memory."""
        found: list[dict[str, object]] = []
        seen = 0
        for batch in self.window.file.iter_batches(batch_size=SAMPLE_ROWS):
            found += batch.filter(self.mask.slice(seen, batch.num_rows)).to_pylist()
            seen += batch.num_rows
            if len(found) >= SAMPLE_ROWS:
                break
        return EventWindow(found[:SAMPLE_ROWS])


def measured(window: ParquetWindow, meanings: Meanings) -> SomeColumns:
    hidden = set(meanings.without_measure)
    return SomeColumns(window, tuple(name for name in window.names if name not in hidden), meanings)


def by_season(window: ParquetWindow, meanings: Meanings) -> dict[str, SomeRows]:
    """Rows by the season of their instant; rows whose instant is unknown are in none."""
    import pyarrow as pa  # late: workers read rows, the web part never does

    if not meanings.time or meanings.time not in window.names:
        return {}
    at = instants(window.file.read(columns=[meanings.time]).column(0))
    names = [season_of(one, meanings.season, meanings.zone) if one is not None else "" for one in at]
    return {
        season: SomeRows(window, pa.array([name == season for name in names], pa.bool_()))
        for season in dict.fromkeys(names)
        if season
    }
