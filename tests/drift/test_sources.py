"""Reports of every generation and tool: what they say is read, what they do not say stays unknown."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from drift.errors import ReportTooLargeError, UnreadableReportError
from drift.sources.methods import UNKNOWN_METHOD, method_of
from drift.sources.reading import KNOWN, read
from drift.sources.records import Kind, ReadScore
from tests.drift import reports

GENERATIONS = {
    "evidently-0.2.8-drift-testsuite.json": ("evidently-b", "0.2.8"),
    "evidently-0.2.8-drift.json": ("evidently-a", "0.2.8"),
    "evidently-0.4.25-drift-snapshot.json.gz": ("evidently-c", ""),
    "evidently-0.4.25-drift.json": ("evidently-a", "0.4.25"),
    "evidently-0.4.40-drift-snapshot.json.gz": ("evidently-c", ""),
    "evidently-0.4.40-drift-testsuite.json": ("evidently-b", "0.4.40"),
    "evidently-0.4.40-drift.json": ("evidently-a", "0.4.40"),
    "evidently-0.6.7-drift.json": ("evidently-a", "0.6.7"),
    "evidently-0.7.0-drift-psi.json": ("evidently-d", ""),
    "evidently-0.7.0-drift-tests.json": ("evidently-d", ""),
    "evidently-0.7.16-drift-tests.json": ("evidently-e", ""),
    "evidently-0.7.23-drift-psi.json": ("evidently-e", ""),
    "evidently-0.7.23-drift-snapshot.json.gz": ("evidently-f", ""),
    "evidently-0.7.23-drift-tests.json": ("evidently-e", ""),
    "evidently-0.7.23-drift.json": ("evidently-e", ""),
    "nannyml-0.13.1-cbpe.json": ("nannyml", ""),
    "nannyml-0.13.1-univariate-flat.csv": ("nannyml", ""),
    "nannyml-0.13.1-univariate-multiindex.csv": ("nannyml", ""),
    "whylogs-1.6.4-drift-scores.json": ("whylogs", ""),
}
EXACT = 0.2614554501617503


def score_of(name: str, column: str) -> ReadScore:
    (report,) = reports.read_named(name).reports
    (score,) = [score for score in report.scores if score.column == column]
    return score


def refused(value: Any) -> str:
    with pytest.raises(UnreadableReportError) as caught:
        read(value if isinstance(value, bytes) else reports.packed(value), limit_bytes=reports.LIMIT)
    return str(caught.value)


def value_drift(column: str, **config: Any) -> dict[str, Any]:
    return {
        "id": column,
        "config": {"type": "evidently:metric_v2:ValueDrift", "column": column, **config},
        "value": config.pop("value", 0.2),
    }


def test_each_file_is_recognised() -> None:
    found = {name: reports.read_named(name) for name in reports.FILES}
    assert {name: (file.generation, file.tool_version) for name, file in found.items()} == GENERATIONS


@pytest.mark.parametrize("name", reports.CANCER)
def test_every_generation_says_the_same_of_the_cancer_split(name: str) -> None:
    (report,) = reports.read_named(name).reports
    flags = {score.column: score.is_drifted for score in report.scores}
    assert (report.columns, report.drifted_columns, report.share) == (13, 12, 0.9230769230769231)
    assert (len(flags), sum(flag is True for flag in flags.values()), flags["is_rough"]) == (13, 12, False)
    assert report.is_drifted is True


@pytest.mark.parametrize("name", [name for name in reports.CANCER if "psi" not in name])
def test_the_column_that_stays_has_its_p_value(name: str) -> None:
    rounded = "testsuite" in name
    assert score_of(name, "is_rough") == ReadScore(
        column="is_rough",
        kind=Kind.DRIFT,
        method="z",
        method_as_written="Z-test p_value",
        value=0.261 if rounded else EXACT,
        threshold=0.05,
        direction="small",
        is_drifted=False,
    )


def test_a_suite_keeps_its_own_flag_where_its_rounded_score_would_say_otherwise() -> None:
    entry = {"stattest": "K-S p_value", "score": 0.05, "threshold": 0.05, "detected": False}
    test = {"name": "Share of Drifted Columns", "status": "SUCCESS", "parameters": {"features": {"a": entry}}}
    report = reports.read_value({"tests": [test], "summary": {}})
    assert ([score.is_drifted for score in report.scores], report.share, report.is_drifted) == ([False], 0.0, False)
    assert report.note == "This generation rounds scores to three decimals: its own flags count, not the scores."


def test_a_missing_threshold_is_evidentlys_default_and_marked_so() -> None:
    score = score_of("evidently-0.7.0-drift-psi.json", "is_rough")
    assert (score.method, score.threshold, score.threshold_assumed, score.is_drifted) == ("psi", 0.1, True, False)


def test_a_method_that_nobody_names_is_unknown_and_decides_nothing() -> None:
    metric = {"id": "1", "metric_id": "ValueDrift(column=age)", "value": 0.001}
    report = reports.read_value({"metrics": [metric], "tests": []})
    (score,) = report.scores
    assert (score.method, score.direction, score.threshold, score.is_drifted) == ("unknown", "unknown", None, None)
    assert (report.columns, report.drifted_columns, report.share, report.is_drifted) == (1, 0, None, None)


def test_only_tests_of_drift_mean_drift() -> None:
    metric = {"id": "1", "metric_id": "ValueDrift(column=age)", "value": 0.001}
    other = {"id": "lt", "status": "FAIL", "description": "", "metric_config": {"metric_id": "1", "params": {}}}
    report = reports.read_value({"metrics": [metric], "tests": [other]})
    assert [score.is_drifted for score in report.scores] == [None]


def test_a_drift_test_names_the_method_where_the_metric_does_not() -> None:
    score = score_of("evidently-0.7.0-drift-tests.json", "size_band")
    assert (score.method, score.threshold, score.threshold_assumed) == ("chisquare", 0.05, False)


def test_a_columns_name_may_hold_what_terms_are_made_of() -> None:
    metric = {"id": "1", "metric_id": "ValueDrift(column=a, b(c)=d,method=psi)", "value": 0.3}
    (score,) = reports.read_value({"metrics": [metric]}).scores
    assert (score.column, score.method, score.is_drifted) == ("a, b(c)=d", "psi", True)


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("K-S p_value", 0.05, True),
        ("ks", 0.0501, False),
        ("chi-square p_value", 0.05, False),
        ("Z-test p_value", 0.0499, True),
        ("Wasserstein distance (normed)", 0.05, True),
        ("Jensen-Shannon distance", 0.0499, False),
        ("kl_div", 0.05, True),
        ("Hellinger distance", 0.05, True),
        ("PSI", 0.04, False),
        ("Percentile text content drift", 0.99, None),
        ("my own test", 0.0, None),
    ],
)
def test_p_values_drift_when_small_and_distances_when_large(method: str, value: float, expected: bool | None) -> None:
    metric = value_drift("age", method=method, threshold=0.05) | {"value": value}
    (score,) = reports.read_value({"metrics": [metric]}).scores
    assert score.is_drifted is expected


def test_the_same_method_is_known_by_its_key_and_its_name() -> None:
    assert method_of("evidently", "jensenshannon") == method_of("evidently", "Jensen-Shannon distance")
    assert method_of("evidently", "TVD").key == "tvd"
    assert method_of("evidently", "anything") is UNKNOWN_METHOD


def test_equal_names_of_two_tools_are_not_equal_numbers() -> None:
    assert method_of("nannyml", "kolmogorov_smirnov").key == "ks_statistic"
    assert method_of("tfdv", "JENSEN_SHANNON_DIVERGENCE").key == "jensenshannon_divergence"


def test_a_number_that_json_cannot_write_is_null() -> None:
    text = json.dumps({"metrics": [value_drift("a", method="psi")]}).replace("0.2", "NaN")
    (report,) = read(text.encode(), limit_bytes=reports.LIMIT).reports
    assert [(score.value, score.is_drifted) for score in report.scores] == [(None, None)]
    huge = json.dumps({"metrics": [value_drift("a", method="psi")]}).replace("0.2", "1" + "0" * 400)
    assert [score.value for score in read(huge.encode(), limit_bytes=reports.LIMIT).reports[0].scores] == [None]


def test_plots_change_no_digest_and_scores_do() -> None:
    plain = json.loads(reports.content("evidently-0.6.7-drift.json"))
    drawn, other = json.loads(json.dumps(plain)), json.loads(json.dumps(plain))
    column = drawn["metrics"][1]["result"]["drift_by_columns"]["mean_area"]
    column["current"]["small_distribution"] = {"x": [], "y": []}
    other["metrics"][1]["result"]["drift_by_columns"]["mean_area"]["drift_score"] = 0.5
    first, same, different = (reports.read_value(value).digest for value in (plain, drawn, other))
    assert first == same != different


def test_a_column_may_be_called_as_a_plot_is() -> None:
    def table(score: float) -> dict[str, Any]:
        entry = {"stattest_name": "PSI", "drift_score": score}
        return {"metrics": [{"metric": "DataDriftTable", "result": {"drift_by_columns": {"scatter": entry}}}]}

    assert reports.read_value(table(0.1)).digest != reports.read_value(table(0.2)).digest


def test_chunks_of_nannyml_are_reports_of_their_own() -> None:
    flat = reports.read_named("nannyml-0.13.1-univariate-flat.csv").reports
    levels = reports.read_named("nannyml-0.13.1-univariate-multiindex.csv").reports
    assert [report.scores for report in flat] == [report.scores for report in levels]
    assert (len(flat), flat[0].note) == (10, "Chunk [0:999]. 10 chunks of the reference period are left out.")
    assert flat[-1].window == (
        datetime(2019, 7, 30, 5, 24, tzinfo=UTC),
        datetime(2019, 8, 29, 11, 16, 24, 240000, tzinfo=UTC),
    )
    assert flat[-1].scores == (
        ReadScore(
            "car_value", Kind.DRIFT, "jensenshannon", "jensen_shannon", 0.4728677663891227, 0.08152115669487715,
            "large", is_drifted=True,
        ),
        ReadScore(
            "salary_range", Kind.DRIFT, "chi2_statistic", "chi2", 111.0665326057767, None, "large", is_drifted=True
        ),
    )  # fmt: skip
    assert (flat[-1].columns, flat[-1].drifted_columns, flat[-1].share) == (2, 2, 1.0)


def test_estimates_are_marked_as_such_and_are_no_drift() -> None:
    last = reports.read_named("nannyml-0.13.1-cbpe.json").reports[-1]
    assert last.scores[0] == ReadScore(
        "roc_auc", Kind.ESTIMATE, "roc_auc", "roc_auc", 0.9598739235, 0.9829973053, "outside", is_drifted=True,
        threshold_low=0.9614495655,
    )  # fmt: skip
    assert (len(last.scores), last.columns, last.share) == (3, 0, None)


def test_frames_are_read_however_pandas_writes_them() -> None:
    rows = json.loads(reports.content("nannyml-0.13.1-cbpe.json"))
    names = list(rows[0])
    by_column = {name: {str(number): row[name] for number, row in enumerate(rows)} for name in names}
    split = {"columns": names, "index": list(range(len(rows))), "data": [list(row.values()) for row in rows]}
    expected = [report.scores for report in reports.read_named("nannyml-0.13.1-cbpe.json").reports]
    for form in (by_column, split):
        found = read(reports.packed(form), limit_bytes=reports.LIMIT)
        assert [report.scores for report in found.reports] == expected


def test_scores_of_whylogs_have_the_threshold_of_their_category() -> None:
    (report,) = reports.read_named("whylogs-1.6.4-drift-scores.json").reports
    assert (report.columns, report.drifted_columns, report.is_drifted) == (13, 12, None)
    assert report.scores[9] == ReadScore(
        "size_band", Kind.DRIFT, "chisquare", "chi-square", 1.4757094352282254e-40, 0.05, "small", is_drifted=True
    )


def test_anomalies_of_tfdv_are_drift_where_measured_and_facts_of_quality_else() -> None:
    anomalies = {
        "anomalyInfo": {
            "payment": {
                "reason": [{"type": "COMPARATOR_L_INFTY_HIGH"}, {"type": "ENUM_TYPE_UNEXPECTED_STRING_VALUES"}]
            },
            "tips": {"reason": [{"type": "FEATURE_TYPE_LOW_FRACTION_PRESENT"}]},
        },
        "driftSkewInfo": [
            {
                "path": {"step": ["payment"]},
                "driftMeasurements": [{"type": "L_INFTY", "value": 0.02, "threshold": 0.01}],
                "skewMeasurements": [{"type": "JENSEN_SHANNON_DIVERGENCE", "value": 0.001, "threshold": 0.01}],
            }
        ],
    }  # fmt: skip
    report = reports.read_value(anomalies)
    assert [(score.column, score.kind, score.method, score.is_drifted) for score in report.scores] == [
        ("payment", Kind.DRIFT, "l_infinity", True),
        ("payment", Kind.DRIFT, "jensenshannon_divergence", False),
        ("payment", Kind.QUALITY, "enum_type_unexpected_string_values", True),
        ("tips", Kind.QUALITY, "feature_type_low_fraction_present", True),
    ]
    assert (report.columns, report.drifted_columns, report.share) == (1, 1, 1.0)


def test_a_wrong_number_is_refused_with_the_way_to_it() -> None:
    value = json.loads(reports.content("evidently-0.6.7-drift.json"))
    value["metrics"][1]["result"]["drift_by_columns"]["mean_area"]["drift_score"] = "large"
    assert refused(value) == "metrics[1].result.drift_by_columns.mean_area.drift_score: a number is expected."


@pytest.mark.parametrize(
    ("value", "place", "why"),
    [
        (b"", "the report", "the file is empty."),
        (b"{", "line 1, column 2", "this is no JSON (Expecting property name enclosed in double quotes)."),
        (b"\xff\xfe", "the report", "byte 0 is no UTF-8. Send JSON or CSV as UTF-8."),
        (b"\x1f\x8bjunk", "the report", "the gzip is damaged or cut off. Send it again."),
        ([], "the report", f"this is no drift report. Known: {KNOWN}."),
        (
            {"a b": 1, "c": 2},
            "the report",
            f"no known report has these keys: a b, c. Known: {KNOWN}.",
        ),
        (
            {"metrics": [{"metric": "DatasetSummaryMetric", "result": {}}]},
            "metrics",
            "no metric of drift is here. Add DataDriftPreset to the report.",
        ),
        ({"metrics": [value_drift("a", method=3)]}, "metrics[0].config.method", "a text is expected."),
        (
            {"metrics": [value_drift("a") | {"config": {"type": "x:ValueDrift", "column": "a\x00b"}}]},
            "metrics[0].config.column",
            "the text holds a character that cannot be stored.",
        ),
        ({"metrics": [value_drift("")]}, "metrics[0].config.column", "a name is expected."),
        ({"metrics": [value_drift("a")], "tests": 3}, "tests", "a list is expected."),
        (
            {"metrics": [{"metric": "DataDriftTable", "result": {"drift_by_columns": {"a b": 1}}}]},
            'metrics[0].result.drift_by_columns["a b"]',
            "an object is expected.",
        ),
        (
            {"tests": [], "summary": {}},
            "tests",
            "no test of drifted columns is here. Add DataDriftTestPreset to the suite.",
        ),
        ({"suite": {}, "metrics_ids": []}, "suite.metric_results", "a list is expected."),
        (
            {"metrics": [value_drift("a")], "timestamp": "yesterday"},
            "timestamp",
            "an instant is expected, such as 2026-11-01T06:00:00.",
        ),
        ({"age": {"algorithm": "ks", "pvalue": True}}, "age.pvalue", "a number is expected."),
        (
            {"age": {"algorithm": "ks", "pvalue": 1, "thresholds": {"DRIFT": [1]}}},
            "age.thresholds.DRIFT",
            "two ends are expected, as in [0, 0.05].",
        ),
        (b"chunk_key,a_chi2_value\nk,x\n", "line 2.a_chi2_value", "a number is expected."),
        (b"chunk_key,a_chi2_value\nk\n", "line 2", "2 cells are expected, here are 1."),
        (
            b"chunk_key,chunk_period,a_chi2_value\nk,reference,1\n",
            "line 1",
            "no analysed chunk is here, only the reference period. Estimate on analysis data.",
        ),
        (
            b"chunk_key,a\nk,1\n",
            "line 1",
            "no measure is here: columns that end in value, upper_threshold, lower_threshold or alert.",
        ),
    ],
)
def test_junk_is_refused_with_a_sentence_and_the_way_to_it(value: Any, place: str, why: str) -> None:
    assert refused(value) == f"{place}: {why}"


def test_what_is_too_deep_or_too_large_is_refused() -> None:
    deep = b'{"metrics":' + b"[" * 200 + b"]" * 200 + b"}"
    endless = b"[" * 200_000
    sentence = "the report: it is nested more than 80 levels deep. Save it without plots."
    assert (refused(deep), refused(endless)) == (sentence, sentence)
    with pytest.raises(ReportTooLargeError, match="larger than 10 bytes"):
        read(b"[" * 11, limit_bytes=10)
    with pytest.raises(ReportTooLargeError):
        read(gzip.compress(b" " * 1_000_000), limit_bytes=100_000)


def test_few_bytes_that_name_very_many_cells_are_refused_before_they_are_laid_out() -> None:
    rows: list[dict[str, int]] = [{"chunk_index": 0}, *({f"a{number}": 1} for number in range(6_000))]
    assert "6001 rows of 6001 columns are more than 5000000 cells. Send fewer chunks at once." in refused(rows)
