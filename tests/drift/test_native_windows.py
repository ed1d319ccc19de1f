"""Rows that are computed here, from the file to the finding: worked cases, streams, labels, seasons."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drift.ingest import Sender
from drift.models import (
    DataBlock,
    Finding,
    Generation,
    Score,
)
from drift.native import references, windows
from drift.windows import ReportWindow
from tests.drift import row_files as rows
from tests.drift import world
from tests.drift.row_files import facts, live, scores

pytestmark = pytest.mark.django_db
COMPATIBLE = {"recipe": "evidently-compatible"}


def test_the_first_reference_is_active_and_a_window_becomes_a_report() -> None:
    model = world.model()
    chance = np.random.default_rng(1)
    first = rows.reference(model, {"age": chance.normal(size=1000), "plan": ["a", "b"] * 500}, note="launch")
    assert (first.version, first.state, first.rows, first.columns, first.note) == (1, "active", 1000, 2, "launch")
    row = rows.window(model, {"age": chance.normal(3, 1, size=500), "plan": ["a", "b"] * 250})
    report = row.report
    assert report is not None
    assert (row.state, row.rows, row.reference_id) == ("computed", 500, first.pk)
    assert (report.generation, report.state, report.columns, report.drifted_columns, report.share) == (
        Generation.NATIVE, "imported", 2, 1, 0.5,
    )  # fmt: skip
    assert (report.window_from, report.window_to) == (row.window_from, row.window_to)
    found = scores(row)
    assert (found["age"].is_drifted, found["plan"].is_drifted) == (True, False)
    assert (found["age"].engine, found["age"].recipe, found["age"].direction) == ("fleetledger", "robust", "large")
    assert not DataBlock.objects.filter(file=row.file).exists(), "computed rows are not kept"
    assert DataBlock.objects.filter(file=first.file).exists()


@pytest.mark.parametrize("make", [rows.parquet, rows.csv])
def test_one_outlier_fools_the_compatible_recipe_and_not_the_robust_one(make: Any) -> None:
    """Recipe psi collapses from 2.97 to 0.002; ours sees the shift in both windows."""
    reference = {"a": np.arange(2000) / 200}
    moved = np.arange(1000) / 200 + 3
    fooled = moved.copy()
    fooled[-1] = 1e6
    model = world.model()
    rows.reference(model, reference)
    for day, values in enumerate((moved, fooled)):
        row = windows.receive_now(model, make({"a": values}), world.day(day), name="w", sender=Sender(name="t"))
        assert scores(row)["a"].is_drifted is True


def test_half_the_values_missing_and_an_empty_column_are_findings_at_once() -> None:
    model = world.model()
    chance = np.random.default_rng(2)
    rows.reference(model, {"a": chance.normal(size=1000), "b": chance.normal(size=1000), "c": chance.normal(size=1000)})
    half = [value if at % 2 else None for at, value in enumerate(chance.normal(size=600).tolist())]
    row = rows.window(model, {"a": half, "b": [None] * 600, "c": chance.normal(size=600)})
    assert facts(row)["a", "missing share"].value == 0.5
    assert scores(row)["c"].is_drifted is False
    found = live(model)
    assert set(found) == {"column:a", "column:b"}
    assert {one.kind for one in found.values()} == {"quality"}
    assert "missing share 0.5" in json.dumps(found["column:a"].evidence)


def test_a_new_category_is_listed_and_no_drift() -> None:
    model = world.model()
    rows.reference(model, {"plan": ["a"] * 600 + ["b"] * 400})
    row = rows.window(model, {"plan": ["a"] * 300 + ["b"] * 199 + ["c"]})
    found = scores(row)["plan"]
    assert found.is_drifted is False
    assert found.method_as_written == "p 0.367"
    assert '"c"' in facts(row)["plan", "new categories"].method_as_written
    assert not live(model)


@pytest.mark.parametrize("size", [1000, 20_000, 200_000])
def test_a_tiny_shift_is_never_drift_however_many_rows_show_it(size: int) -> None:
    model, chance = world.model(), np.random.default_rng(3)
    rows.reference(model, {"a": chance.normal(size=size)})
    assert scores(rows.window(model, {"a": chance.normal(0.05, 1, size=size)}))["a"].is_drifted is False


def test_a_shift_that_stays_opens_one_finding_within_four_windows_and_closes_when_it_is_over() -> None:
    model, chance = world.model(), np.random.default_rng(4)
    names = [f"c{place:02d}" for place in range(20)]
    rows.reference(model, {name: chance.normal(size=1000) for name in names})
    opened = None
    for day in range(22):
        shift = 0.35 if 6 <= day < 12 else 0.0
        rows.window(model, {name: chance.normal(shift if name == "c07" else 0, 1, size=500) for name in names}, day)
        found = live(model)
        assert set(found) <= {"column:c07"}
        opened = opened if opened is not None or not found else day
    assert opened is not None
    assert 6 <= opened <= 9
    assert [row.state for row in Finding.objects.filter(model=model)] == ["closed"]


def test_columns_that_move_together_are_one_finding() -> None:
    model, chance = world.model(), np.random.default_rng(5)

    def made(size: int, shift: float = 0) -> dict[str, Any]:
        base = chance.normal(shift, 1, size=size)
        return {"a": base, "b": base * 2 + chance.normal(0, 0.1, size=size), "c": chance.normal(size=size)}

    rows.reference(model, made(1000))
    for day in range(4):
        rows.window(model, made(500, 0.8), day)
    found = live(model)
    assert set(found) == {"column:a"}
    assert sorted(found["column:a"].columns) == ["a", "b"]


def test_a_window_that_is_not_complete_says_neither_drift_nor_none() -> None:
    model, chance = world.model(), np.random.default_rng(6)
    rows.reference(model, {"a": chance.normal(size=1000)})
    for day in range(5):
        row = rows.window(model, {"a": chance.normal(5, 1, size=500)}, day, is_complete=False)
    assert scores(row)["a"].is_drifted is None
    assert row.report is not None
    assert row.report.share is None
    assert "not complete" in row.report.note
    assert not live(model)


def test_the_compatible_recipe_scores_as_evidently_does_and_refuses_one_column_alone() -> None:
    model, chance = world.model(settings=COMPATIBLE), np.random.default_rng(7)
    rows.reference(model, {"a": chance.normal(size=700), "empty": [None] * 700})
    row = rows.window(model, {"a": chance.normal(1, 1, size=500), "empty": [1.0] * 500})
    found = scores(row)
    assert set(found) == {"a"}
    assert (found["a"].method, found["a"].direction, found["a"].is_drifted) == ("ks", "small", True)
    assert found["a"].recipe == "evidently-compatible"
    assert row.report is not None
    assert "empty" in row.report.note


@pytest.mark.conformance
@pytest.mark.parametrize("dataset", ["cancer", "diabetes", "digits"])
def test_files_through_the_product_get_evidentlys_own_scores(shared_data: Path, dataset: str) -> None:
    folder = shared_data / "drift"
    golden = json.loads((folder / "golden-evidently-0.7.23-scores.json").read_text())
    categorical = {key.split(".")[1] for key in golden if key.startswith(dataset) and key.endswith(".TVD")}
    model = world.model(settings=COMPATIBLE, data={"kinds": dict.fromkeys(categorical, "categorical")})
    sender = Sender(name="t")
    with (folder / "inputs" / f"{dataset}_ref.csv").open("rb") as stream:
        references.receive_now(model, stream, name="ref.csv", sender=sender)
    with (folder / "inputs" / f"{dataset}_cur.csv").open("rb") as stream:
        row = windows.receive_now(model, stream, world.day(0), name="cur.csv", sender=sender)
    found = scores(row)
    assert len(found) == sum(key.startswith(f"{dataset}.") and key.endswith(".default") for key in golden)
    for column, one in found.items():
        method = golden[f"{dataset}.{column}.default"]
        value, is_drifted, threshold = golden[f"{dataset}.{column}.{method}"]
        assert one.method == method
        assert one.value == pytest.approx(value, rel=1e-9, abs=1e-15)
        assert (one.is_drifted, one.threshold) == (is_drifted, threshold)


def test_names_that_mean_nothing_are_not_measured_and_kinds_are_kept() -> None:
    model = world.model(data={"time": "at", "id": "key", "ignore": ["noise"], "kinds": {"code": "categorical"}})
    size = 400
    held = {
        "at": [f"2026-10-01T{place % 24:02d}:00:00Z" for place in range(size)],
        "key": list(map(str, range(size))),
        "noise": list(range(size)),
        "code": [place % 30 for place in range(size)],
    }
    reference = rows.reference(model, held)
    assert [one["buckets"]["name"] for one in reference.profile["columns"]] == ["code"]
    assert reference.profile["columns"][0]["buckets"]["kind"] == "categorical"


def test_labels_give_performance_against_the_reference_and_concept_drift_by_row() -> None:
    """An error rate that goes from 10 % to 40 % at a known row, on inputs that don't move."""
    model = world.model(data={"prediction": "said", "label": "was", "task": "classification"})
    chance = np.random.default_rng(8)

    def made(size: int, errors: float) -> dict[str, Any]:
        said = chance.integers(0, 2, size=size)
        was = np.where(chance.random(size) < errors, 1 - said, said)
        return {"x": chance.normal(size=size), "said": said, "was": was}

    rows.reference(model, made(2000, 0.1))
    for day in range(4):
        row = rows.window(model, made(500, 0.1), day)
        assert scores(row, "performance")["accuracy"].is_drifted is False
    assert not live(model)
    row = rows.window(model, made(500, 0.4), 4)
    assert scores(row, "performance")["accuracy"].is_drifted is True
    found = live(model)
    assert set(found) == {"concept"}
    assert found["concept"].kind == "concept"
    assert 2000 <= found["concept"].evidence["row"] < 2500
    for day in range(5, 9):
        rows.window(model, made(500, 0.4), day)
    found = live(model)
    assert set(found) == {"concept", "performance:accuracy"}, "metrics of the same predictions fall together"
    assert found["performance:accuracy"].summary.startswith("accuracy, f1 left their bands")


