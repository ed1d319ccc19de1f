"""The ledger's commands: what they print, what they refuse, and in which words."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import world
from tests.costs import bills

pytestmark = pytest.mark.django_db


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    bills.source()
    bills.tag_rule(world.team("a"), team="a")
    file = tmp_path / "oct.csv"
    file.write_bytes(bills.text(bills.row("10.00", Tags='{"team":"a"}'), bills.row("2.505")))
    return file


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_bill_is_imported_and_allocated_in_two_commands(bill: Path) -> None:
    assert _run("import-bill", "--source", "cloud", str(bill)) == "oct.csv: 2 rows imported.\n"
    report = _run("allocate", "2026-10")
    assert report.startswith("cloud 2026-10: 2 rows, 12.505 exact, 12.51 USD. Run ")
    assert [line.split() for line in report.splitlines()[1:]] == [
        ["a", "10.00", "USD"],
        ["(unallocated:tag-missing)", "2.51", "USD"],
    ]


def test_the_same_file_again_says_that_nothing_changed(bill: Path) -> None:
    _run("import-bill", "--source", "cloud", str(bill))
    again = _run("import-bill", "--source", "cloud", str(bill))
    assert again == "oct.csv: the same bytes are here already (2 rows); nothing changed.\n"


def test_results_are_also_json(bill: Path) -> None:
    (done,) = json.loads(_run("import-bill", "--source", "cloud", str(bill), "--json"))["results"]
    allocated = json.loads(_run("allocate", "2026-10", "--json"))
    assert (done["state"], done["rows"], done["known"]) == ("imported", 2, False)
    assert [(row["account"], row["total"]) for row in allocated["statements"]] == [
        ("a", "10.00"),
        ("(unallocated:tag-missing)", "2.51"),
    ]
    assert allocated["runs"][0]["exact"] == "12.505"


def test_files_given_together_are_one_snapshot(bill: Path, tmp_path: Path) -> None:
    second = tmp_path / "part2.csv"
    second.write_bytes(bills.text(bills.row("5.00", Tags='{"team":"a"}')))
    _run("import-bill", "--source", "cloud", str(bill), str(second))
    assert bills.allocated() == {"a": "15.00", "(unallocated:tag-missing)": "2.51"}
    second.write_bytes(bills.text(bills.row("6.00", Tags='{"team":"a"}')))
    _run("import-bill", "--source", "cloud", str(bill), str(second))
    assert bills.allocated() == {"a": "16.00", "(unallocated:tag-missing)": "2.51"}


def test_a_refused_file_leaves_the_others_imported(bill: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match=r"wrong\.csv: the columns BilledCost, .* are missing"):
        _run("import-bill", "--source", "cloud", str(wrong), str(bill))
    assert bills.allocated() == {"a": "10.00", "(unallocated:tag-missing)": "2.51"}


@pytest.mark.parametrize(
    ("arguments", "sentence", "code"),
    [
        (("allocate", "october"), "'october' is not a period. Write a month as YYYY-MM", 2),
        (("allocate", "2026-01"), "No bill has rows of 2026-01.", 1),
        (("import-bill", "--source", "cloud", "/nowhere.csv"), "/nowhere.csv: No such file", 1),
        (("import-bill", "--source", "gone", __file__), "No bill source is called 'gone'. Known: cloud.", 1),
    ],
)
def test_a_refusal_is_a_sentence_and_an_exit_code(
    bill: Path, arguments: tuple[str, ...], sentence: str, code: int
) -> None:
    with pytest.raises(CommandError) as refused:
        _run(*arguments)
    assert sentence in str(refused.value)
    assert refused.value.returncode == code
