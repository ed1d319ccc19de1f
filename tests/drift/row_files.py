"""Files of rows for tests: columns as Parquet or CSV, brought in as references and windows."""

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from drift.ingest import Sender
from drift.models import DataWindow, Finding, Model, Reference, Score
from drift.native import references, windows
from drift.windows import ReportWindow
from fleetledger.fleet.models import User
from tests.drift import world

Columns = Mapping[str, Any]  # lists or arrays


def parquet(columns: Columns) -> io.BytesIO:
    target = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), target)
    target.seek(0)
    return target


def csv(columns: Columns) -> io.BytesIO:
    target = io.BytesIO()
    pyarrow.csv.write_csv(pa.table({name: pa.array(values) for name, values in columns.items()}), target)
    target.seek(0)
    return target


def reference(of: Model, columns: Columns, *, by: User | None = None, **words: Any) -> Reference:
    """Read in this process."""
    return references.receive_now(of, parquet(columns), name="reference.parquet", sender=Sender(by, "a test"), **words)


def window(of: Model, columns: Columns, day: int | ReportWindow = 0, **words: Any) -> DataWindow:
    """Computed in this process; a day is counted from world.START."""
    span = world.day(day) if isinstance(day, int) else day
    return windows.receive_now(of, parquet(columns), span, name="window.parquet", sender=Sender(name="a test"), **words)


def scores(row: DataWindow, kind: str = "drift") -> dict[str, Score]:
    return {one.column: one for one in Score.objects.filter(report=row.report, kind=kind)}


def facts(row: DataWindow) -> dict[tuple[str, str], Score]:
    return {(one.column, one.method): one for one in Score.objects.filter(report=row.report, kind="quality")}


def live(model: Model) -> dict[str, Finding]:
    return {row.signal: row for row in Finding.objects.filter(model=model, closed_at__isnull=True)}
