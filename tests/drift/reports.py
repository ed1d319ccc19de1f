"""Reports that other programs made, and small ones made here, as tests take them in."""

import json
from pathlib import Path
from typing import Any

from drift.sources.reading import read
from drift.sources.records import ReadFile, ReadReport

FOLDER = Path(__file__).parent / "data" / "reports"
LIMIT = 20_000_000
FILES = tuple(sorted(path.name for path in FOLDER.iterdir()))
CANCER = tuple(name for name in FILES if name.startswith("evidently-"))
SNAPSHOT = "evidently-0.4.40-drift-snapshot.json.gz"
LATE = "evidently-0.7.23-drift.json"


def content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def read_named(name: str) -> ReadFile:
    return read(content(name), limit_bytes=LIMIT)


def packed(value: Any) -> bytes:
    return json.dumps(value).encode()


def read_value(value: Any) -> ReadReport:
    """The one report of a JSON value."""
    (report,) = read(packed(value), limit_bytes=LIMIT).reports
    return report


def evidently(*scores: float, drift_share: float = 0.5, timestamp: str = "") -> dict[str, Any]:
    """A report of generation E: columns c0, c1 and so on by PSI, with the count that follows."""
    drifted = sum(score >= 0.1 for score in scores)
    metrics = [
        {
            "id": f"m{number}",
            "metric_name": f"ValueDrift(column=c{number},method=psi,threshold=0.1)",
            "config": {
                "type": "evidently:metric_v2:ValueDrift",
                "column": f"c{number}",
                "method": "psi",
                "threshold": 0.1,
            },
            "value": score,
        }
        for number, score in enumerate(scores)
    ]
    count = {
        "id": "count",
        "config": {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": drift_share},
        "value": {"count": drifted, "share": drifted / len(scores)},
    }
    return {"metrics": [count, *metrics]} | ({"timestamp": timestamp} if timestamp else {})
