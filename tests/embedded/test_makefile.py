"""The two commands say what they need before they do anything."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PATH"] = path + environment["PATH"]
    return subprocess.run(
        ["make", "--directory", str(ROOT), *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_as_a_user_the_missing_debian_packages_are_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    needs = "TEST_PROGRAMS=sh:dash no-such-program:one-package /no/such/file:another-package also-none:one-package"
    refused = make("test-programs", needs, path=f"{tmp_path}:")
    assert refused.returncode == 2  # make's own word for a recipe that exited 1
    assert refused.stderr.splitlines()[0] == (
        "The tests need programs that only root can install: "
        "apt-get install -y --no-install-recommends another-package one-package"
    )


def test_nothing_is_installed_where_everything_is_there() -> None:
    done = make("test-programs", "TEST_PROGRAMS=sh:dash /etc/passwd:base-passwd", "APT_INSTALL=false")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_apt_line_comes_before_anything_else() -> None:
    plan = make("--dry-run", "test").stdout
    assert (
        plan.index("only root can install") < plan.index("pip install") < plan.index("== ruff") < plan.index("== tests")
    )
