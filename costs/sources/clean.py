"""The quick way into a block whose every line is one good record: Arrow's CSV reader with nothing left to guess."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from costs.sources.blocks import Block, places

_BOM = b"\xef\xbb\xbf"
_QUOTE = b'"'[0]


@dataclass(frozen=True, slots=True)
class Lines:
    """The bytes of each line without what ends it, cut out one by one: held together they take twice the memory."""

    content: bytes
    ends: npt.NDArray[np.int64]
    ending_bytes: int

    def __iter__(self) -> Iterator[bytes]:
        starts = np.concatenate(([0], self.ends[:-1] + self.ending_bytes))
        return map(self.content.__getitem__, map(slice, starts.tolist(), self.ends.tolist()))


def columns(
    block: Block, *, delimiter: str, field_count: int, positions: Mapping[str, int]
) -> "tuple[dict[str, pa.Array], Lines] | None":
    """The block's columns by name and its lines; None where a line may be anything but one record.

    Arrow checks that each row has `field_count` fields. What it would be lenient about is looked at before: bytes that
    are no text, a carriage return amid a line, and quotes that do not enclose a whole field. It leaves empty lines
    out, so that as many rows as lines means that each line is a row.
    """
    content = block.content
    if field_count == 1 or b"\0" in content or content.startswith(_BOM) or not _is_text(content):
        return None
    lines = _lines(block)
    if lines is None or not _quotes_fit(content, delimiter):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(content), **_options(delimiter, field_count, frozenset(positions.values()))
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != block.line_count:
        return None
    table = table.combine_chunks()
    return {name: table.column(str(place)).chunk(0) for name, place in positions.items()}, lines


def _lines(block: Block) -> Lines | None:
    """The block's lines; None where not all end alike."""
    content = block.content
    ending = b"\r\n" if b"\r" in content else b"\n"
    ends = places(content, ending[0])
    if (np.frombuffer(content, np.uint8).take(ends + len(ending) - 1, mode="clip") != ending[-1]).any():
        return None
    if not content.endswith(b"\n"):
        ends = np.append(ends, len(content))
    return Lines(content, ends, len(ending)) if len(ends) == block.line_count else None


def _is_text(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _quotes_fit(content: bytes, delimiter: str) -> bool:
    """Whether each quote opens or closes a whole field, or is doubled within one.

    Every other quote opens, the ones between close; a doubled one closes and opens again.
    """
    marks = np.frombuffer(content, np.uint8)
    found = places(content, _QUOTE)
    if len(found) % 2:
        return False
    before, after = marks.take(found[::2] - 1, mode="clip"), marks.take(found[1::2] + 1, mode="clip")
    return bool(_among(b'\n"', delimiter)[before].all() and _among(b'\r\n"', delimiter)[after].all())


@cache
def _among(marks: bytes, delimiter: str) -> npt.NDArray[np.bool_]:
    """Per byte whether it is one of the marks or the delimiter."""
    found = np.zeros(256, np.bool_)
    found[[*marks, *delimiter.encode()]] = True
    return found


@cache
def _options(delimiter: str, field_count: int, places: frozenset[int]) -> dict[str, Any]:
    names = [str(place) for place in range(field_count)]
    return {
        "read_options": csv.ReadOptions(use_threads=False, block_size=1 << 30, column_names=names),
        "parse_options": csv.ParseOptions(delimiter=delimiter),
        "convert_options": csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[str(place) for place in sorted(places)],
        ),
    }
