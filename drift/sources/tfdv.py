"""Reads anomalies of TensorFlow Data Validation (the Anomalies message as JSON): drift and skew, and data quality."""

from collections.abc import Iterator
from typing import Any

from drift.sources.methods import decided, method_of
from drift.sources.node import Node
from drift.sources.records import ALL_COLUMNS, DataSet, Kind, ReadReport, ReadScore, summed

TOOL = "tfdv"
KEYS = ("anomaly_info", "anomalyInfo", "drift_skew_info", "driftSkewInfo", "dataset_anomaly_info", "datasetAnomalyInfo")
MEASURED = (
    "COMPARATOR_L_INFTY_HIGH",
    "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
    "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH",
)


def is_anomalies(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(key), dict | list) for key in KEYS)


def read_anomalies(root: Node, digest: str) -> ReadReport:
    """Measurements are scores of drift; any other anomaly is a fact about the data's quality."""
    measured = tuple(_measurements(root))
    known = {score.column for score in measured}
    told = tuple(_anomalies(root, known))
    return summed(digest, (*measured, *told), DataSet())


def _measurements(root: Node) -> Iterator[ReadScore]:
    infos = _either(root, "drift_skew_info", "driftSkewInfo")
    for info in infos.items() if infos is not None else ():
        column = _path(info.at("path"))
        for names in (("drift_measurements", "driftMeasurements"), ("skew_measurements", "skewMeasurements")):
            found = _either(info, *names)
            for measure in found.items() if found is not None else ():
                yield _measured(column, measure, "drift" if names[0].startswith("drift") else "skew")


def _measured(column: str, measure: Node, of: str) -> ReadScore:
    written = measure.at("type").text(200)
    method = method_of(TOOL, written)
    value, threshold = measure.at("value").number(), measure.at("threshold").number()
    return ReadScore(
        column=column,
        kind=Kind.DRIFT,
        method=method.key,
        method_as_written=f"{written} ({of})",
        value=value,
        threshold=threshold,
        direction=method.direction,
        is_drifted=decided(method, value, threshold),
    )


def _anomalies(root: Node, measured: set[str]) -> Iterator[ReadScore]:
    infos = _either(root, "anomaly_info", "anomalyInfo")
    for column, info in infos.entries() if infos is not None else ():
        yield from _reasons(Node(column, info.path).name(), info, measured)
    whole = _either(root, "dataset_anomaly_info", "datasetAnomalyInfo")
    if whole is not None:
        yield from _reasons(ALL_COLUMNS, whole, measured)


def _reasons(column: str, info: Node, measured: set[str]) -> Iterator[ReadScore]:
    reasons = info.find("reason")
    for reason in reasons.items() if reasons is not None else ():
        written = (
            str(reason.at("type").value or "")
            if not isinstance(reason.at("type").value, str)
            else reason.at("type").text(200)
        )
        is_drift = written in MEASURED
        if is_drift and column in measured:
            continue
        yield ReadScore(
            column=column,
            kind=Kind.DRIFT if is_drift else Kind.QUALITY,
            method="unknown" if is_drift or not written else written.casefold()[:60],
            method_as_written=written,
            value=None,
            threshold=None,
            direction="unknown",
            is_drifted=True,
        )


def _path(path: Node) -> str:
    """A feature's path: {step: [a, b]} is a.b."""
    steps = path.at("step")
    if isinstance(steps.value, list):
        return Node(".".join(step.text() for step in steps.items()), steps.path).name()
    return steps.name()


def _either(node: Node, snake: str, camel: str) -> Node | None:
    return node.find(snake) or node.find(camel)
