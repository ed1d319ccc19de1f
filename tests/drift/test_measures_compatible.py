"""The recipe `evidently-compatible` gives Evidently's scores, thresholds and verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest

from drift.measures.columns import Column, Labels, Numbers, Texts, as_labels, labels, numbers
from drift.measures.compatible.scoring import MethodScore, score, score_window
from drift.measures.errors import EmptyColumnError, MeasureError, NotApplicableError, UnknownMethodError, WrongKindError
from drift.measures.windows import open_window
from tests.drift import windows_of_data

MORE = Path(__file__).parent / "data" / "evidently-0.7.23-more-scores.json"
Golden = dict[str, list[float] | str]
Pairs = dict[str, tuple[Numbers | Labels, Numbers | Labels]]


def is_close(value: float, golden: float) -> bool:
    return abs(value) <= 1e-15 if golden == 0 else abs(value - golden) <= 1e-9 * abs(golden)


def differences(golden: Golden, pairs: Pairs) -> list[str]:
    """Keys `column.method` of what is not as Evidently says: value, verdict, threshold or the default's name."""
    found = []
    for key, expected in golden.items():
        column, method = key.rsplit(".", 1)
        reference, current = pairs[column]
        scored = score(reference, current, None if method == "default" else method.lower())
        if isinstance(expected, str):
            equal = scored.method == expected
        else:
            equal = is_close(scored.value, expected[0]) and [scored.is_drifted, scored.threshold] == expected[1:]
        if not equal:
            found.append(f"{key}: {scored} is not {expected}")
    return found


@pytest.mark.conformance
def test_all_golden_scores_verdicts_and_defaults_are_evidentlys(shared_data: Path) -> None:
    folder = shared_data / "drift"
    golden = json.loads((folder / "golden-evidently-0.7.23-scores.json").read_text())
    pairs: Pairs = {}
    for dataset in ("cancer", "diabetes", "digits"):
        categorical = {key.split(".")[1] for key in golden if key.startswith(dataset) and key.endswith(".TVD")}
        reference = windows_of_data.read(folder / "inputs" / f"{dataset}_ref.csv", categorical)
        current = windows_of_data.read(folder / "inputs" / f"{dataset}_cur.csv", categorical)
        pairs |= {f"{dataset}.{name}": (reference[name], current[name]) for name in reference}
    assert len(golden) == 305
    assert differences(golden, pairs) == []


@pytest.mark.conformance
def test_the_cancer_split_read_from_csv_has_13_columns_of_which_12_drifted(shared_data: Path) -> None:
    inputs = shared_data / "drift" / "inputs"
    with open_window(inputs / "cancer_ref.csv") as reference, open_window(inputs / "cancer_cur.csv") as current:
        found = score_window(reference, current)
    assert found.refused == ()
    assert (len(found.scores), sum(one.is_drifted for one in found.scores)) == (13, 12)
    (clean,) = [one for one in found.scores if not one.is_drifted]
    assert (clean.column, clean.method) == ("is_rough", "z")
    assert is_close(clean.value, 0.2614554501617503)


def test_methods_that_the_golden_file_lacks_are_evidentlys_too() -> None:
    pairs: Pairs = {}
    for name, (reference, current) in windows_of_data.seeded_pairs().items():
        mine, theirs = numbers(name, reference), numbers(name, current)
        pairs[f"{name}.num"] = (mine, theirs)
        pairs[f"{name}.cat"] = (as_labels(mine), as_labels(theirs))
    golden = json.loads(MORE.read_text())
    assert len(golden) > 130
    assert differences(golden, pairs) == []


def test_one_outlier_hides_a_shift_from_psi_as_it_does_in_evidently() -> None:
    reference = np.arange(2000) / 200
    current = reference[:1000] + 3
    before = score(numbers("a", reference), numbers("a", current), "psi")
    current[-1] = 1e6
    after = score(numbers("a", reference), numbers("a", current), "psi")
    assert (before.is_drifted, after.is_drifted) == (True, False)
    assert is_close(before.value, 2.974172287425663)
    assert is_close(after.value, 0.0020733270840282247)


def test_a_new_category_makes_the_one_sample_chi_square_certain() -> None:
    reference = labels("plan", ["a"] * 600 + ["b"] * 400)
    current = labels("plan", ["a"] * 300 + ["b"] * 199 + ["c"])
    assert score(reference, current) == MethodScore("plan", "chisquare", 0.0, 0.05, "small", is_drifted=True)


def test_half_the_values_missing_is_no_drift_in_evidently() -> None:
    values = np.random.default_rng(3).normal(size=500)
    half = np.where(np.arange(500) % 2, np.nan, values)
    assert score(numbers("a", values), numbers("a", half)).value > 0.9


@pytest.mark.parametrize(
    ("reference", "current", "method", "error"),
    [
        (numbers("a", []), numbers("a", [1.0]), "ks", EmptyColumnError),
        (numbers("a", [1.0]), numbers("a", [None]), "ks", EmptyColumnError),
        (numbers("a", [1.0]), numbers("a", [1.0]), "kss", UnknownMethodError),
        (labels("a", ["x"]), labels("a", ["x"]), "ks", WrongKindError),
        (Texts("a", ("words",), rows=1, present=1), numbers("a", [1.0]), None, WrongKindError),
        (numbers("a", [1.0]), Texts("a", ("words",), rows=1, present=1), None, WrongKindError),
        (labels("a", ["x", "y"]), labels("a", ["x"]), "g_test", NotApplicableError),
        (labels("a", ["x", "y", "z"]), labels("a", ["x", "y", "z"]), "fisher_exact", NotApplicableError),
        (labels("a", ["x", "y"]), labels("a", ["x"]), "fisher_exact", NotApplicableError),
        (numbers("a", [1.0] * 9), numbers("a", [1.0] * 9), "es", NotApplicableError),
    ],
)
def test_what_has_no_score_says_why(
    reference: Column, current: Column, method: str | None, error: type[MeasureError]
) -> None:
    with pytest.raises(error, match=r"'a'|'kss'"):
        score(reference, current, method)


def test_a_threshold_of_ones_own_decides_the_verdict_alone() -> None:
    reference, current = numbers("a", list(range(100))), numbers("a", list(range(5, 105)))
    assert score(reference, current, "wasserstein", threshold=0.5).is_drifted is False
    assert score(reference, current, "wasserstein", threshold=0.05).is_drifted is True


def test_windows_of_one_value_score_as_numpy_bins_them() -> None:
    constant = numbers("a", [2.0] * 30)
    assert score(constant, constant, "hellinger").value == 0
    assert score(constant, constant, "psi").value == 0
    assert score(constant, constant).method == "z"
