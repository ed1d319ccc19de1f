"""Reports that lie in a watched folder: taken in once, moved aside, and none is lost."""

import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from drift import checks, folders, tasks
from drift.models import Model, Report, ReportFile
from tests.drift import reports, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return world.model(watch=str(tmp_path))


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files whose scores a worker was asked for."""
    found: list[int] = []
    monkeypatch.setattr(tasks.import_file, "delay", found.append)
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


def test_files_end_in_done_or_failed_with_the_reason(model: Model, tmp_path: Path) -> None:
    put(tmp_path, "late.json", reports.content(reports.LATE))
    put(tmp_path, "junk.json", b'{"a": 1}')
    assert tasks.scan_folders() == "Took 1 files in, refused 1; 0 could not be read or moved."
    assert lies_in(tmp_path) == ["done/late.json", "failed/junk.json", "failed/junk.json.why.txt"]
    assert (tmp_path / "failed" / "junk.json.why.txt").read_text() == (
        "the report: no known report has these keys: a. "
        "Known: Evidently 0.2 or later (Report, TestSuite, snapshot), NannyML, whylogs and TFDV.\n"
    )
    file = ReportFile.objects.get()
    assert (file.model, file.name, file.received_from) == (model, "late.json", f"folder {tmp_path}")


def test_a_worker_is_asked_once_the_report_is_stored(
    model: Model, tmp_path: Path, asked: list[int], django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    put(tmp_path, "late.json", reports.content(reports.LATE))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        folders.scan()
    assert asked == [ReportFile.objects.get(model=model).pk]


def test_what_is_still_written_is_left_alone(model: Model, tmp_path: Path) -> None:
    put(tmp_path, "fresh.json", b"{", seconds_ago=0)
    put(tmp_path, "copy.json.part", b"{")
    put(tmp_path, ".hidden", b"{")
    (tmp_path / "link.json").symlink_to(tmp_path / "fresh.json")
    before = lies_in(tmp_path)
    assert folders.scan() == folders.Scanned()
    assert lies_in(tmp_path) == before


def test_the_same_report_again_is_moved_aside_and_counts_once(model: Model, tmp_path: Path) -> None:
    for _ in range(3):
        put(tmp_path, "late.json", reports.content(reports.LATE))
        assert folders.scan() == folders.Scanned(taken=1)
    assert lies_in(tmp_path) == ["done/late.json", "done/late.json.1", "done/late.json.2"]
    assert Report.objects.count() == 1


def test_a_folder_for_all_models_has_one_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRIFT_FOLDER", str(tmp_path))
    model = world.model("ranker")
    world.model("quiet")
    put(tmp_path, "ranker/a.json", reports.content(reports.LATE))
    put(tmp_path, "nobody/a.json", reports.content(reports.LATE))
    assert folders.scan() == folders.Scanned(taken=1)
    assert lies_in(tmp_path) == ["nobody/a.json", "ranker/done/a.json"]
    assert Report.objects.get().model == model


def test_names_that_are_no_text_are_taken_too(model: Model, tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"caf\xe9.json"), reports.content(reports.LATE))
    assert folders.scan() == folders.Scanned(taken=1)
    assert ReportFile.objects.get().name == "caf?.json"


def test_a_folder_that_is_gone_stops_no_other(model: Model, tmp_path: Path) -> None:
    world.model("a-first", watch=str(tmp_path / "gone"))
    put(tmp_path, "late.json", reports.content(reports.LATE))
    assert folders.scan() == folders.Scanned(taken=1)


def test_a_file_that_cannot_be_moved_is_told_and_stays(model: Model, tmp_path: Path) -> None:
    put(tmp_path, "late.json", reports.content(reports.LATE))
    (tmp_path / "done").write_text("a file where a folder should be")
    assert folders.scan() == folders.Scanned(taken=1, stuck=1)
    assert (tmp_path / "late.json").exists()
    assert Report.objects.get().model == model


def test_a_folder_that_is_none_is_told_before_the_first_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRIFT_FOLDER", str(tmp_path))
    assert checks.folder() == []
    monkeypatch.setattr(settings, "DRIFT_FOLDER", str(tmp_path / "absent"))
    assert [found.id for found in checks.folder()] == ["drift.W001"]
    assert checks.report_size() == []
    monkeypatch.setattr(settings, "DRIFT_REPORT_MAX_BYTES", 10)
    assert [found.id for found in checks.report_size()] == ["drift.E001"]
