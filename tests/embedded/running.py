"""Starts real processes under chosen accounts and waits, to a deadline, for what they do."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleetledger.embedded.account import Account
from fleetledger.embedded.state import StateDir

SHORT = Path("/tmp")  # noqa: S108 pytest's own folders cannot be entered by other accounts
_started: list[subprocess.Popen[bytes]] = []
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FLEETLEDGER_STATE_DIR", "FLEETLEDGER_INSTANCE", "XDG_STATE_HOME")


@dataclass(frozen=True, slots=True)
class Whom:
    """An account that a test runs processes under, with an interpreter and packages that it can enter."""

    name: str
    account: Account
    python: str
    packages: Path

    def environment(self, home: Path) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if name not in OURS}
        return plain | {"HOME": str(home), "PYTHONPATH": str(self.packages), "PYTHONUNBUFFERED": "1"}

    def start(self, arguments: Sequence[str], *, home: Path, **more: str) -> "Running":
        """Start this account's interpreter in a session of its own; what it says goes to a file."""
        said = home / f"said-{len(list(home.glob('said-*')))}"
        is_other = os.geteuid() == 0 and self.account.uid != 0
        with said.open("wb") as output:
            process = subprocess.Popen(
                [self.python, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(home) | more,
                cwd=home,
                start_new_session=True,
                user=self.account.uid if is_other else None,
                group=self.account.gid if is_other else None,
                extra_groups=[] if is_other else None,
            )
        _started.append(process)
        return Running(process, said)


@dataclass(frozen=True, slots=True)
class Running:
    """A started process with what it has said so far."""

    process: subprocess.Popen[bytes]
    said_file: Path

    @property
    def said(self) -> str:
        return self.said_file.read_text(encoding="utf-8", errors="replace")

    def says(self, words: str, seconds: float = 60) -> None:
        """Wait for words."""
        wait_until(lambda: words in self.said or self.process.poll() is not None, seconds, lambda: self.said)
        assert words in self.said, self.said

    def ends(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)


def end_all() -> None:
    """End what a failed test has left running, so that the next one starts clean."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until(question: Callable[[], bool], seconds: float = 60, said: Callable[[], str] = str) -> None:
    """Ask again and again until the answer is yes; the deadline is a failure."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"not within {seconds} s: {said()}"
        time.sleep(0.05)


def living(place: Path) -> list[str]:
    """The command lines of all processes that belong to a state directory, wherever their parents are."""
    links = (place / "postgres", place / "state" / "postgres")
    needles = [str(place), *(str(link.resolve()) for link in links if link.is_symlink())]  # root's data may lie apart
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            told = process.environ().get("FLEETLEDGER_STATE_DIR", "")
            is_ours = any(needle in line for needle in needles) or told.startswith(str(place))
            if is_ours and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(line)
    return found


def forget_what_lies_apart(folder: Path) -> None:
    """As root, a database below a closed folder and its sockets lie elsewhere; the state directory says where."""
    for link in folder.glob("**/postgres"):
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)
    for state in (folder / "state", *folder.glob("long-*/state")):
        digest = StateDir(state).sockets("postgres", inside=False).parent.name.rpartition("-")[2]
        for sockets in SHORT.glob(f"fleetledger-*-{digest}"):
            shutil.rmtree(sockets, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])


def enterable_python(account: Account) -> str:
    """Our interpreter where the account can run it, else the system's."""
    real = Path(sys.executable).resolve()
    return (
        str(real) if account.can_enter(real.parent) and account.can_enter(Path(sys.base_prefix)) else "/usr/bin/python3"
    )


def ordinary_account() -> Account:
    """An account without rights: the one that runs the tests, or `nobody` where that is root."""
    entry = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
