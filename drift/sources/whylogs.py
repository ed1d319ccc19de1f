"""Reads drift scores of whylogs: `calculate_drift_scores` with its own algorithms, one object for each column."""

from typing import Any

from drift.sources.methods import LARGE, SMALL, Method, method_of
from drift.sources.node import Node
from drift.sources.records import DataSet, Kind, ReadReport, ReadScore, summed

TOOL = "whylogs"
_ENDS = 2


def is_scores(value: Any) -> bool:
    """Whether it looks like drift scores: a column's object names its algorithm."""
    return (
        isinstance(value, dict)
        and bool(value)
        and any(isinstance(item, dict) and "algorithm" in item for item in value.values())
    )


def read_scores(root: Node, digest: str) -> ReadReport:
    scores = tuple(_score(column, entry) for column, entry in root.entries() if entry.value is not None)
    possible = sum(
        1 for _, entry in root.entries() if entry.value and entry.at("drift_category").value == "POSSIBLE_DRIFT"
    )
    note = f"whylogs calls {possible} of the columns possible drift, which counts as none." if possible else ""
    return summed(digest, scores, DataSet(), note=note)


def _score(column: str, entry: Node) -> ReadScore:
    written = entry.at("algorithm").text(200)
    method = method_of(TOOL, written)
    p_value = entry.at("pvalue").number()
    value = p_value if p_value is not None or method.direction == SMALL else entry.at("statistic").number()
    return ReadScore(
        column=Node(column, entry.path).name(),
        kind=Kind.DRIFT,
        method=method.key,
        method_as_written=written,
        value=value,
        threshold=_threshold(entry, method),
        direction=method.direction,
        is_drifted=_category(entry.at("drift_category")),
    )


def _category(found: Node) -> bool | None:
    text = found.text(40)
    return {"DRIFT": True, "NO_DRIFT": False, "POSSIBLE_DRIFT": False}.get(text)


def _threshold(entry: Node, method: Method) -> float | None:
    """Where the category DRIFT begins: its upper end for p-values, its lower end for distances."""
    thresholds = entry.find("thresholds")
    drift = thresholds.find("DRIFT") if thresholds is not None else None
    if drift is None or method.direction not in (SMALL, LARGE):
        return None
    ends = [end.number() for end in drift.items()]
    if len(ends) != _ENDS:
        drift.refuse("two ends are expected, as in [0, 0.05].")
    return ends[1] if method.direction == SMALL else ends[0]
