"""Reads reports of Evidently 0.2 to 0.6: `Report.json()` (A), `TestSuite.json()` (B), saved snapshots (C)."""

import re
from collections.abc import Iterable, Iterator

from drift.sources.methods import decided, method_of
from drift.sources.node import Node
from drift.sources.records import DataSet, Kind, ReadReport, ReadScore, summed

TOOL = "evidently"
ROUNDED = "This generation rounds scores to three decimals: its own flags count, not the scores."
_LAST_PART = re.compile(r"[.:]")
_HAS_DRIFT = {"FAIL": True, "WARNING": True, "SUCCESS": False}
_DETECTED = {"Detected": True, "Not Detected": False}


def read_report(root: Node, digest: str) -> ReadReport:
    """Generation A."""
    results = [(metric.at("metric").text(), metric.at("result")) for metric in root.at("metrics").items()]
    return _read(results, root.at("metrics"), digest, root.at("timestamp"))


def read_snapshot(root: Node, digest: str) -> ReadReport:
    """Generation C: a result's type says whose it is, its package differs between versions."""
    found = root.at("suite").at("metric_results")
    results = [(_LAST_PART.split(result.at("type").text())[-1], result) for result in found.items()]
    return _read(results, found, digest, root.at("timestamp"))


def read_suite(root: Node, digest: str) -> ReadReport:
    """Generation B: by column in the share's test, else in the tests of single columns."""
    scores: dict[str, ReadScore] = {}
    said = DataSet()
    for test in root.at("tests").items():
        for score in _features(test):
            scores.setdefault(score.column, score)
        if "share of drifted" in test.at("name").text().casefold():
            condition = test.at("parameters").find("condition")
            limit = condition.find("lt") if condition is not None else None
            said = DataSet(
                drift_share=limit.share() if limit is not None else None,
                is_drifted=_HAS_DRIFT.get(test.at("status").text()),
            )
    if not scores:
        root.at("tests").refuse("no test of drifted columns is here. Add DataDriftTestPreset to the suite.")
    return summed(digest, tuple(scores.values()), said, made_at=root.at("timestamp").instant(), note=ROUNDED)


def _read(results: Iterable[tuple[str, Node]], whole: Node, digest: str, timestamp: Node) -> ReadReport:
    scores: dict[ReadScore, None] = {}
    said: DataSet | None = None
    for name, result in results:
        if name in ("DatasetDriftMetric", "DatasetDriftMetricResults"):
            said = _data_set(result)
        elif name in ("DataDriftTable", "DataDriftTableResults"):
            said = said or _data_set(result)
            for column, entry in result.at("drift_by_columns").entries():
                scores[_column(column, entry)] = None
        elif name in ("ColumnDriftMetric", "ColumnDriftMetricResults", "ColumnDataDriftMetrics"):
            scores[_column(result.at("column_name").name(), result)] = None
        elif name in ("EmbeddingsDriftMetric", "EmbeddingsDriftMetricResults"):
            scores[_embeddings(result)] = None
    if not scores and said is None:
        whole.refuse("no metric of drift is here. Add DataDriftPreset to the report.")
    return summed(digest, tuple(scores), said or DataSet(), made_at=timestamp.instant())


def _data_set(result: Node) -> DataSet:
    return DataSet(
        share=result.at("share_of_drifted_columns").share(),
        drift_share=result.at("drift_share").share(),
        is_drifted=result.at("dataset_drift").flag(),
        columns=result.at("number_of_columns").count(),
        drifted_columns=result.at("number_of_drifted_columns").count(),
    )


def _column(column: str, entry: Node) -> ReadScore:
    return scored(
        Node(column, entry.path).name(),
        written=entry.at("stattest_name").text(200),
        value=entry.at("drift_score").number(),
        threshold=entry.at("stattest_threshold").number(),
        flag=entry.at("drift_detected").flag(),
    )


def _embeddings(result: Node) -> ReadScore:
    return scored(
        result.at("embeddings_name").name(),
        written=result.at("method_name").text(200),
        value=result.at("drift_score").number(),
        threshold=None,
        flag=result.at("drift_detected").flag(),
    )


def _features(test: Node) -> Iterator[ReadScore]:
    parameters = test.find("parameters")
    if parameters is None or not isinstance(parameters.value, dict):
        return
    if "column_name" in parameters.value and _is_drift(parameters):
        yield _feature(parameters.at("column_name").name(), parameters)
    features = parameters.find("features")
    if features is not None and isinstance(features.value, dict):
        for column, entry in features.entries():
            if isinstance(entry.value, dict) and _is_drift(entry):
                yield _feature(Node(column, entry.path).name(), entry)


def _is_drift(entry: Node) -> bool:
    return "stattest" in entry.value or "stattest_name" in entry.value


def _feature(column: str, entry: Node) -> ReadScore:
    written = entry.find("stattest") or entry.at("stattest_name")
    threshold = entry.find("threshold") or entry.at("stattest_threshold")
    method = method_of(TOOL, written.text(200))
    given = threshold.number()
    return ReadScore(
        column=column,
        kind=Kind.DRIFT,
        method=method.key,
        method_as_written=written.text(200),
        value=entry.at("score").number(),
        threshold=method.default_threshold if given is None else given,
        threshold_assumed=given is None and method.default_threshold is not None,
        direction=method.direction,
        is_drifted=_flag(entry),
    )


def _flag(entry: Node) -> bool | None:
    """The report's flag: true or false, or the words of 0.2."""
    found = entry.find("detected") or entry.find("data_drift")
    if found is None:
        return None
    if isinstance(found.value, str):
        return _DETECTED.get(found.value)
    return found.flag()


def scored(column: str, *, written: str, value: float | None, threshold: float | None, flag: bool | None) -> ReadScore:
    """A score of Evidently: a missing threshold is the method's default, and a missing flag what follows from both."""
    method = method_of(TOOL, written)
    is_assumed = threshold is None and method.default_threshold is not None
    used = method.default_threshold if threshold is None else threshold
    return ReadScore(
        column=column,
        kind=Kind.DRIFT,
        method=method.key,
        method_as_written=written,
        value=value,
        threshold=used,
        threshold_assumed=is_assumed,
        direction=method.direction,
        is_drifted=decided(method, value, used) if flag is None else flag,
    )
