"""Daily reports about the data of two models, as Evidently writes them: one is calm, the other drifts in each cycle.

A third model sends its rows instead.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drift import importing, ingest
from drift.ingest import Imported, Sender
from drift.models import Model, Report
from drift.windows import ReportWindow
from fleetledger.demo import drift_rows
from fleetledger.demo.dice import Dice, key, mix
from fleetledger.demo.outages import CYCLE_S, ORIGIN
from fleetledger.demo.work import DAY_S
from fleetledger.lib.buckets import DAY, floor

SEED = 4103
MOST_DAYS = 45
SHARE = 0.5
THRESHOLD = 0.1
NUMBERS, WORDS = "Wasserstein distance (normed)", "Jensen-Shannon distance"
DRIFTS_FROM_DAY = 9
"""Of a cycle: then an app begins to send other queries, until the model is trained anew as the next cycle begins."""
SENDER = Sender(name="evidently job")


@dataclass(frozen=True, slots=True)
class Watched:
    """A model's columns with their methods; `drifting` are those that move, with how far they get."""

    model: str
    columns: Mapping[str, str]
    drifting: Mapping[str, float]


WATCHED = (
    Watched(
        "ranker-xl",
        {
            "query_length": NUMBERS, "query_language": WORDS, "price": NUMBERS, "stock": NUMBERS, "category": WORDS,
            "clicks_7d": NUMBERS, "age_days": NUMBERS, "device": WORDS,
        },
        {"query_length": 0.34, "query_language": 0.27},
    ),
    Watched(
        "asr-conformer",
        {"duration_s": NUMBERS, "snr_db": NUMBERS, "sample_rate": WORDS, "language": WORDS, "speech_share": NUMBERS},
        {},
    ),
)  # fmt: skip


def write(now: datetime, days: int) -> int:
    """Take in those of the last days that are not here yet, through the door for reports; gives how many."""
    reports = sum(_of_model(watched, now, min(days, MOST_DAYS)) for watched in WATCHED)
    return reports + drift_rows.write(now, days)


def report(watched: Watched, day: int) -> dict[str, Any]:
    """The report of one day, which begins at `day` (seconds since 1970)."""
    dice = Dice(SEED, key(watched.model), day)
    scores = {column: _score(watched, column, day, dice) for column in watched.columns}
    drifted = sum(score >= THRESHOLD for score in scores.values())
    count = {
        "id": _id(watched, "count"),
        "metric_name": f"DriftedColumnsCount(drift_share={SHARE})",
        "config": {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": SHARE},
        "value": {"count": float(drifted), "share": drifted / len(scores)},
    }
    return {"metrics": [count, *(_metric(watched, column, score) for column, score in scores.items())], "tests": []}


def _of_model(watched: Watched, now: datetime, days: int) -> int:
    model = Model.objects.filter(name=watched.model, removed_at=None).first()
    if model is None:
        return 0
    known = set(Report.objects.filter(model=model).values_list("window_from", flat=True))
    ids: list[int] = []
    for window in _windows(now, days):
        if window.start not in known:
            content = json.dumps(report(watched, int(window.start.timestamp()))).encode()
            name = f"{watched.model}-{window.start:%Y-%m-%d}.json"
            received = ingest.receive(model, content, name=name, window=window, sender=SENDER)
            ids += ingest.import_file(received.file_id).report_ids
    importing.weigh(Imported(0, tuple(ids), 0))
    return len(ids)


def _windows(now: datetime, days: int) -> Iterator[ReportWindow]:
    for ago in range(days, 0, -1):
        start = floor(now, DAY) - DAY * ago
        yield ReportWindow(start, start + DAY)


def _score(watched: Watched, column: str, day: int, dice: Dice) -> float:
    calm = dice.between(150, 620) / 10_000
    grown = (day - ORIGIN) % CYCLE_S // DAY_S - DRIFTS_FROM_DAY + 1
    far = watched.drifting.get(column, 0.0)
    return round(calm + far * min(max(grown, 0), 4) / 4, 6)


def _metric(watched: Watched, column: str, score: float) -> dict[str, Any]:
    method = watched.columns[column]
    return {
        "id": _id(watched, column),
        "metric_name": f"ValueDrift(column={column},method={method},threshold={THRESHOLD})",
        "config": {
            "type": "evidently:metric_v2:ValueDrift",
            "column": column,
            "method": method,
            "threshold": THRESHOLD,
        },
        "value": score,
    }


def _id(watched: Watched, name: str) -> str:
    return f"{mix(SEED, key(watched.model), key(name)):016x}"
