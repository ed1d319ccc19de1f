"""import-drift: what it prints, what it refuses, and its exit codes."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from drift.models import Report
from tests.drift import reports, world

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
