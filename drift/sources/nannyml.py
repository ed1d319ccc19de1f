"""Reads frames of NannyML: flat and many-level CSV, JSON by records, columns or split; each chunk is a report."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drift.sources.methods import method_of
from drift.sources.nannyml_frame import QUALITY_METHODS, Column, Frame, Part
from drift.sources.node import Node
from drift.sources.records import ALL_COLUMNS, DataSet, Kind, ReadReport, ReadScore, summed

TOOL = "nannyml"
MAX_CHUNKS = 5_000
WHOLE = frozenset({"reconstruction_error", "domain_classifier_auroc"})  # drift of all columns together
_TRUE, _FALSE = frozenset({"True", "true", "1"}), frozenset({"False", "false", "0"})


@dataclass(frozen=True, slots=True)
class _Group:
    """The cells of one measure: its column and method, with the frame's columns by suffix."""

    column: str
    method: str
    places: dict[str, int]


def read_frame(frame: Frame, digest: str) -> tuple[ReadReport, ...]:
    """The chunks that were analysed; those of the reference period set the thresholds and are left out."""
    chunk = {column.suffix: place for place, column in enumerate(frame.columns) if column.part is Part.CHUNK}
    groups = list(_groups(frame.columns))
    if not groups:
        frame.whole.refuse("no measure is here: columns that end in value, upper_threshold, lower_threshold or alert.")
    rows = [row for row in frame.rows() if _text(row, chunk.get("period")) != "reference"]
    left_out = frame.row_count - len(rows)
    if not rows:
        frame.whole.refuse("no analysed chunk is here, only the reference period. Estimate on analysis data.")
    if len(rows) > MAX_CHUNKS:
        frame.whole.refuse(f"{len(rows)} chunks are too many. Send at most {MAX_CHUNKS} at once.")
    note = f"{left_out} chunks of the reference period are left out." if left_out else ""
    return tuple(_report(number, row, chunk, groups, digest=digest, note=note) for number, row in enumerate(rows))


def _report(
    number: int, row: list[Node], chunk: dict[str, int], groups: list[_Group], *, digest: str, note: str
) -> ReadReport:
    key = _text(row, chunk.get("key")) or str(number)
    window = _window(row, chunk)
    own = hashlib.sha256(f"{digest}\n{key}".encode()).hexdigest()
    scores = tuple(score for group in groups for score in _scores(group, row))
    return summed(own, scores, DataSet(), window=window, note=" ".join(filter(None, (f"Chunk {key}.", note))))


def _window(row: list[Node], chunk: dict[str, int]) -> tuple[datetime, datetime] | None:
    ends = []
    for name in ("start_date", "end_date"):
        place = chunk.get(name)
        at = row[place].instant() if place is not None else None
        if at is None:
            return None
        ends.append(at)
    if ends[1] < ends[0]:
        row[chunk["end_date"]].refuse("the chunk ends before it starts.")
    return ends[0], ends[1]


def _scores(group: _Group, row: list[Node]) -> Iterator[ReadScore]:
    method = method_of(TOOL, group.method)
    upper, lower = (_number(row, group.places.get(name)) for name in ("upper_threshold", "lower_threshold"))
    kind = _kind(group)
    is_band = kind in (Kind.ESTIMATE, Kind.PERFORMANCE) or (upper is not None and lower is not None)
    yield ReadScore(
        column=group.column or (ALL_COLUMNS if kind is Kind.DRIFT else group.method),
        kind=kind,
        method=method.key if kind is Kind.DRIFT else group.method[:60],
        method_as_written=group.method,
        value=_number(row, group.places.get("value")),
        threshold=upper if upper is not None else lower if not is_band else None,
        threshold_low=lower if is_band else None,
        direction="outside" if is_band else method.direction,
        is_drifted=_flag(row, group.places.get("alert")),
    )
    realized = _number(row, group.places.get("realized"))
    if realized is not None and kind is Kind.ESTIMATE:
        yield ReadScore(
            column=group.method,
            kind=Kind.PERFORMANCE,
            method=group.method[:60],
            method_as_written=group.method,
            value=realized,
            threshold=upper,
            threshold_low=lower,
            direction="outside",
            is_drifted=None,
        )


def _kind(group: _Group) -> Kind:
    if group.method in QUALITY_METHODS:
        return Kind.QUALITY
    if group.column or group.method in WHOLE:
        return Kind.DRIFT
    return Kind.ESTIMATE if "realized" in group.places else Kind.PERFORMANCE


def _groups(columns: Sequence[Column]) -> Iterator[_Group]:
    """Measures in the frame's order."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for place, column in enumerate(columns):
        if column.part is Part.MEASURE:
            found.setdefault((column.column, column.method), {})[column.suffix] = place
    for (name, method), places in found.items():
        if "value" in places:
            yield _Group(name, method, places)


def _text(row: list[Node], place: int | None) -> str:
    if place is None:
        return ""
    value = row[place].value
    return Node(None if value is None else str(value), row[place].path).text()


def _number(row: list[Node], place: int | None) -> float | None:
    """A cell of CSV is a text: empty or nan is nothing."""
    if place is None:
        return None
    cell = row[place]
    if not isinstance(cell.value, str):
        return cell.number()
    if not cell.value.strip():
        return None
    try:
        return Node(float(cell.value), cell.path).number()
    except ValueError:
        cell.refuse("a number is expected.")


def _flag(row: list[Node], place: int | None) -> bool | None:
    if place is None:
        return None
    cell: Any = row[place].value
    if isinstance(cell, str):
        if cell in _TRUE or cell in _FALSE:
            return cell in _TRUE
        return row[place].refuse("True or False is expected.") if cell.strip() else None
    return row[place].flag()
