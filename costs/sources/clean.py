"""The quick way into a block whose every line is one good record: Arrow's CSV reader with nothing left to guess."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pyarrow as pa
from pyarrow import csv

from costs.sources.blocks import Block

_BOM = b"\xef\xbb\xbf"
_CARRIAGE_RETURN = 13


def columns(
    block: Block, *, delimiter: str, field_count: int, positions: Mapping[str, int]
) -> tuple[dict[str, pa.Array], list[bytes]] | None:
    """The block's columns by name and its lines' bytes; None where a line may be anything but one record.

    Arrow checks that each row has `field_count` fields. What it would be lenient about is looked at before: bytes that
    are no text, a carriage return amid a line, and quotes that do not enclose a whole field. It leaves empty lines
    out, so that as many rows as lines means that each line is a row.
    """
    content = block.content
    if field_count == 1 or b"\0" in content or content.startswith(_BOM) or not _is_text(content):
        return None
    raw = _lines(content)
    if len(raw) != block.line_count or (b'"' in content and not _fitting_quotes(delimiter).fullmatch(content)):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(content), **_options(delimiter, field_count, frozenset(positions.values()))
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(raw):
        return None
    table = table.combine_chunks()
    return {name: table.column(str(place)).chunk(0) for name, place in positions.items()}, raw


def _lines(content: bytes) -> list[bytes]:
    """The bytes of each line without what ends it; none where not all lines end alike."""
    first = content.find(b"\n")
    ending = b"\r\n" if first > 0 and content[first - 1] == _CARRIAGE_RETURN else b"\n"
    lines = content.split(ending)
    if lines[-1] == b"":
        lines.pop()
    if not lines:
        return []
    returns = len(lines) - (not content.endswith(ending)) if ending == b"\r\n" else 0
    is_even = content.count(b"\r") == returns and not lines[-1].endswith(b"\n")
    return lines if is_even else []


def _is_text(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@cache
def _fitting_quotes(delimiter: str) -> re.Pattern[bytes]:
    """Matches where each quote opens or closes a whole field, or is doubled within one."""
    edge = re.escape(delimiter.encode())
    opened, closed = rb'(?<![^%b\n])"' % edge, rb'"(?![^%b\r\n])' % edge
    return re.compile(rb'(?:[^"]*+%b(?:[^"]*+"")*+[^"]*+%b)*+[^"]*+' % (opened, closed))


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
