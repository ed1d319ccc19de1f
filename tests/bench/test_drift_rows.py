"""A window of 1 M rows x 20 columns through the product: stored, compared with its reference, written as a report.

The floor is what cannot be left out, measured in the same run: a raw COPY of the file's bytes, and the pure measures
over the same file.
"""

import threading
import time
from pathlib import Path
from typing import Self

import psutil
import pytest
from django.db import connection

from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.ingest import Sender
from drift.measures.robust.profile import Profile, count_window
from drift.measures.windows import open_window
from drift.models import Report
from drift.native import references, windows
from tests.bench.test_drift_measures import written
from tests.drift import world

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.timeout(1200)]
BLOCK = 1 << 20


class Peak:
    """The most memory that this process grew by, looked at every 10 ms."""

    def __enter__(self) -> Self:
        self._process, self._is_over = psutil.Process(), threading.Event()
        self._before = self.bytes = self._process.memory_info().rss
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._watcher.join()

    @property
    def mb(self) -> float:
        return (self.bytes - self._before) / 1e6

    def _watch(self) -> None:
        while not self._is_over.wait(0.01):
            self.bytes = max(self.bytes, self._process.memory_info().rss)


def test_a_million_rows_from_the_file_to_the_report(tmp_path: Path) -> None:
    reference_file, window_file = (written(tmp_path / f"{name}.parquet", name) for name in (0, 1))
    model, sender = world.model(), Sender(name="a benchmark")
    with Peak() as of_reference, reference_file.open("rb") as stream:
        began = time.perf_counter()
        reference = references.receive_now(model, stream, name="reference.parquet", sender=sender)
        reference_s = time.perf_counter() - began
    with Peak() as of_window, window_file.open("rb") as stream:
        began = time.perf_counter()
        row = windows.receive_now(model, stream, world.day(0), name="window.parquet", sender=sender)
        window_s = time.perf_counter() - began
    began = time.perf_counter()
    with open_window(window_file) as window:
        profile = Profile.from_json(reference.profile)
        judge_window(profile, count_window(profile, window), Rules())
    pure_s = time.perf_counter() - began
    copy_s = _copied(window_file)
    print(
        f"\n1 M rows x 20 columns, {window_file.stat().st_size / 1e6:.0f} MB: reference {reference_s:.2f} s, "
        f"{of_reference.mb:.0f} MB; window to report {window_s:.2f} s, {of_window.mb:.0f} MB; floor {copy_s:.2f} s of "
        f"COPY + {pure_s:.2f} s of measures: {window_s / (copy_s + pure_s):.2f} x"
    )
    assert Report.objects.get(data_window=row).columns == 20


def _copied(file: Path) -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE raw (position int, content bytea)")
        with cursor.copy("COPY raw FROM STDIN") as copy, file.open("rb") as stream:
            for position, block in enumerate(iter(lambda: stream.read(BLOCK), b"")):
                copy.write_row((position, block))
    return time.perf_counter() - began
