"""Columns for tests of measures: the CSV inputs of the golden scores, and seeded ones."""

import csv
from pathlib import Path

import numpy as np

from drift.measures.columns import Labels, Numbers, Values, labels, numbers


def read(file: Path, categorical: set[str]) -> dict[str, Numbers | Labels]:
    """The columns of a CSV as pandas would read them: whole numbers stay whole where no row is empty."""
    rows = list(csv.DictReader(file.read_text().splitlines()))
    return {name: _column(name, [row[name] or None for row in rows], name in categorical) for name in rows[0]}


def seeded_pairs() -> dict[str, tuple[Values, Values]]:
    """What `data/evidently-0.7.23-more-scores.json` was computed on, by Evidently itself."""
    chance = np.random.default_rng(7)
    return {
        "normal": (chance.normal(size=700), chance.normal(0.2, 1.1, size=500)),
        "whole": (chance.integers(0, 40, size=1500), chance.integers(3, 45, size=900)),
        "narrow_whole": (chance.integers(0, 24, size=4000), chance.integers(0, 25, size=4000)),
        "few": (chance.integers(0, 4, size=300).astype(float), chance.integers(0, 4, size=300).astype(float)),
        "skewed": (chance.lognormal(size=12000), chance.lognormal(0.02, 1, size=11000)),
        "binary": (chance.integers(0, 2, size=400), (chance.random(400) < 0.58).astype(int)),
        "same": (np.arange(50.0), np.arange(50.0)),
        "small": (chance.normal(size=15), chance.normal(1, 1, size=12)),
    }


def _column(name: str, texts: list[str | None], is_categorical: bool) -> Numbers | Labels:
    try:
        values = [None if text is None else _number(text) for text in texts]
    except ValueError:
        return labels(name, texts)
    return labels(name, values) if is_categorical else numbers(name, values)


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdigit() else float(text)
