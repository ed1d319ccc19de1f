"""What every test stands on; the real PostgreSQL and Redis are started by tests/settings.py."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "tests" / "e2e"
SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the filled site last, and leave out what needs other people's files where they are absent."""
    items.sort(key=lambda item: item.path.is_relative_to(SITE))  # its world stays in the database until the end
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
