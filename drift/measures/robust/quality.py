"""Facts about the data of a window: missing, new, out of range, constant. Those that open a finding do so at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import log, sqrt

from drift.measures.robust.counts import Counts
from drift.measures.robust.profile import ColumnProfile, Profile
from drift.measures.robust.scoring import MIN_ROWS

MORE_MISSING = 0.05  # as a share of all rows, more than in the reference
MORE_ODD = 0.01  # new categories or values of another type, more than expected
OUTSIDE = 0.05  # out of range: a shift of a deviation or two puts fewer there, and is judged over windows
DEVIATIONS = 4.0
RARE = 1e-7
NAMES_SHOWN = 10


class FactKind(StrEnum):
    ABSENT = "absent"
    ALL_MISSING = "all missing"
    MISSING = "missing share"
    NEW = "new categories"
    OUT_OF_RANGE = "out of range"
    CONSTANT = "constant"
    OTHER_TYPE = "other type"


@dataclass(frozen=True, slots=True)
class Fact:
    """`share` is of all rows of the window. `opens`: it is far more than the reference explains."""

    kind: FactKind
    column: str
    share: float
    detail: str
    opens: bool


def facts_of_window(profile: Profile, window: Mapping[str, Counts], *, min_rows: int = MIN_ROWS) -> tuple[Fact, ...]:
    """Facts about each column of the reference, in its order; a window with few rows opens nothing."""
    found: list[Fact] = []
    for column in profile.columns:
        counts = window.get(column.name)
        if counts is None:
            found.append(Fact(FactKind.ABSENT, column.name, 1.0, "the window lacks this column", opens=True))
        elif counts.rows:
            found += facts(column, counts, min_rows=min_rows)
    return tuple(found)


def facts(reference: ColumnProfile, window: Counts, *, min_rows: int = MIN_ROWS) -> list[Fact]:
    told = (_missing, _new, _out_of_range, _constant, _other_type)
    found = [fact for tell in told if (fact := tell(reference, window)) is not None]
    if window.rows >= min_rows:
        return found
    return [Fact(fact.kind, fact.column, fact.share, fact.detail, opens=False) for fact in found]


def _missing(reference: ColumnProfile, window: Counts) -> Fact | None:
    if not window.nulls:
        return None
    share, usual = window.nulls / window.rows, reference.counts.nulls / max(reference.counts.rows, 1)
    opens = share >= usual + MORE_MISSING and _is_more(window.nulls, window.rows, usual, reference.counts.rows)
    if window.nulls == window.rows:
        return Fact(FactKind.ALL_MISSING, window.name, 1.0, f"all {window.rows} values are missing", opens=opens)
    return Fact(FactKind.MISSING, window.name, share, f"missing share {share:.3g}, before {usual:.3g}", opens=opens)


def _new(reference: ColumnProfile, window: Counts) -> Fact | None:
    if not window.new:
        return None
    usual = reference.singles / max(reference.counts.rows, 1)
    names = ", ".join(f'"{level}" ({found})' for level, found in sorted(window.new_levels, key=lambda new: -new[1]))
    detail = f"new: {_shortened(names)}"
    return _odd(FactKind.NEW, reference, window, found=window.new, usual=usual, detail=detail)


def _out_of_range(reference: ColumnProfile, window: Counts) -> Fact | None:
    """So many beyond the highest value of the reference come by chance with (n / (n + m)) to the power of how many."""
    outside = window.below + window.above
    if not outside:
        return None
    edges = reference.buckets.edges
    by_chance = 2 * (window.rows / (window.rows + reference.counts.rows)) ** max(window.below, window.above)
    opens = outside >= OUTSIDE * window.rows and by_chance <= RARE
    detail = f"{window.below} below {edges[0]:.6g}, {window.above} above {edges[-1]:.6g}"
    reached = f"; from {window.low:.6g} to {window.high:.6g}" if None not in (window.low, window.high) else ""
    return Fact(FactKind.OUT_OF_RANGE, window.name, outside / window.rows, detail + reached, opens=opens)


def _constant(reference: ColumnProfile, window: Counts) -> Fact | None:
    had_many = reference.counts.distinct_buckets > 1
    if not had_many or not window.present or not _is_single(window):
        return None
    share, opens = window.present / window.rows, window.present * log(_likeliest(reference.counts)) <= log(RARE)
    return Fact(FactKind.CONSTANT, window.name, share, "every value is the same; before, they differed", opens=opens)


def _other_type(reference: ColumnProfile, window: Counts) -> Fact | None:
    if not window.misfits:
        return None
    usual = reference.counts.misfits / max(reference.counts.rows, 1)
    detail = f"{window.misfits} values are not {reference.buckets.kind}"
    return _odd(FactKind.OTHER_TYPE, reference, window, found=window.misfits, usual=usual, detail=detail)


def _odd(kind: FactKind, reference: ColumnProfile, window: Counts, *, found: int, usual: float, detail: str) -> Fact:
    share = found / window.rows
    opens = share >= usual + MORE_ODD and _is_more(found, window.rows, usual, reference.counts.rows)
    return Fact(kind, window.name, share, detail, opens=opens)


def _is_more(found: int, rows: int, usual: float, reference_rows: int) -> bool:
    """Four standard deviations above the usual share, the reference's own error counted in."""
    pooled = max(usual, 1 / rows)
    return found / rows - usual >= DEVIATIONS * sqrt(pooled * (1 / rows + 1 / max(reference_rows, 1)))


def _likeliest(reference: Counts) -> float:
    """The share of the fullest bucket, at most: the others may be rarer than they were by four deviations."""
    others = reference.present - max(reference.inside)
    return 1 - max(others - DEVIATIONS * sqrt(others), 0) / reference.present


def _is_single(window: Counts) -> bool:
    if window.low is not None:
        return window.low == window.high
    return window.distinct_buckets == 1 and (not window.new or len(window.new_levels) == 1)


def _shortened(names: str) -> str:
    shown = names.split(", ")
    return ", ".join(shown[:NAMES_SHOWN]) + (" and others" if len(shown) > NAMES_SHOWN else "")
