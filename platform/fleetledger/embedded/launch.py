"""Starts a child that cannot outlive us: the kernel signals it when its parent dies, even by SIGKILL."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from fleetledger.embedded.account import Account
from fleetledger.embedded.state import is_root

# A step between fork and exec, as a program of its own: code that runs in a forked copy of a threaded process can hang.
# The order matters: a change of uid clears the death signal, so it is asked for afterwards; a parent that died before
# that is found by its pid.
_STEP = """
import ctypes, os, sys
death, parent, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
ctypes.CDLL(None).prctl(1, death, 0, 0, 0)
if os.getppid() != parent:
    sys.exit(1)
try:
    os.execv(sys.argv[5], sys.argv[5:])
except OSError as error:
    sys.exit(f"{sys.argv[5]} cannot be run: {error.strerror}")
"""


def start(
    command: list[str],
    *,
    death_signal: signal.Signals,
    output: int | IO[bytes],
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, under another account where root asks for one.

    The caller's thread counts as the parent: start children from a thread that lives as long as they may.
    """
    uid, gid = account.owner if account and is_root() else (-1, -1)
    step = [sys.executable, "-I", "-S", "-c", _STEP, str(int(death_signal)), str(os.getpid()), str(uid), str(gid)]
    return subprocess.Popen(
        [*step, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(os.environ if environment is None else environment),
        cwd=folder,
        start_new_session=True,
    )


def run(
    command: list[str], *, account: Account | None, environment: Mapping[str, str], folder: Path, seconds: float
) -> tuple[int, str]:
    """Run a short command to its end; gives its exit status with what it said."""
    process = start(
        command,
        death_signal=signal.SIGKILL,
        output=subprocess.PIPE,
        account=account,
        environment=environment,
        folder=folder,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return 1, f"no end after {seconds:.0f} s; {said.decode(errors='replace')}"
    return process.returncode, said.decode(errors="replace")
