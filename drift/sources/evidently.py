"""Reads reports of Evidently 0.7: `.json()` of 0.7.0-0.7.14 (D) and 0.7.16 on (E), and saved snapshots (F)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drift.sources.evidently_legacy import scored
from drift.sources.node import Node
from drift.sources.records import DataSet, ReadReport, ReadScore, summed

VALUE_DRIFT, DRIFTED_COLUMNS = "ValueDrift", "DriftedColumnsCount"
_ID = re.compile(r"(?P<type>\w+)\((?P<inside>.*)\)", re.DOTALL)
_KNOWN_TERMS = re.compile(
    r",(?=(?:method|threshold|drift_share|cat_method|num_method|text_method|per_column_method|tests|share_tests|"
    r"cat_threshold|num_threshold|text_threshold|per_column_threshold)=)"
)
_DESCRIBED = re.compile(
    r"The drift detection method is (?P<method>.+?)\. The drift threshold is (?P<threshold>[^ ]+?)\.?$"
)
MAX_TERMS = 1_000_000  # a count names all its columns
_HAS_DRIFT = {"FAIL": True, "WARNING": True, "SUCCESS": False}


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric of any of the three forms. `key` is what its tests name."""

    kind: str
    key: str
    node: Node
    column: str = ""
    method: str = ""
    threshold: float | None = None
    drift_share: float | None = None
    value: float | None = None
    count: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the drift test of a column says, and by which method. `column` is exact where a term's text is not."""

    is_drifted: bool | None = None
    method: str = ""
    threshold: float | None = None
    column: str = ""


def read_report(root: Node, digest: str) -> ReadReport:
    """Generations D and E."""
    metrics = [metric for node in root.at("metrics").items() for metric in _of_report(node)]
    tests = root.find("tests")
    verdicts = _verdicts(tests) if tests is not None else {}
    return _read(metrics, verdicts, root.at("metrics"), digest, root.find("timestamp"))


def read_snapshot(root: Node, digest: str) -> ReadReport:
    """Generation F."""
    results = root.at("metric_results")
    metrics: list[_Metric] = []
    verdicts: dict[str, _Verdict] = {}
    for key, node in results.entries():
        metrics += _of_snapshot(key, node)
        tests = node.find("tests")
        if tests is not None:
            found = _verdicts(tests, key)
            verdicts |= found
    return _read(metrics, verdicts, results, digest, root.find("timestamp"))


def is_early(metric: Node) -> bool:
    """Whether a metric is written as 0.7.0-0.7.14 write it: its terms in a text."""
    return isinstance(metric.value, dict) and isinstance(metric.value.get("metric_id"), str)


def is_late(metric: Node) -> bool:
    return isinstance(metric.value, dict) and isinstance(metric.value.get("config"), dict)


def _read(
    metrics: list[_Metric], verdicts: dict[str, _Verdict], whole: Node, digest: str, timestamp: Node | None
) -> ReadReport:
    scores = dict.fromkeys(_score(metric, verdicts) for metric in metrics if metric.kind == VALUE_DRIFT)
    counted = next((metric for metric in metrics if metric.kind == DRIFTED_COLUMNS), None)
    if not scores and counted is None:
        whole.refuse("no metric of drift is here. Add DataDriftPreset or ValueDrift to the report.")
    return summed(
        digest,
        tuple(scores),
        _data_set(counted, len({score.column for score in scores})) if counted is not None else DataSet(),
        made_at=timestamp.instant() if timestamp is not None else None,
    )


def _score(metric: _Metric, verdicts: dict[str, _Verdict]) -> ReadScore:
    """A test's flag comes first; method and threshold are the metric's, else those that its test was made by."""
    test = verdicts.get(metric.key, _Verdict())
    return scored(
        test.column or metric.column,
        written=metric.method or test.method,
        value=metric.value,
        threshold=test.threshold if metric.threshold is None else metric.threshold,
        flag=test.is_drifted,
    )


