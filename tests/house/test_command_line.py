"""The command line on an empty state directory, as a person meets it first."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.running import forget_what_lies_apart

ROOT = Path(__file__).resolve().parents[2]
FLEET = """
clusters: [{name: c1}]
teams: [{slug: vision, name: Vision Research}]
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    kept = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    }
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    yield kept | {"FLEETLEDGER_STATE_DIR": str(tmp_path / "state")}
    forget_what_lies_apart(tmp_path)  # as root, since other accounts cannot enter pytest's folders


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.realtime
def test_the_first_command_makes_the_tables_it_needs(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(FLEET)
    first = run(environment, "apply", str(file))
    second = run(environment, "apply", str(file))
    assert (first.returncode, first.stdout) == (
        0,
        "+ cluster c1\n+ team vision: name Vision Research\nDone: 2 added.\n",
    )
    assert (second.returncode, second.stdout) == (0, "Nothing to change.\n")


@pytest.mark.realtime
def test_a_wrong_key_names_file_line_and_known_keys(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("teams:\n  - slug: vision\n    nam: Vision\n")
    answer = run(environment, "apply", str(file))
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        f"{file}:3: teams[0].nam: No key is called 'nam'. Did you mean 'name'?"
        " Known: slug, name, cost_center, parent, members."
    )


@pytest.mark.realtime
def test_an_unknown_command_is_wrong_usage(environment: dict[str, str]) -> None:
    answer = run(environment, "foo")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "No command is called 'foo'" in answer.stderr
