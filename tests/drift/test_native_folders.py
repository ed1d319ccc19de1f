"""Rows that lie in a watched folder: references and windows, taken in once, moved aside, none lost."""

import io
import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from drift import folders, tasks
from drift.folders import Scanned
from drift.ingest import Sender
from drift.models import DataWindow, Model, Reference, Report
from drift.native import reading, references
from tests.drift import reports, rows, world

pytestmark = pytest.mark.django_db
DAY = "2026-11-01_2026-11-02"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return world.model(watch=str(tmp_path))


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What workers were asked for."""
    found: list[int] = []
    for task in (tasks.import_file, tasks.read_reference, tasks.read_window):
        monkeypatch.setattr(task, "delay", found.append)
    return found


def put(folder: Path, name: str, content: bytes, *, seconds_ago: float = 60) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = time.time() - seconds_ago
    os.utime(path, (at, at))
    return path


def lies_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def with_reference(model: Model) -> None:
    references.receive_now(model, io.BytesIO(rows.parquet()), name="a.parquet", sender=Sender(name="test"))


def test_references_end_in_done_or_failed_with_the_reason(model: Model, tmp_path: Path) -> None:
    put(tmp_path, "references/spring.parquet", rows.parquet())
    put(tmp_path, "references/empty.csv", b"")
    put(tmp_path, "references/README.md", b"# rows")
    assert folders.scan() == Scanned(taken=1, refused=2)
    assert lies_in(tmp_path) == [
        "references/done/spring.parquet",
        "references/failed/README.md",
        "references/failed/README.md.why.txt",
        "references/failed/empty.csv",
        "references/failed/empty.csv.why.txt",
    ]
    failed = tmp_path / "references" / "failed"
    assert (failed / "empty.csv.why.txt").read_text() == (
        "The file is empty. Send rows as Parquet, or as CSV with a header.\n"
    )
    assert (failed / "README.md.why.txt").read_text() == (
        "'README.md' is neither Parquet nor CSV by its name. End it in .parquet or .csv.\n"
    )
    row = Reference.objects.get()
    assert (row.model, row.file and row.file.name, row.received_from) == (
        model,
        "spring.parquet",
        f"folder {tmp_path}/references",
    )


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        (f"{DAY}.parquet", "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"),
        (f"{DAY}.csv", "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"),
        (f"{DAY}.CSV", "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"),
        ("2026-11-01T00Z_2026-11-01T06Z.csv", "2026-11-01T00:00:00+00:00", "2026-11-01T06:00:00+00:00"),
        ("2026-11-01T06:30+01:00_2026-11-01T07:30+01:00.csv", "2026-11-01T05:30:00+00:00", "2026-11-01T06:30:00+00:00"),
    ],
)
def test_a_windows_name_tells_its_time(model: Model, tmp_path: Path, name: str, start: str, end: str) -> None:
    with_reference(model)
    put(tmp_path, f"windows/{name}", rows.parquet(2) if name.endswith("parquet") else rows.csv(2))
    assert folders.scan() == Scanned(taken=1)
    assert lies_in(tmp_path) == [f"windows/done/{name}"]
    row = DataWindow.objects.get()
    assert (row.window_from.isoformat(), row.window_to.isoformat(), row.is_complete) == (start, end, True)
    assert reading.read_window(row.pk).endswith("2000 rows compared with reference 1.")


@pytest.mark.parametrize("name", ["today.csv", "2026-11-02_2026-11-01.csv", "2026-11-01.csv", "_.csv", f"{DAY}_x.csv"])
def test_a_name_that_tells_no_time_is_refused_with_one_that_does(model: Model, tmp_path: Path, name: str) -> None:
    with_reference(model)
    put(tmp_path, f"windows/{name}", rows.csv(2))
    assert folders.scan() == Scanned(refused=1)
    assert lies_in(tmp_path) == [f"windows/failed/{name}", f"windows/failed/{name}.why.txt"]
    assert (tmp_path / "windows" / "failed" / f"{name}.why.txt").read_text() == (
        f"'{name}' does not say its time. Name it FROM_TO, such as 2026-11-01_2026-11-02.parquet or "
        "2026-11-01T00Z_2026-11-01T06Z.csv.\n"
    )


def test_a_window_waits_while_its_reference_is_read(model: Model, tmp_path: Path) -> None:
    put(tmp_path, "windows/" + DAY + ".csv", rows.csv(2))
    put(tmp_path, "references/spring.csv", rows.csv())
    assert folders.scan() == Scanned(taken=1)
    assert lies_in(tmp_path) == ["references/done/spring.csv", f"windows/{DAY}.csv"]
    reading.read_reference(Reference.objects.get().pk)
    assert folders.scan() == Scanned(taken=1)
    assert lies_in(tmp_path) == ["references/done/spring.csv", f"windows/done/{DAY}.csv"]
    assert DataWindow.objects.get().model == model


def test_a_window_without_any_reference_is_refused(model: Model, tmp_path: Path) -> None:
    put(tmp_path, f"windows/{DAY}.csv", rows.csv(2))
    assert folders.scan() == Scanned(refused=1)
    why = (tmp_path / "windows" / "failed" / f"{DAY}.csv.why.txt").read_text()
    assert why.startswith(f"'{model.name}' has no active reference to compare with. Send its reference first")


def test_rows_and_reports_lie_beside_each_other_in_a_folder_for_all_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRIFT_FOLDER", str(tmp_path))
    model = world.model("ranker")
    with_reference(model)
    put(tmp_path, "ranker/report.json", reports.content(reports.LATE))
    put(tmp_path, f"ranker/windows/{DAY}.csv", rows.csv(2))
    assert tasks.scan_folders().startswith("Took 2 ")
    assert lies_in(tmp_path) == ["ranker/done/report.json", f"ranker/windows/done/{DAY}.csv"]
    assert (Report.objects.get().model, DataWindow.objects.get().model) == (model, model)


def test_the_same_rows_again_count_once_and_unfinished_ones_are_left(model: Model, tmp_path: Path) -> None:
    with_reference(model)
    for _ in range(2):
        put(tmp_path, f"windows/{DAY}.csv", rows.csv(2))
        assert folders.scan() == Scanned(taken=1)
    put(tmp_path, "windows/2026-11-02_2026-11-03.csv.part", rows.csv(3))
    put(tmp_path, "windows/2026-11-03_2026-11-04.csv", rows.csv(3), seconds_ago=0)
    assert folders.scan() == Scanned()
    assert DataWindow.objects.count() == 1


def test_a_file_that_is_too_long_is_refused_and_nothing_of_it_stays(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRIFT_DATA_MAX_BYTES", 1000)
    put(tmp_path, "references/long.csv", rows.csv())
    assert folders.scan() == Scanned(refused=1)
    why = (tmp_path / "references" / "failed" / "long.csv.why.txt").read_text()
    assert why.startswith("The file is larger than 1000 bytes.")
    assert not Reference.objects.filter(model=model).exists()
