"""Frames of NannyML in any of their written forms, as named columns and rows of cells that know their place."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from drift.errors import UnreadableReportError
from drift.sources.methods import NANNYML_METHODS
from drift.sources.node import Node, storable

SUFFIXES = (
    "upper_confidence_boundary", "lower_confidence_boundary", "upper_threshold", "lower_threshold", "sampling_error",
    "realized", "value", "alert",
)  # fmt: skip
QUALITY_METHODS = ("missing_values_rate", "unseen_values_rate", "missing_values_count", "unseen_values_count")
CHUNK = ("key", "chunk_index", "start_index", "end_index", "start_date", "end_date", "period")
MAX_LEVELS = 3
MAX_COLUMNS = 20_000
MAX_CELLS = 5_000_000  # of a frame whose rows name their cells: few bytes may name very many
MAX_CELL = 2_000


class Part(StrEnum):
    CHUNK = "chunk"
    MEASURE = "measure"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a frame: of its chunk, or one number of a measure."""

    part: Part
    suffix: str
    column: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """`cells` by row; `names` are the columns as they are written, for the way to a cell."""

    whole: Node
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: Sequence[Sequence[Any]]
    first_line: int | None = None

    @property
    def row_count(self) -> int:
        return len(self.cells)

    def rows(self) -> Iterator[list[Node]]:
        for number, row in enumerate(self.cells):
            place = f"[{number}]" if self.first_line is None else f"line {number + self.first_line}"
            yield [Node(cell, f"{place}.{name[:60]}") for name, cell in zip(self.names, row, strict=True)]


def of_csv(text: str) -> Frame:
    """One, two or three header rows; a leading index column is left out."""
    try:
        lines = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error as error:
        raise UnreadableReportError("the report", f"this is neither JSON nor CSV ({error}).") from error
    if lines and all(row[0] == "" or row[0].isdecimal() for row in lines):
        lines = [row[1:] for row in lines if len(row) > 1]
    levels = _levels(lines)
    head, body = lines[:levels], lines[levels:]
    for number, row in enumerate(lines, start=1):
        if len(row) != len(lines[0]):
            raise UnreadableReportError(f"line {number}", f"{len(lines[0])} cells are expected, here are {len(row)}.")
    names = ["_".join(dict.fromkeys(parts)) for parts in zip(*head, strict=True)]
    whole = Node(None, "line 1")
    columns = [_of_parts(parts) if levels > 1 else _of_name(parts[0]) for parts in zip(*head, strict=True)]
    return _checked(Frame(whole, tuple(names), tuple(columns), body, first_line=levels + 1))


def of_json(value: Any) -> Frame:
    """Records ([{...}]), columns ({name: {row: cell}}) or split ({columns, index, data})."""
    root = Node(value)
    if isinstance(value, dict) and isinstance(value.get("data"), list) and isinstance(value.get("columns"), list):
        names = [_name(item.value) for item in root.at("columns").items()]
        cells = [[item.value for item in row.items()] for row in root.at("data").items()]
        for number, row in enumerate(cells):
            if len(row) != len(names):
                Node(row, f"data[{number}]").refuse(f"{len(names)} cells are expected, here are {len(row)}.")
    elif isinstance(value, dict):
        by_name = {name: dict(column.entries()) for name, column in root.entries()}
        index = list(next(iter(by_name.values()), {}))
        names = list(by_name)
        _check_size(root, len(names), len(index))
        cells = [[_cell(by_name[name], at) for name in names] for at in index]
    else:
        records = [dict(item.entries()) for item in root.items()]
        names = list(dict.fromkeys(name for record in records for name in record))
        _check_size(root, len(names), len(records))
        cells = [[_cell(record, name) for name in names] for record in records]
    return _checked(Frame(root, tuple(names), tuple(_of_name(name) for name in names), cells))


def is_frame(value: Any) -> bool:
    """Whether a JSON value looks like a frame of NannyML."""
    names: Any = []
    if isinstance(value, list) and value and isinstance(value[0], dict):
        names = value[0]
    elif isinstance(value, dict):
        names = value["columns"] if isinstance(value.get("columns"), list) and "data" in value else value
    return any(_of_name(_name(name)).part is Part.CHUNK for name in names)


def is_csv(text: str) -> bool:
    first = text.lstrip("\ufeff").partition("\n")[0]
    return "," in first and "chunk" in first


def _check_size(whole: Node, columns: int, rows: int) -> None:
    """Before the cells are laid out."""
    if columns > MAX_COLUMNS:
        whole.refuse(f"{columns} columns are too many. Send at most {MAX_COLUMNS}.")
    if columns * rows > MAX_CELLS:
        whole.refuse(f"{rows} rows of {columns} columns are more than {MAX_CELLS} cells. Send fewer chunks at once.")


def _checked(frame: Frame) -> Frame:
    _check_size(frame.whole, len(frame.columns), 1)
    for name in frame.names:
        storable(name, frame.whole.path, MAX_CELL)
    return frame


def _levels(lines: list[list[str]]) -> int:
    """How many header rows there are: above the chunk's `key` stands `chunk`, once or twice."""
    firsts = [row[0] for row in lines[:MAX_LEVELS]]
    if firsts[:1] == ["chunk"]:
        return firsts.index("key") + 1 if "key" in firsts else 1
    return 1


def _of_parts(parts: Sequence[str]) -> Column:
    """From the levels of a header: (chunk, chunk, key), (car_value, jensen_shannon, alert), (roc_auc, value)."""
    *above, suffix = parts
    if above and above[0] == "chunk":
        return Column(Part.CHUNK, suffix)
    if suffix not in SUFFIXES:
        return Column(Part.OTHER, suffix)
    names = list(dict.fromkeys(above))
    if len(names) == 1:
        return Column(Part.MEASURE, suffix, "", names[0])
    return Column(Part.MEASURE, suffix, names[0], names[1])


def _of_name(name: str) -> Column:
    """From a flat name: chunk_key, chunk.key, car_value_jensen_shannon_alert, roc_auc.value."""
    for key in CHUNK:
        if name in (f"chunk_{key}", f"chunk.{key}", f"chunk.chunk.{key}") or name == key == "chunk_index":
            return Column(Part.CHUNK, key)
    for suffix in SUFFIXES:
        for joint in ("_", "."):
            if name.endswith(joint + suffix) and name != joint + suffix:
                return Column(Part.MEASURE, suffix, *split_flat(name.removesuffix(joint + suffix)))
    return Column(Part.OTHER, name)


def split_flat(text: str) -> tuple[str, str]:
    """(column, method) of a flat name without its suffix; a text without a known method is a metric of all."""
    for method in (*NANNYML_METHODS, *QUALITY_METHODS):
        for joint in ("_", "."):
            if text.endswith(joint + method) and text != joint + method:
                return text.removesuffix(joint + method), method
    return "", text


def _name(value: Any) -> str:
    """A column's name; several levels stand as a list."""
    return ".".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _cell(row: dict[str, Node], name: str) -> Any:
    return row[name].value if name in row else None
