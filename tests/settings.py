"""The product's settings on a real PostgreSQL and Redis, started once for the run unless both are given."""

import atexit
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree


def _forget_what_lies_apart(link: Path) -> None:
    """For root, below a TMPDIR that is closed to others, the database lies elsewhere and would outlive the run."""
    if link.is_symlink():
        rmtree(link.resolve(), ignore_errors=True)


def _start_servers() -> None:
    from fleetledger.embedded import session, state

    servers = ExitStack()
    folder = Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="fl-tests-")))
    folder.chmod(0o711)
    servers.callback(_forget_what_lies_apart, folder / "state" / "postgres")
    settings = servers.enter_context(session.environment(state.resolve(str(folder / "state")), need_redis=True))
    os.environ.update(settings)
    atexit.register(servers.close)


if not ("DATABASE_URL" in os.environ and "REDIS_URL" in os.environ):
    _start_servers()

os.environ.setdefault("FLEETLEDGER_NOTIFY_ALLOW", "127.0.0.0/8")  # where the tests' receivers are

from fleetledger.settings import *  # noqa: E402, F403 all of them, on the servers just started
