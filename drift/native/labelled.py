"""Rows whose label is known, side by side with what the model said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift.measures.columns import Level, level_name
from drift.measures.labels import losses
from drift.measures.labels.estimates import Calibration, Estimate, calibrate, estimate
from drift.measures.labels.performance import MIN_LABELLED, Metric, classification, regression
from drift.measures.windows.files import ParquetWindow
from drift.native.meanings import REGRESSION, Meanings

MOST_ROWS = 200_000  # spread evenly over a larger file: the errors of its metrics stay far below what matters
ERRORS_KEPT = 1000
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """In the order of the file. `scores` are None where the model gives none."""

    labels: Sequence[Level]
    predictions: Sequence[Level]
    scores: Numbers | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What labels of the reference said: its metrics, how scores became chances, and the sizes of errors."""

    metrics: tuple[Metric, ...] = ()
    calibration: Calibration | None = None
    errors: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What is unknown has no key."""
        found = {
            "metrics": [asdict(metric) for metric in self.metrics],
            "calibration": asdict(self.calibration) if self.calibration else None,
            "errors": list(self.errors),
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Baseline":
        held = given.get("calibration")
        return cls(
            tuple(Metric(**metric) for metric in given.get("metrics", ())),
            Calibration(tuple(held["scores"]), tuple(held["probabilities"])) if held else None,
            tuple(given.get("errors", ())),
        )


def rows_of(window: ParquetWindow, meanings: Meanings) -> Labelled | None:
    """None where the file lacks labels or predictions, or has no row with both."""
    wanted = [meanings.prediction, meanings.label]
    if not all(wanted) or not set(wanted) <= set(window.names):
        return None
    has_scores = bool(meanings.score) and meanings.score in window.names and meanings.task != REGRESSION
    table = window.file.read(columns=[*wanted, *([meanings.score] if has_scores else ())]).drop_null()
    if table.num_rows > MOST_ROWS:
        table = table.take(np.unique(np.linspace(0, table.num_rows - 1, MOST_ROWS).astype(np.int64)))
    predictions, labels = (table.column(name).to_pylist() for name in wanted)
    scores = _numbers(table.column(meanings.score)) if has_scores else None
    return cleaned(meanings, labels, predictions, scores)


def cleaned(
    meanings: Meanings, labels: Sequence[Any], predictions: Sequence[Any], scores: Numbers | None
) -> Labelled | None:
    """Without rows that a regression cannot read as numbers."""
    if meanings.task == REGRESSION:
        pairs = [(_number(label), _number(said)) for label, said in zip(labels, predictions, strict=True)]
        known = [(label, said) for label, said in pairs if np.isfinite(label) and np.isfinite(said)]
        labels, predictions = [label for label, _ in known], [said for _, said in known]
    if not labels:
        return None
    if scores is not None and not np.isfinite(scores).all():
        scores = None
    return Labelled(labels, predictions, scores)


def metrics_of(meanings: Meanings, rows: Labelled) -> tuple[Metric, ...]:
    if meanings.task == REGRESSION:
        return regression(np.asarray(rows.labels), np.asarray(rows.predictions))
    return classification(rows.labels, rows.predictions, rows.scores, positive=_positive(meanings, rows))


def baseline_of(meanings: Meanings, rows: Labelled | None) -> Baseline:
    if rows is None or len(rows) < MIN_LABELLED:
        return Baseline()
    metrics = metrics_of(meanings, rows)
    if meanings.task == REGRESSION:
        errors = np.sort(np.abs(np.asarray(rows.labels, np.float64) - np.asarray(rows.predictions, np.float64)))
        kept = errors[np.unique(np.linspace(0, len(errors) - 1, min(ERRORS_KEPT, len(errors))).astype(np.int64))]
        return Baseline(metrics, errors=tuple(kept.tolist()))
    if rows.scores is None or meanings.positive is None:
        return Baseline(metrics)
    is_positive = np.asarray([level_name(label) == meanings.positive for label in rows.labels])
    return Baseline(metrics, calibrate(is_positive, rows.scores))


def losses_of(meanings: Meanings, rows: Labelled, baseline: Baseline) -> Numbers | None:
    """Between 0 and 1; None for a regression whose reference had no labels to rank errors by."""
    if meanings.task != REGRESSION:
        return losses.of_classes(rows.labels, rows.predictions)
    if not baseline.errors:
        return None
    said = (np.asarray(rows.labels, np.float64), np.asarray(rows.predictions, np.float64))
    return losses.of_numbers(*said, np.asarray(baseline.errors))


def estimated(baseline: Baseline, scores: Numbers) -> Estimate | None:
    """None where the reference could not calibrate the scores, or there are too few."""
    known = scores[np.isfinite(scores)]
    return estimate(baseline.calibration, known) if baseline.calibration and len(known) >= MIN_LABELLED else None


def scores_of(window: ParquetWindow, meanings: Meanings) -> Numbers:
    """All scores of a file, labelled or not."""
    if not meanings.score or meanings.score not in window.names:
        return np.empty(0)
    return _numbers(window.file.read(columns=[meanings.score]).column(0).drop_null())


def _positive(meanings: Meanings, rows: Labelled) -> Level | None:
    """The class as the rows write it, only where they have it."""
    if meanings.positive is None:
        return None
    return next((label for label in rows.labels if level_name(label) == meanings.positive), meanings.positive)


def _numbers(column: Any) -> Numbers:
    """What is no number is NaN."""
    try:
        cast = pc.cast(column, "float64", safe=False)
    except (ValueError, NotImplementedError):
        return np.asarray([_number(value) for value in column.to_pylist()], dtype=np.float64)
    found: Numbers = cast.to_numpy()
    return found


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
