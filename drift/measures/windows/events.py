"""A batch of events as a window: a mapping for each prediction, with any keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan

import numpy as np

from drift.measures.columns import Column, Kind, Labels, Level, Numbers, Texts, Unscored, Vectors, labels, numbers
from drift.measures.errors import MissingColumnError
from drift.measures.windows import guessing

SAMPLE_ROWS = 2000


@dataclass(frozen=True, slots=True)
class EventWindow:
    """An event that lacks a key has a null there."""

    events: Sequence[Mapping[str, object]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple({name: None for event in self.events for name in event})

    @property
    def rows(self) -> int:
        return len(self.events)

    def column(self, name: str, kind: Kind | None = None) -> Column:
        if kind is None and name not in self.names:
            raise MissingColumnError(name, self.names)
        values = [_known(event.get(name)) for event in self.events]
        return _column(name, values, kind or _guess(values))

    def sample(self) -> "EventWindow":
        return EventWindow(self.events[:SAMPLE_ROWS])


def _known(value: object) -> object:
    """NaN is how many programs write a null."""
    return None if isinstance(value, float) and isnan(value) else value


def _column(name: str, values: list[object], kind: Kind) -> Column:
    held = [value for value in values if value is not None]
    if kind is Kind.NUMERICAL:
        return _numbers(name, values)
    if kind is Kind.CATEGORICAL:
        return _labels(name, values)
    if kind is Kind.TEXT:
        return Texts(name, tuple(str(value) for value in held), rows=len(values), present=len(held))
    if kind is Kind.VECTOR:
        return _vectors(name, held, len(values))
    reason = "nothing measures such values" if held else "it has no values"
    return Unscored(name, reason, rows=len(values), nulls=len(values) - len(held))


def _guess(values: list[object]) -> Kind:
    held = [value for value in values if value is not None]
    if not held:
        return Kind.UNKNOWN
    parsed = [number for value in held if (number := _number(value)) is not None]
    if guessing.are_numbers(len(parsed), len(held)):
        is_whole = all(isinstance(number, int) for number in parsed)
        return guessing.of_whole_numbers(len(set(parsed))) if is_whole else Kind.NUMERICAL
    if all(isinstance(value, list) for value in held):
        return Kind.VECTOR
    texts = [value for value in held if isinstance(value, str)]
    return guessing.of_strings(len(set(texts)), len(texts)) if len(texts) == len(held) else Kind.CATEGORICAL


def _numbers(name: str, values: list[object]) -> Numbers:
    parsed = [number for value in values if value is not None and (number := _number(value)) is not None]
    misfits = sum(value is not None for value in values) - len(parsed)
    finite = [number for number in parsed if isfinite(number)]
    is_filled = len(finite) == len(values)
    array = numbers(name, finite).values if is_filled else np.asarray(finite, dtype=np.float64)
    return Numbers(name, array, len(values), infinite=len(parsed) - len(finite), misfits=misfits)


def _labels(name: str, values: list[object]) -> Labels:
    levels: list[Level | None] = [
        value if value is None or isinstance(value, str | int | float) else str(value) for value in values
    ]
    return labels(name, levels)


def _vectors(name: str, held: list[object], rows: int) -> Column:
    fitting = [value for value in held if isinstance(value, list) and all(_number(part) is not None for part in value)]
    if len({len(value) for value in fitting}) != 1:
        return Unscored(name, "its embeddings differ in length", rows=rows, nulls=rows - len(held))
    return Vectors(name, np.asarray(fitting, dtype=np.float32), rows=rows, present=len(held))


def _number(value: object) -> int | float | None:
    """Integers beyond 64 bits are as good as infinite; text counts where it reads as a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _FITS else float("inf" if value > 0 else "-inf")
    if isinstance(value, float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


_FITS = 2**63
