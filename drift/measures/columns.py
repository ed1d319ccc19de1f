"""One column of one window in memory: its values without nulls, and how many rows there were."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]
Level: TypeAlias = str | int | float | bool


class Kind(StrEnum):
    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    TEXT = "text"
    VECTOR = "embedding"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Finite numbers, nulls and infinities left out; integers only where no row is null, as in pandas."""

    name: str
    values: Values
    rows: int
    infinite: int = 0
    misfits: int = 0
    kind = Kind.NUMERICAL

    @property
    def present(self) -> int:
        return len(self.values)

    @property
    def nulls(self) -> int:
        return self.rows - len(self.values) - self.infinite - self.misfits


@dataclass(frozen=True, slots=True)
class Labels:
    """Categories as codes into `levels`, in the order of the rows, nulls left out."""

    name: str
    levels: tuple[Level, ...]
    codes: Values
    rows: int
    kind = Kind.CATEGORICAL

    @property
    def present(self) -> int:
        return len(self.codes)

    @property
    def nulls(self) -> int:
        return self.rows - len(self.codes)

    def counts(self) -> dict[Level, int]:
        """How often each level occurs; levels that don't are left out."""
        found = np.bincount(self.codes, minlength=len(self.levels)).tolist()
        return {level: count for level, count in zip(self.levels, found, strict=True) if count}


@dataclass(frozen=True, slots=True)
class Texts:
    """Free text. `values` may be a sample: `present` counts all rows that have one."""

    name: str
    values: tuple[str, ...]
    rows: int
    present: int
    kind = Kind.TEXT

    @property
    def nulls(self) -> int:
        return self.rows - self.present


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings: a matrix of rows by dimensions, which may be a sample: `present` counts all rows that have one."""

    name: str
    values: NDArray[np.float32]
    rows: int
    present: int
    kind = Kind.VECTOR

    @property
    def nulls(self) -> int:
        return self.rows - self.present


@dataclass(frozen=True, slots=True)
class Unscored:
    """A column that nothing can be said of but its nulls: no value at all, or values of a type without a measure."""

    name: str
    reason: str
    rows: int
    nulls: int
    kind = Kind.UNKNOWN

    @property
    def present(self) -> int:
        return self.rows - self.nulls


Column: TypeAlias = Numbers | Labels | Texts | Vectors | Unscored


def numbers(name: str, values: Sequence[float | None] | Values) -> Numbers:
    """Numbers from anything with None or NaN for null; integers stay integers where there is no null."""
    given = np.asarray([np.nan if value is None else value for value in values] if isinstance(values, list) else values)
    if given.dtype.kind in "iu":
        return Numbers(name, given, rows=len(given))
    given = given.astype(np.float64, copy=False)
    is_finite = np.isfinite(given)
    if is_finite.all():
        return Numbers(name, given, rows=len(given))
    return Numbers(name, given[is_finite], rows=len(given), infinite=int(np.isinf(given).sum()))


def labels(name: str, values: Sequence[Level | None]) -> Labels:
    """Categories in the order in which they first occur."""
    places: dict[Level, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values if value is not None]
    return Labels(name, tuple(places), np.asarray(codes, dtype=np.int32), rows=len(values))


def level_name(level: Level) -> str:
    """A category as text, the same for 1, 1.0 and "1": nulls in a CSV turn whole numbers into floats."""
    if isinstance(level, bool):
        return "true" if level else "false"
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


def as_labels(column: Numbers | Labels) -> Labels:
    """Each distinct number as a category of its own."""
    if isinstance(column, Labels):
        return column
    levels, codes = np.unique(column.values, return_inverse=True)
    return Labels(column.name, tuple(levels.tolist()), codes.astype(np.int32), rows=column.rows)


def has_more_levels_than(column: Numbers | Labels, limit: int) -> bool:
    return len(levels_up_to(column, limit)) > limit


def levels_up_to(column: Numbers | Labels, limit: int) -> set[Level]:
    """Distinct values, read block by block until there are more than `limit`: a float column shows it in its first."""
    if isinstance(column, Labels):
        return set(column.counts())
    found: set[Level] = set()
    for start in range(0, len(column.values), _BLOCK):
        found.update(np.unique(column.values[start : start + _BLOCK]).tolist())
        if len(found) > limit:
            break
    return found


_BLOCK = 16_384
