"""A source of telemetry that says what a test put into it, for tests that write facts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection

from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import Window
from monitoring.telemetry.ingest import Outcome, ingest
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.readings import Batch, Device, Series
from tests import world
from tests.telemetry.samples import START_US, UUID

START = datetime.fromtimestamp(START_US // 1_000_000, UTC)
MODEL = "NVIDIA H100 80GB HBM3"


class SaidReader:
    """Gives the part of its series that is asked for; raises where it was told to."""

    def __init__(self, rows: Sequence[Series], *, error: str = "", missing: Sequence[str] = ()) -> None:
        self.rows, self.error, self.missing = list(rows), error, list(missing)

    def pull(self, start_us: int, end_us: int, *, before_us: int, after_us: int) -> Batch:
        if self.error:
            raise SourceError(self.error)
        batch = Batch(missing=list(self.missing))
        for row in self.rows:
            kept = [
                (at, value)
                for at, value in zip(row.times, row.values, strict=True)
                if start_us - before_us <= at < end_us + after_us
            ]
            if kept:
                times, values = [at for at, _ in kept], [value for _, value in kept]
                batch.series.append(Series(row.unit, row.profile, row.field, row.replica, row.holder, times, values))
                batch.devices[row.unit.uuid] = Device(row.unit.uuid, MODEL, "node-a", "0")
        return batch


def source(name: str = "prom1") -> Source:
    return world.source(
        name, cluster=world.cluster("c1"), config={"url": "http://127.0.0.1:9", "scrape_interval": "30s"}
    )


def window(minutes: int = 60, *, after: int = 0) -> Window:
    """`minutes` from the start, which is a full hour."""
    start = START + timedelta(minutes=after)
    return Window(start, start + timedelta(minutes=minutes))


def read(where: Source, rows: Sequence[Series], span: Window | None = None) -> list[Outcome]:
    return ingest(where, span or window(), reader=SaidReader(rows))


def stored(table: str = "telemetry_fact") -> list[tuple[object, ...]]:
    """Everything of a table that adds up, in order of its key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bucket, unit_id, workload_id, team_id, allocated_us, unallocated_us, unknown_us, busy_us,"  # noqa: S608
            f" measured_us, energy_uj, rejected_samples, estimated FROM {table} ORDER BY 1, 2, 3"
        )
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


def total(table: str) -> tuple[int, int, int, int, int]:
    """allocated, unallocated, unknown, busy, energy of a whole table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(allocated_us), sum(unallocated_us), sum(unknown_us), sum(busy_us), coalesce(sum(energy_uj), 0)"  # noqa: S608
            f" FROM {table}"
        )
        row = cursor.fetchone()
    held, free, unknown, busy, energy = (int(value or 0) for value in row)
    return held, free, unknown, busy, energy


__all__ = ["MODEL", "START", "UUID", "SaidReader", "read", "source", "stored", "total", "window"]
