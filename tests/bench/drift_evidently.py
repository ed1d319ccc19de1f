"""A program for the environment of Evidently 0.7.23: run its drift preset on two Parquet files, and print as JSON."""

import json
import resource
import sys
import time
import warnings

import pyarrow.parquet as pq
from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
from evidently.presets import DataDriftPreset  # type: ignore[import-not-found]


def main() -> None:
    warnings.simplefilter("ignore")
    reference, current, what = sys.argv[1:]
    mine, theirs = (pq.read_table(file).to_pandas() for file in (reference, current))
    began = time.perf_counter()  # reading is not counted: our own time has it
    definition = DataDefinition()
    mine, theirs = (Dataset.from_pandas(frame, data_definition=definition) for frame in (mine, theirs))
    report = Report([DataDriftPreset(method=None if what == "default" else what)])
    metrics = json.loads(report.run(theirs, mine).json())["metrics"]
    seconds = time.perf_counter() - began
    scores = {one["config"]["column"]: one["value"] for one in metrics if "column" in one["config"]}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "scores": scores}))


if __name__ == "__main__":
    main()
