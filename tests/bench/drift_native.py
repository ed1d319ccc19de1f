"""A program: score two Parquet files natively, and print seconds, peak memory and scores as JSON."""

import json
import sys
import time
from pathlib import Path

from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.measures.compatible.scoring import score_window
from drift.measures.robust.profile import count_window, make_profile
from drift.measures.windows import Window, open_window


def compatible(reference: Window, current: Window, method: str | None) -> dict[str, float]:
    return {one.column: one.value for one in score_window(reference, current, method).scores}


def robust(reference: Window, current: Window) -> dict[str, float]:
    profile = make_profile(reference)
    judged = judge_window(profile, count_window(profile, current), Rules())
    return {one.column: one.effect for one in judged.scores}


def peak_mb() -> float:
    """The high-water mark of this program alone: `ru_maxrss` begins with that of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    reference, current, what = sys.argv[1:]
    began, cpu_before = time.perf_counter(), time.process_time()
    with open_window(Path(reference)) as mine, open_window(Path(current)) as theirs:
        if what == "robust":
            scores = robust(mine, theirs)
        else:
            scores = compatible(mine, theirs, None if what == "default" else what)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb(), "scores": scores}))


if __name__ == "__main__":
    main()
