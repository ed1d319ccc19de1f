"""Parquet files as windows, a column in memory at a time; CSV becomes Parquet first, in streamed batches."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from drift.measures.columns import Column, Kind
from drift.measures.errors import MissingColumnError, UnreadableWindowError
from drift.measures.windows.arrays import to_column
from drift.measures.windows.events import SAMPLE_ROWS, EventWindow

BATCH_BYTES = 2 << 20
NULLS = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"]
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class ParquetWindow:
    file: Any  # pyarrow has no types

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.file.schema_arrow.names)

    @property
    def rows(self) -> int:
        return int(self.file.metadata.num_rows)

    def column(self, name: str, kind: Kind | None = None) -> Column:
        if name not in self.names:
            raise MissingColumnError(name, self.names)
        return to_column(name, self.file.read(columns=[name]).column(0), kind)

    def sample(self) -> EventWindow:
        """The first rows: enough to see which columns go together."""
        batches = self.file.iter_batches(batch_size=SAMPLE_ROWS)
        return EventWindow(next((batch.to_pylist() for batch in batches), []))


@contextmanager
def open_window(path: Path) -> Iterator[ParquetWindow]:
    """A Parquet or CSV file, told apart by its first bytes; raises UnreadableWindowError with the reader's reason."""
    try:
        if _is_parquet(path):
            with _parquet(path) as window:
                yield window
            return
        with tempfile.TemporaryDirectory(prefix="fl-window-") as folder:
            copy = Path(folder) / "window.parquet"
            _from_csv(path, copy)
            with _parquet(copy) as window:
                yield window
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableWindowError(path.name, str(error)) from error


@contextmanager
def _parquet(path: Path) -> Iterator[ParquetWindow]:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        if len(set(names)) != len(names):
            raise UnreadableWindowError(path.name, "two of its columns have one name.")
        yield ParquetWindow(file)


def _from_csv(source: Path, target: Path) -> None:
    """Types as the first batch has them; where a later batch differs all are read as text and typed by column."""
    try:
        _copy(source, target, pyarrow.csv.ConvertOptions(null_values=NULLS, strings_can_be_null=True))
    except pa.ArrowInvalid:
        with pyarrow.csv.open_csv(source) as reader:
            texts = dict.fromkeys(reader.schema.names, pa.string())
        options = pyarrow.csv.ConvertOptions(null_values=NULLS, strings_can_be_null=True, column_types=texts)
        _copy(source, target, options)


def _copy(source: Path, target: Path, options: Any) -> None:
    reading = pyarrow.csv.ReadOptions(block_size=BATCH_BYTES)
    with (
        pyarrow.csv.open_csv(source, read_options=reading, convert_options=options) as reader,
        pq.ParquetWriter(target, reader.schema, compression="lz4", use_dictionary=False) as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
