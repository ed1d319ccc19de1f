"""import-drift: what it prints, what it refuses, and its exit codes."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from drift.models import DataWindow, Reference, Report
from tests.drift import reports, rows, world

pytestmark = pytest.mark.django_db
LATE = str(reports.FOLDER / reports.LATE)
SNAPSHOT = str(reports.FOLDER / reports.SNAPSHOT)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command("import-drift", *words)
    return capsys.readouterr().out


def test_reports_are_brought_in_and_known_the_second_time(capsys: pytest.CaptureFixture[str]) -> None:
    world.model("ranker")
    words = ("--model", "ranker", LATE, SNAPSHOT)
    assert said(capsys, *words) == (
        "evidently-0.7.23-drift.json: 1 report imported with 13 scores. "
        "It has no window, so it stays out of trends until somebody dates it.\n"
        "evidently-0.4.40-drift-snapshot.json.gz: 1 report imported with 13 scores.\n"
    )
    assert said(capsys, *words) == (
        "evidently-0.7.23-drift.json: the same is here already (1 report); nothing changed.\n"
        "evidently-0.4.40-drift-snapshot.json.gz: the same is here already (1 report); nothing changed.\n"
    )


def test_the_window_is_given_and_results_are_machine_readable(capsys: pytest.CaptureFixture[str]) -> None:
    world.model("ranker")
    text = said(capsys, "--model", "ranker", "--window", "2026-11-01/2026-11-02", "--json", LATE)
    report = Report.objects.get()
    assert json.loads(text) == {
        "results": [
            {
                "file": reports.LATE,
                "state": "imported",
                "reports": [report.pk],
                "scores": 13,
                "known": False,
                "sentence": f"{reports.LATE}: 1 report imported with 13 scores.",
            }
        ]
    }
    assert (report.window_from, report.window_to) == (world.day(0).start, world.day(0).end)


def test_one_that_is_refused_leaves_the_others_in(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world.model("ranker")
    junk = tmp_path / "junk.json"
    junk.write_text("{}")
    with pytest.raises(CommandError) as caught:
        call_command("import-drift", "--model", "ranker", str(junk), str(tmp_path / "absent"), LATE)
    assert str(caught.value) == (
        "junk.json: the report: this is no drift report. "
        "Known: Evidently 0.2 or later (Report, TestSuite, snapshot), NannyML, whylogs and TFDV.\n"
        f"{tmp_path / 'absent'}: No such file or directory. Name a file that this user can read."
    )
    assert (caught.value.returncode, Report.objects.count()) == (1, 1)
    assert capsys.readouterr().out.startswith("evidently-0.7.23-drift.json: 1 report imported")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--model", "rankr"), "No model is called 'rankr'. Known: ranker."),
        (
            ("--model", "ranker", "--window", "2026-11-02/2026-11-01"),
            (
                "'2026-11-02/2026-11-01' is no window. Write FROM/TO, such as 2026-11-01/2026-11-02 or "
                "2026-11-01T00:00Z/2026-11-01T06:00Z, the later last."
            ),
        ),
    ],
)
def test_a_wrong_model_or_window_is_told_with_what_would_be_right(words: tuple[str, ...], sentence: str) -> None:
    world.model("ranker")
    with pytest.raises(CommandError) as caught:
        call_command("import-drift", *words, LATE)
    assert str(caught.value) == sentence


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Names of files of rows: a, b and a shifted one."""
    contents = {"a.parquet": rows.parquet(1), "b.csv": rows.csv(2), "shifted.csv": rows.csv(3, shift=1.0)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def test_references_are_read_at_once_and_known_the_second_time(
    capsys: pytest.CaptureFixture[str], files: dict[str, str]
) -> None:
    world.model("ranker")
    words = ("--model", "ranker", "--as", "reference", "--note", "spring")
    assert said(capsys, *words, files["a.parquet"]) == (
        "a.parquet: reference 1 of ranker with 2000 rows, 3 columns; it is active.\n"
    )
    assert said(capsys, *words, files["a.parquet"], files["b.csv"]) == (
        "a.parquet: the same is here already (reference 1, active); nothing changed.\n"
        "b.csv: reference 2 of ranker with 2000 rows, 3 columns; it waits for somebody to accept it.\n"
    )
    row = Reference.objects.get(version=2)
    assert (row.note, row.received_from, row.file and row.file.name) == ("spring", "import-drift", "b.csv")


def test_a_window_is_computed_at_once_and_results_are_machine_readable(
    capsys: pytest.CaptureFixture[str], files: dict[str, str]
) -> None:
    world.model("ranker")
    said(capsys, "--model", "ranker", "--as", "reference", files["a.parquet"])
    words = ("--model", "ranker", "--as", "window", "--window", "2026-11-01/2026-11-02", files["shifted.csv"])
    (result,) = json.loads(said(capsys, *words, "--json"))["results"]
    window, report = DataWindow.objects.get(), Report.objects.get()
    assert (window.report, window.is_complete, window.rows) == (report, True, rows.ROWS)
    assert (window.window_from, window.window_to) == (world.day(0).start, world.day(0).end)
    assert result == {
        "file": "shifted.csv",
        "state": "imported",
        "window": window.pk,
        "reports": [report.pk],
        "scores": report.scores.count(),
        "known": False,
        "sentence": "shifted.csv: 2000 rows compared with reference 1; 1 of 3 columns drifted.",
    }
    assert said(capsys, *words) == f"shifted.csv: the same is here already (window {window.pk}); nothing changed.\n"


def test_a_part_of_a_window_says_so(capsys: pytest.CaptureFixture[str], files: dict[str, str]) -> None:
    world.model("ranker")
    said(capsys, "--model", "ranker", "--as", "reference", files["a.parquet"])
    words = ("--model", "ranker", "--as", "window", "--window", "2026-11-01/2026-11-02", "--partial")
    said(capsys, *words, files["b.csv"], files["shifted.csv"])
    assert list(DataWindow.objects.values_list("is_complete", flat=True)) == [False, False]


def test_rows_that_are_refused_leave_the_others_in(capsys: pytest.CaptureFixture[str], files: dict[str, str]) -> None:
    world.model("ranker")
    empty = Path(files["b.csv"]).with_name("empty.csv")
    empty.write_bytes(b"")
    with pytest.raises(CommandError) as caught:
        call_command(
            "import-drift", "--model", "ranker", "--as", "reference", str(empty), str(empty.with_name("absent")),
            files["a.parquet"],
        )  # fmt: skip
    assert str(caught.value) == (
        "empty.csv: The file is empty. Send rows as Parquet, or as CSV with a header.\n"
        f"{empty.with_name('absent')}: No such file or directory. Name a file that this user can read."
    )
    assert capsys.readouterr().out.startswith("a.parquet: reference 1 of ranker")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--as", "window"), "Say of which time the rows are: --window FROM/TO"),
        (("--as", "window", "--window", "2026-11-01/2026-11-02"), "a.parquet: 'ranker' has no active reference"),
        (("--as", "window", "--window", "2026-11-01/2026-11-02", LATE), "One file holds all rows of a window."),
        (("--as", "reference", "--window", "2026-11-01/2026-11-02"), "A reference takes no --window."),
        (("--as", "reference", "--partial"), "Only a window of rows may be --partial."),
        (("--note", "spring"), "Only a reference takes a --note."),
        (("--as", "rows"), "Error: argument --as: invalid choice: 'rows'"),
    ],
)
def test_words_that_do_not_go_together_are_told_with_what_would_be_right(
    files: dict[str, str], words: tuple[str, ...], sentence: str
) -> None:
    world.model("ranker")
    with pytest.raises(CommandError) as caught:
        call_command("import-drift", "--model", "ranker", *words, files["a.parquet"])
    assert str(caught.value).startswith(sentence)
