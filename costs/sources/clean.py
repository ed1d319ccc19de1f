"""The quick way into a block whose every line is one good record: Arrow's CSV reader with nothing left to guess."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pyarrow as pa
from pyarrow import csv

from costs.sources.blocks import Block

_BOM = b"\xef\xbb\xbf"


def columns(
    block: Block, *, delimiter: str, field_count: int, positions: Mapping[str, int]
) -> dict[str, pa.Array] | None:
    """The block's columns by name; None where a line may be anything but one record, as the csv module reads it.

    Arrow checks that each row has `field_count` fields. What it would be lenient about is looked at before: bytes that
    are no text, a carriage return amid a line, and quotes that do not enclose a whole field. It leaves empty lines
    out, so that as many rows as lines means that each line is a row.
    """
    content = block.content
    if field_count == 1 or b"\0" in content or content.startswith(_BOM) or not _is_text(content):
        return None
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        return None
    if b'"' in content and not _fitting_quotes(delimiter).fullmatch(content):
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
    return {name: table.column(str(place)).chunk(0) for name, place in positions.items()}


def raw_lines(content: bytes) -> list[bytes]:
    """The bytes of each line without what ends it."""
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines] if b"\r" in content else lines


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
    """Matches where each quote opens or closes a whole field of one line, or is doubled within one."""
    edge = re.escape(delimiter.encode())
    opened = rb'(?<![^%b\n])"' % edge
    closed = rb'"(?=[%b\r\n]|\Z)' % edge
    return re.compile(rb'(?:[^"]*+%b(?:[^"\n]*+"")*+[^"\n]*+%b)*+[^"]*+' % (opened, closed))


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
