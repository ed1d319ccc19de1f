"""Scores of 1 M + 1 M rows x 20 columns: time, peak memory, and the ratio to Evidently 0.7.23.

Evidently has an environment of its own (pandas < 3, 1 GB), made once in the user's cache folder, and takes minutes: it
is asked only with FLEETLEDGER_BENCH_EVIDENTLY=1. Where it is not, or cannot be, the line says so.
"""

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3000)]
ROWS, NUMERICAL, CATEGORICAL = 1_000_000, 16, 4
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetledger-bench" / "evidently-0.7.23"
PACKAGES = ("evidently==0.7.23", "pandas<3", "pyarrow>=21")


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_s: float
    peak_mb: float
    scores: dict[str, float]


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("windows")
    return written(folder / "reference.parquet", 0), written(folder / "current.parquet", 1)


@pytest.fixture(scope="module")
def evidently() -> Path | str:
    """The interpreter of the environment, or why there is none."""
    if os.environ.get("FLEETLEDGER_BENCH_EVIDENTLY") != "1":
        return "Evidently was not asked (FLEETLEDGER_BENCH_EVIDENTLY=1)"
    python = CACHE / "bin" / "python"
    if (
        python.exists()
        and subprocess.run([python, "-c", "import evidently"], check=False, capture_output=True).returncode == 0
    ):
        return python
    venv.create(CACHE, with_pip=True, clear=True)
    made = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PACKAGES], check=False, capture_output=True, text=True
    )
    return python if made.returncode == 0 else f"no environment for Evidently: {made.stderr.strip().splitlines()[-1]}"


@pytest.mark.parametrize("what", ["psi", "default", "robust"])
def test_a_million_rows_against_a_million(windows: tuple[Path, Path], evidently: Path | str, what: str) -> None:
    ours = _run(Path(sys.executable), HERE / "drift_native.py", windows, what)
    assert len(ours.scores) == NUMERICAL + CATEGORICAL
    line = (
        f"\n{what}: {ours.seconds:.2f} s ({ours.cpu_s:.2f} s of CPU) from Parquet to scores, "
        f"peak {ours.peak_mb:.0f} MB (aim < 450)"
    )
    if isinstance(evidently, str):
        print(f"{line}; {evidently}")
        return
    theirs = _of_evidently(evidently, windows, "default" if what == "robust" else what)
    print(
        f"{line}; Evidently {theirs.seconds:.1f} s ({theirs.cpu_s:.1f} s of CPU) without reading, peak "
        f"{theirs.peak_mb:.0f} MB: {theirs.seconds / ours.seconds:.1f} x, by CPU {theirs.cpu_s / ours.cpu_s:.1f} x "
        f"(aim {20 if what == 'psi' else 12} x)"
    )
    if what != "robust":
        assert {name: pytest.approx(value, rel=1e-9) for name, value in theirs.scores.items()} == ours.scores


@cache
def _of_evidently(python: Path, windows: tuple[Path, Path], what: str) -> Run:
    return _run(python, HERE / "drift_evidently.py", windows, what)


def written(file: Path, window: int) -> Path:
    chance = np.random.default_rng(window)
    table: dict[str, object] = {}
    for place in range(NUMERICAL):
        shape = chance.lognormal if place % 2 else chance.normal
        table[f"n{place:02d}"] = shape(0.02 * window, 1, ROWS)
    for place in range(CATEGORICAL):
        levels = np.array([f"level {level}" for level in range(5 + 20 * place)])
        table[f"c{place}"] = pa.array(levels[chance.integers(0, len(levels), ROWS)])
    pq.write_table(pa.table(table), file)
    return file


def _run(python: Path, program: Path, windows: tuple[Path, Path], what: str) -> Run:
    """In a process of its own, so that the peak is that of the scores."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}" if python == Path(sys.executable) else "",
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [python, program, *windows, what],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=windows[0].parent,
    )
    return Run(**json.loads(done.stdout.splitlines()[-1]))