def _data_set(metric: _Metric, columns: int) -> DataSet:
    share, count = metric.share, metric.count
    if count and share:
        columns = max(columns, round(count / share))
    is_drifted = None if share is None or metric.drift_share is None else share >= metric.drift_share
    return DataSet(share, metric.drift_share, is_drifted, columns, count)


def _of_report(node: Node) -> Iterator[_Metric]:
    key = node.at("id").text(200)
    if is_early(node):
        yield from _of_terms(key, node)
    elif is_late(node):
        yield from _of_params(key, node.at("config"), node, node.at("value"))


def _of_terms(key: str, node: Node) -> Iterator[_Metric]:
    """D: `ValueDrift(column=a,method=psi)`; a column's name may hold commas, and parts of terms."""
    written = node.at("metric_id")
    match = _ID.fullmatch(written.text(MAX_TERMS))
    if match is None or match["type"] not in (VALUE_DRIFT, DRIFTED_COLUMNS):
        return
    terms = dict(_term(part) for part in _KNOWN_TERMS.split(match["inside"]))
    value = node.at("value")
    if match["type"] == DRIFTED_COLUMNS:
        yield _counted(key, node, Node(_number(terms.get("drift_share", "")), written.path), value)
        return
    if "column" not in terms:
        written.refuse("a column is expected, as in ValueDrift(column=age).")
    yield _Metric(
        VALUE_DRIFT,
        key,
        node,
        column=Node(terms["column"], written.path).name(),
        method=Node(terms.get("method", ""), written.path).text(200),
        threshold=_number(terms.get("threshold", "")),
        value=value.number(),
    )


def _of_params(key: str, params: Node, node: Node, value: Node) -> Iterator[_Metric]:
    """E and F: the metric's terms as an object."""
    kind = params.at("type").text(200).rpartition(":")[2]
    if kind == DRIFTED_COLUMNS:
        yield _counted(key, node, params.at("drift_share"), value)
    elif kind == VALUE_DRIFT:
        yield _Metric(
            VALUE_DRIFT,
            key,
            node,
            column=params.at("column").name(),
            method=params.at("method").text(200),
            threshold=params.at("threshold").number(),
            value=value.number(),
        )


def _of_snapshot(key: str, node: Node) -> Iterator[_Metric]:
    """F: the value stands beside the metric, or, for counts, in two results inside."""
    location = node.find("metric_value_location")
    params = location.at("metric").at("params") if location is not None else None
    if params is None or not isinstance(params.value, dict):
        return
    count, share = node.find("count"), node.find("share")
    if count is not None and share is not None and isinstance(count.value, dict):
        values = Node({"count": count.at("value").value, "share": share.at("value").value}, node.path)
        yield from _of_params(key, params, node, values)
    else:
        yield from _of_params(key, params, node, node.at("value"))


def _counted(key: str, node: Node, drift_share: Node, value: Node) -> _Metric:
    return _Metric(
        DRIFTED_COLUMNS,
        key,
        node,
        drift_share=drift_share.share(),
        count=value.at("count").count(),
        share=value.at("share").share(),
    )


def _verdicts(tests: Node, of: str = "") -> dict[str, _Verdict]:
    """By metric; only tests with the id `drift` (ValueDriftTest) say anything of drift."""
    found: dict[str, _Verdict] = {}
    for test in tests.items():
        if test.at("id").value != "drift":
            continue
        config = test.find("metric_config")
        key = of or (config.at("metric_id").text(200) if config is not None else "")
        match = _DESCRIBED.search(test.at("description").text(2000))
        found[key] = _Verdict(
            _HAS_DRIFT.get(test.at("status").text(40)),
            match["method"][:200] if match else "",
            _number(match["threshold"]) if match else None,
            _column_of(config),
        )
    return found


def _column_of(config: Node | None) -> str:
    params = config.find("params") if config is not None else None
    column = params.find("column") if params is not None else None
    return column.name() if column is not None else ""


def _term(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _number(text: str) -> float | None:
    try:
        return Node(float(text)).number()
    except ValueError:
        return None
