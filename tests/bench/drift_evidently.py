"""A program for the environment of Evidently 0.7.23: run its drift preset on two Parquet files, and print as JSON."""

import json
import sys
import time
import warnings
from pathlib import Path

import pyarrow.parquet as pq
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]


def peak_mb() -> float:
    """The high-water mark of this program alone: `ru_maxrss` begins with that of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    warnings.simplefilter("ignore")
    reference, current, what = sys.argv[1:]
    mine, theirs = (pq.read_table(file).to_pandas() for file in (reference, current))
    began, cpu_before = time.perf_counter(), time.process_time()  # reading is not counted; in our own time it is
    definition = DataDefinition()
    mine, theirs = (Dataset.from_pandas(frame, data_definition=definition) for frame in (mine, theirs))
    report = Report([DataDriftPreset(method=None if what == "default" else what)])
    metrics = json.loads(report.run(theirs, mine).json())["metrics"]
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
    scores = {one["config"]["column"]: one["value"] for one in metrics if "column" in one["config"]}
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb(), "scores": scores}))


if __name__ == "__main__":
    main()
