"""Backups, restores and examinations of an installation, by the commands that people type."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleetledger.embedded import session
from fleetledger.embedded.state import StateDir
from tests.embedded.running import OURS, forget_what_lies_apart

pytestmark = pytest.mark.realtime
ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """A state directory of its own with the product's commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plain = {name: value for name, value in os.environ.items() if name not in OURS}
        self._environment = plain | {"FLEETLEDGER_STATE_DIR": str(folder / "state"), "FLEETLEDGER_LOG_LEVEL": "ERROR"}

    def run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self._environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def ask(self, program: str) -> str:
        """What a line of Python prints within the product."""
        return self.run("shell", "--no-imports", "--command", program).stdout.strip()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="fl-dumps-") as name, ExitStack() as held:
        Path(name).chmod(0o711)
        held.callback(forget_what_lies_apart, Path(name))
        made = Installation(Path(name))
        with pytest.MonkeyPatch.context() as patch:  # servers of its own, up for all commands
            for variable in OURS:
                patch.delenv(variable, raising=False)
            held.enter_context(session.environment(StateDir(Path(name) / "state"), need_redis=True))
        done = made.run("prepare", "--verbosity", "0")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("set-up-path /set-up/")
        yield made


TEAMS = "from fleetledger.fleet.models import Team; print(sorted(Team.objects.values_list('slug', flat=True)))"


def make_team(slug: str) -> str:
    return f"from fleetledger.fleet.models import Team; Team.objects.create(slug='{slug}', name='{slug.title()}')"


def test_a_restored_backup_is_what_was_there_when_it_was_made(installation: Installation) -> None:
    installation.ask(make_team("vision"))
    done = installation.run("backup", "first.dump")
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((installation.folder / "first.dump").stat().st_mode) == 0o600
    installation.ask(make_team("audio"))
    assert installation.ask(TEAMS) == "['audio', 'vision']"
    done = installation.run("restore", "first.dump", "--replace")
    assert (done.returncode, done.stdout) == (0, "Restored first.dump.\n")
    assert installation.ask(TEAMS) == "['vision']"


def test_a_backup_never_overwrites_a_file(installation: Installation) -> None:
    (installation.folder / "kept").write_text("mine")
    done = installation.run("backup", "kept")
    assert done.returncode == 1
    assert "kept exists already: choose another name, or remove it." in done.stderr
    assert (installation.folder / "kept").read_text() == "mine"


def test_a_restore_over_data_has_to_be_asked_for(installation: Installation) -> None:
    installation.run("backup", "second.dump")
    before = installation.ask(TEAMS)
    done = installation.run("restore", "second.dump")
    assert done.returncode == 1
    assert "tables already: add --replace to lose what is in them." in done.stderr
    assert installation.ask(TEAMS) == before


def test_a_broken_backup_changes_nothing(installation: Installation) -> None:
    before = installation.ask(TEAMS)
    installation.run("backup", "third.dump")
    whole = (installation.folder / "third.dump").read_bytes()
    (installation.folder / "half.dump").write_bytes(whole[: len(whole) // 2])
    for name in ("half.dump", "missing.dump"):
        done = installation.run("restore", name, "--replace")
        assert done.returncode == 1
        assert f"{name} is no backup that can be read: name a file that `backup` wrote." in done.stderr
    assert installation.ask(TEAMS) == before


def test_the_doctor_says_what_to_mend_and_fails_where_something_is_broken(installation: Installation) -> None:
    key = installation.folder / "state/secret-key"
    key.chmod(0o644)
    sick = installation.run("doctor", "--json")
    key.chmod(0o600)
    assert sick.returncode == 1
    broken = [finding for finding in json.loads(sick.stdout) if finding["verdict"] == "broken"]
    assert broken == [
        {
            "subject": "state directory",
            "verdict": "broken",
            "words": f"Others can read {key}.",
            "mend": f"Run: chmod 600 {key}",
        }
    ]
    well = installation.run("doctor")
    assert (well.returncode, well.stderr) == (0, "")
    assert "ok    migrations: All are applied." in well.stdout
    assert "note  workers: None answers. Start `fleetledger up`, or `fleetledger worker`." in well.stdout


def test_the_doctor_examines_what_it_can_while_the_database_is_away(installation: Installation) -> None:
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    away = Installation(installation.folder)
    away._environment |= given
    done = away.run("doctor", "--json")
    assert done.returncode == 1
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert findings["database"]["verdict"] == findings["broker"]["verdict"] == "broken"
    assert findings["database"]["mend"] == "See DATABASE_URL."
    assert findings["python"]["verdict"] == "well"
