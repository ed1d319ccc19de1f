"""What every test stands on: a real PostgreSQL and Redis, started once for the run."""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
_servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the embedded servers before Django reads its settings; DATABASE_URL and REDIS_URL replace them."""
    for folder in (str(ROOT), str(ROOT / "platform")):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _start_servers() -> None:
    from fleetledger.embedded import session, state

    folder = _servers.enter_context(tempfile.TemporaryDirectory(prefix="fl-tests-"))
    Path(folder).chmod(0o711)
    settings = _servers.enter_context(session.environment(state.resolve(f"{folder}/state"), need_redis=True))
    os.environ.update(settings)


if "PYTEST_XDIST_WORKER" not in os.environ and not ("DATABASE_URL" in os.environ and "REDIS_URL" in os.environ):
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    _start_servers()


def pytest_unconfigure() -> None:
    _servers.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs other people's files where they are absent, in one line that says so."""
    if SHARED.is_dir():
        return
    kept = [item for item in items if item.get_closest_marker("conformance") is None]
    left_out = [item for item in items if item.get_closest_marker("conformance") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept
        print(f"\n{len(left_out)} conformance tests deselected: {SHARED} is absent.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real captures, bills and reports; for tests marked `conformance`."""
    return SHARED