def test_without_labels_performance_is_estimated_and_marked_so() -> None:
    model = world.model(
        data={"prediction": "said", "label": "was", "score": "p", "positive": "1", "task": "classification"}
    )
    chance = np.random.default_rng(9)
    p = chance.random(2000)
    rows.reference(model, {"p": p, "said": (p > 0.5).astype(int), "was": (chance.random(2000) < p).astype(int)})
    p = chance.random(800)
    row = rows.window(model, {"p": p, "said": (p > 0.5).astype(int)})
    found = scores(row, "estimate")
    assert found["accuracy"].value == pytest.approx(0.75, abs=0.04)
    assert found["accuracy"].is_drifted is False
    assert "estimated without labels" in found["accuracy"].method_as_written
    assert not scores(row, "performance")


def test_a_regression_is_judged_by_its_errors() -> None:
    model = world.model(data={"prediction": "said", "label": "was", "task": "regression"})
    chance = np.random.default_rng(10)

    def made(size: int, spread: float) -> dict[str, Any]:
        said = chance.normal(size=size)
        return {"said": said, "was": said + chance.normal(0, spread, size=size)}

    rows.reference(model, made(1000, 1))
    assert scores(rows.window(model, made(400, 1), 0), "performance")["mae"].is_drifted is False
    assert scores(rows.window(model, made(400, 3), 1), "performance")["mae"].is_drifted is True


