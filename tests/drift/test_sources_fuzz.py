"""Whatever arrives, it is read or refused with a sentence that names a place: never a crash."""

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drift.errors import DriftError, UnreadableReportError
from drift.sources.reading import read
from drift.sources.records import ReadFile
from tests.drift import reports

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(
    [
        "metrics", "metric", "result", "tests", "summary", "suite", "metric_results", "drift_by_columns", "config",
        "type", "column", "value", "id", "metric_id", "algorithm", "pvalue", "thresholds", "DRIFT", "anomalyInfo",
        "reason", "driftSkewInfo", "path", "step", "chunk_key", "a_chi2_value", "chunk.key", "columns", "data", "index",
        "timestamp", "parameters", "features", "metric_value_location", "params", "count", "share", "stattest",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "DataDriftTable", "DatasetDriftMetric", "ColumnDriftMetric", "evidently:metric_v2:ValueDrift", "drift", "ks",
        "evidently:metric_v2:DriftedColumnsCount", "ValueDrift(column=a)", "Share of Drifted Columns", "FAIL",
    ]
)  # fmt: skip
LIKELY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | WORDS | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


def outcome(content: bytes) -> ReadFile | None:
    """What was read, or None after a refusal that is a sentence with a place."""
    try:
        return read(content, limit_bytes=1_000_000)
    except UnreadableReportError as error:
        place, _, why = str(error).encode().decode().partition(": ")
        assert place
        assert why.strip().endswith(".")
        return None


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(content: bytes) -> None:
    outcome(content)


@given(JSON | LIKELY)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_json_is_read_or_refused(value: Any) -> None:
    outcome(json.dumps(value).encode())


@given(st.text(alphabet="chunk_key,value\n\"'0.,alert", max_size=120))
def test_csv_is_read_or_refused(text: str) -> None:
    outcome(b"chunk_key,a_chi2_value,a_chi2_alert\n" + text.encode())


@pytest.mark.parametrize("name", [name for name in reports.FILES if name.endswith(".json")])
def test_a_report_with_one_thing_broken_is_read_or_refused(name: str) -> None:
    dice = random.Random(name)
    whole = json.loads(reports.content(name))
    for _ in range(60):
        value = copy.deepcopy(whole)
        _break(value, dice)
        found = outcome(json.dumps(value).encode())
        for report in found.reports if found else ():
            for score in report.scores:
                assert score.is_drifted in (True, False, None)
                assert "\x00" not in score.column + score.method_as_written


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_share_is_that_of_the_columns(scores: list[float]) -> None:
    report = reports.read_value(reports.evidently(*scores))
    drifted = sum(score.is_drifted is True for score in report.scores)
    assert (report.columns, report.drifted_columns) == (len(scores), drifted)
    assert report.share == drifted / len(scores)


def test_refusals_are_all_of_one_kind() -> None:
    assert issubclass(UnreadableReportError, DriftError)


def _break(value: Any, dice: random.Random) -> None:
    """Walk down to somewhere and put something else there, or take it away."""
    while True:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = dice.choice(keys)
        if isinstance(value[key], dict | list) and dice.random() < 0.8:
            value = value[key]
            continue
        if dice.random() < 0.2:
            del value[key]
        else:
            value[key] = dice.choice(
                [None, True, -1, 1e999, "x", "\x00", "\ud800", [], {}, [[]], {"a": 1}, 10**400, ""]
            )
        return
