"""A reference: for each column its buckets with its own counts. Immutable, and the same after a trip through JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from drift.measures.columns import Column, Kind, Labels
from drift.measures.robust.buckets import Buckets, fix_buckets
from drift.measures.robust.correlation import correlated_groups
from drift.measures.robust.counts import Counts, count
from drift.measures.windows.window import Window


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """`singles`: categories that occur once; their share is what new ones may be expected to have (Good-Turing)."""

    buckets: Buckets
    counts: Counts
    singles: int = 0

    @property
    def name(self) -> str:
        return self.buckets.name


@dataclass(frozen=True, slots=True)
class Profile:
    """`groups` are columns that move together in the reference: of them only one can be the root of a finding."""

    columns: tuple[ColumnProfile, ...]
    rows: int
    groups: tuple[tuple[str, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON column; `from_json` gives an equal profile back."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        columns = tuple(_column_from_json(column) for column in given["columns"])
        return cls(columns, given["rows"], tuple(tuple(group) for group in given["groups"]))


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """Counts of a window by column. Windows add up; a column that one of them lacks has only nulls there."""

    rows: int
    columns: Mapping[str, Counts]

    def __add__(self, other: Self) -> Self:
        names = {**self.columns, **other.columns}
        columns = {name: self._counts_like(name, other) + other._counts_like(name, self) for name in names}
        return type(self)(self.rows + other.rows, columns)

    def _counts_like(self, name: str, other: Self) -> Counts:
        held = self.columns.get(name)
        if held is not None:
            return held
        return Counts(name, (0,) * len(other.columns[name].inside), rows=self.rows, nulls=self.rows)

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "columns": [asdict(counts) for counts in self.columns.values()]}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        return cls(given["rows"], {counts["name"]: _counts_from_json(counts) for counts in given["columns"]})


def make_profile(window: Window, *, kinds: dict[str, Kind] | None = None, leave_out: Iterable[str] = ()) -> Profile:
    """Profile every column but those left out (keys, times of events), each as `kinds` says or as it looks."""
    hidden = set(leave_out)
    names = [name for name in window.names if name not in hidden]
    columns = tuple(profile_column(window.column(name, (kinds or {}).get(name))) for name in names)
    groups = correlated_groups(window.sample(), {column.name: column.buckets.kind for column in columns})
    return Profile(columns, window.rows, groups)


def profile_column(reference: Column) -> ColumnProfile:
    buckets = fix_buckets(reference)
    singles = sum(found == 1 for found in reference.counts().values()) if isinstance(reference, Labels) else 0
    return ColumnProfile(buckets, count(buckets, reference), singles)


def count_window(profile: Profile, window: Window) -> WindowCounts:
    """Counts of the columns that the window has, by name; columns that the reference lacks are left out."""
    held = set(window.names)
    columns = {
        column.name: count(column.buckets, window.column(column.name, column.buckets.kind))
        for column in profile.columns
        if column.name in held
    }
    return WindowCounts(window.rows, columns)


def _column_from_json(given: dict[str, Any]) -> ColumnProfile:
    buckets = given["buckets"]
    return ColumnProfile(
        Buckets(**{**buckets, "kind": Kind(buckets["kind"]), **_tuples(buckets, "edges", "levels")}),
        _counts_from_json(given["counts"]),
        given["singles"],
    )


def _counts_from_json(given: dict[str, Any]) -> Counts:
    new_levels = tuple((level, found) for level, found in given["new_levels"])
    return Counts(**{**given, **_tuples(given, "inside"), "new_levels": new_levels})


def _tuples(given: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: tuple(given[key]) for key in keys}