def test_a_weekday_is_compared_with_its_own_part_of_the_reference() -> None:
    model = world.model(data={"time": "at", "season": "weekday", "zone": "Europe/Berlin"})
    chance = np.random.default_rng(11)
    start = datetime(2026, 9, 7, 12, tzinfo=UTC)  # a Monday

    def made(day: int, size: int) -> dict[str, Any]:
        at = start + timedelta(days=day)
        level = 5.0 if at.weekday() >= 5 else 0.0
        return {"at": [at] * size, "load": chance.normal(level, 1, size=size)}

    held: dict[str, list[Any]] = {"at": [], "load": []}
    for day in range(28):
        for name, values in made(day, 150).items():
            held[name] += list(values)
    rows.reference(model, held)
    for day in range(28, 42):
        midnight = (start + timedelta(days=day)).replace(hour=0)
        row = rows.window(model, made(day, 300), ReportWindow(midnight, midnight + timedelta(days=1)))
        assert scores(row)["load"].is_drifted is False
    assert not live(model)


def test_texts_are_told_apart_by_a_classifier() -> None:
    model, chance = world.model(data={"kinds": {"said": "text"}}), np.random.default_rng(12)
    early, late = ["fast", "delivery", "good", "price"], ["broken", "screen", "refund", "never"]

    def made(words: list[str], size: int) -> dict[str, Any]:
        return {"said": [" ".join(chance.choice(words, 6)) + f" {number}" for number in range(size)]}

    rows.reference(model, made(early, 400))
    assert scores(rows.window(model, made(early, 300), 0))["said"].is_drifted is False
    row = rows.window(model, made(late, 300), 1)
    assert Score.objects.filter(report=row.report, method="domain_classifier", is_drifted=True).count() == 1
    assert row.report is not None
    assert (row.report.columns, row.report.drifted_columns, row.report.share) == (1, 1, 1.0)
