"""Gives a command the servers it needs: a running one's, or its own for as long as it runs."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fleetledger.embedded import python
from fleetledger.embedded import state as places
from fleetledger.embedded.errors import ServerBusyError, ServerFailedError
from fleetledger.embedded.keeper import KINDS, Marks, open_log
from fleetledger.embedded.locks import POLL_S, FileLock
from fleetledger.embedded.redis_server import url_of
from fleetledger.embedded.state import StateDir

PATIENCE_S = 150.0
STOP_PATIENCE_S = 40.0
SURE_AFTER = 3
_spawned: list[
    subprocess.Popen[bytes]
] = []  # keepers outlive the command that started them; kept so that they are reaped


@contextmanager
def environment(state: StateDir, *, need_redis: bool) -> Iterator[dict[str, str]]:
    """The settings by which Django finds its servers; a server that nobody runs is started, and stopped afterwards.

    DATABASE_URL, REDIS_URL and SECRET_KEY (or SECRET_KEY_FILE) that are set already replace the embedded ones.
    """
    given = os.environ
    settings = {name: given[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") if given.get(name)}
    kinds = [] if "DATABASE_URL" in settings else ["postgres"]
    kinds += ["redis"] if need_redis and "REDIS_URL" not in settings else []
    with ExitStack() as held:
        if kinds or not ("SECRET_KEY" in settings or given.get("SECRET_KEY_FILE")):
            places.prepare(state)
            settings["FLEETLEDGER_STATE_DIR"] = str(state.root)
            if not given.get("SECRET_KEY_FILE"):
                settings.setdefault("SECRET_KEY", places.secret_key(state))
        uses = [held.enter_context(_using(Marks(state, kind))) for kind in kinds]
        for use in uses:
            use.wait_until_ready()
            settings["DATABASE_URL" if use.kind == "postgres" else "REDIS_URL"] = use.url
        settings.setdefault("REDIS_URL", url_of(state.sockets("redis") / "redis.sock"))
        yield settings


class Use:
    """One command's share in one server."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self.kind = marks.kind
        self.url = ""
        self._share = FileLock(marks.users)
        self._starting = FileLock(marks.starting)
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Take a share, and start the keeper where there is none."""
        if not self._share.wait_shared(PATIENCE_S) or not self._starting.wait_exclusive(PATIENCE_S):
            raise ServerBusyError(KINDS[self.kind].title, PATIENCE_S)
        if not self._is_kept():
            self._marks.ready.unlink(missing_ok=True)
            self._marks.failure.unlink(missing_ok=True)
            self._child = _start_keeper(self._marks)

    def wait_until_ready(self) -> None:
        """Wait for the server's address; others may start only afterwards."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._read_address():
            if (self._child and self._child.poll() is not None) or time.monotonic() > deadline:
                raise ServerFailedError(KINDS[self.kind].title, self._reason(), self._marks.log)
            time.sleep(POLL_S)
        self._starting.release()

    def end(self) -> None:
        """Give the share back; the last one waits until the server has stopped."""
        self._share.release()
        self._wait_for_keeper()
        self._share.close()
        self._starting.close()
        _spawned[:] = [child for child in _spawned if child.poll() is None]

    def _is_kept(self) -> bool:
        lock = FileLock(self._marks.keeper)
        try:
            return not lock.try_shared()
        finally:
            lock.close()

    def _read_address(self) -> bool:
        try:
            self.url = str(json.loads(self._marks.ready.read_text(encoding="utf-8"))["url"])
        except OSError:
            return False
        return True

    def _reason(self) -> str:
        try:
            return self._marks.failure.read_text(encoding="utf-8")
        except OSError:
            return "its keeper ended" if self._child and self._child.poll() is not None else "it did not answer in time"

    def _wait_for_keeper(self) -> None:
        """Wait until the keeper is gone, or until it is plain that others use the server."""
        deadline = time.monotonic() + STOP_PATIENCE_S
        seen_others = 0
        while self._is_kept() and seen_others < SURE_AFTER and time.monotonic() < deadline:
            seen_others = seen_others + 1 if self._others_share() else 0
            time.sleep(POLL_S)

    def _others_share(self) -> bool:
        """Whether other commands hold shares; can be wrong for the moment in which the keeper takes the lock."""
        if not self._share.try_shared():
            return False  # the keeper has it alone: it is stopping the server
        is_alone = self._share.try_exclusive()
        self._share.release()
        return not is_alone


@contextmanager
def _using(marks: Marks) -> Iterator[Use]:
    use = Use(marks)
    try:
        use.begin()
        yield use
    finally:
        use.end()


def _start_keeper(marks: Marks) -> subprocess.Popen[bytes]:
    with open_log(marks) as log:
        child = subprocess.Popen(
            python.module("fleetledger.embedded.keeper", marks.kind, str(marks.state.root)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=python.environment(),
            cwd="/",
            start_new_session=True,
        )
    _spawned.append(child)
    return child
