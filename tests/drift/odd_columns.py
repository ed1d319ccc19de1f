"""Columns that fool many measures, without any drift: heavy tails, atoms, nulls, rare and countless categories."""

import numpy as np

from drift.measures.columns import Labels, Numbers, numbers


def draw(chance: np.random.Generator, rows: int) -> list[Numbers | Labels]:
    return [
        numbers("log-normal", chance.lognormal(0, 2, rows)),
        numbers("cauchy", chance.standard_cauchy(rows)),
        numbers("zipf", chance.zipf(1.7, rows).clip(max=10**6)),
        numbers("counts", chance.poisson(3, rows)),
        numbers("mostly zero", np.where(chance.random(rows) < 0.7, 0, chance.exponential(size=rows))),
        numbers("half null", np.where(chance.random(rows) < 0.5, np.nan, chance.normal(size=rows))),
        numbers("rarely null", np.where(chance.random(rows) < 0.003, np.nan, chance.normal(size=rows))),
        _labels("30 categories", chance.integers(0, 30, rows), 30),
        _labels("800 categories", chance.integers(0, 800, rows), 800),
        _labels("words", chance.zipf(1.5, rows).clip(max=5000) - 1, 5000),
        _labels("ids", chance.integers(0, 10**5, rows), 10**5),
        _labels("rare flag", (chance.random(rows) < 0.002).astype(np.int64), 2),
    ]


def _labels(name: str, codes: np.ndarray, levels: int) -> Labels:
    return Labels(name, tuple(f"level {level}" for level in range(levels)), codes, rows=len(codes))
