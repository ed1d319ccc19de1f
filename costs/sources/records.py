"""CSV records by columns with their lines; what is broken is set aside line by line, so that nothing is lost."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from costs.sources import clean
from costs.sources.blocks import MAX_LINE_BYTES, Block, slices

MAX_RECORD_LINES = 500
csv.field_size_limit(MAX_LINE_BYTES)  # the module's own limit would refuse long tags that the quick way takes


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no record, as it came."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """Records in the order of the file: `columns` by name, the line each starts on, and its bytes."""

    columns: dict[str, pa.Array]
    lines: Sequence[int]
    raw: Iterable[bytes]
    broken: list[Broken] = field(default_factory=list)


class Reader:
    """Records of `field_count` fields, block after block; of these the ones at `positions`.

    A quoted field may run over lines and over a block's end. Clean blocks are read the quick way; of others, clean
    pieces are, and the rest line by line. Which way was taken cannot be told from the records.
    """

    def __init__(self, *, delimiter: str, field_count: int, positions: Mapping[str, int]) -> None:
        self._delimiter = delimiter
        self._field_count = field_count
        self._positions = positions
        self._pending: list[bytes] = []
        self._next_line = 2

    def read(self, block: Block) -> Iterator[Records]:
        """The records that end in this block."""
        found = self.read_clean(block)
        if found is not None:
            yield found
            return
        for piece in slices(block):
            yield self.read_clean(piece) or self.read_line_by_line(piece)

    def read_clean(self, block: Block) -> Records | None:
        """The block's records the quick way; None where it is not clean, or a quote is open from before."""
        if self._pending:
            return None
        found = clean.columns(
            block, delimiter=self._delimiter, field_count=self._field_count, positions=self._positions
        )
        if found is None:
            return None
        self._next_line = block.first_line + block.line_count
        columns, raw = found
        return Records(columns, range(block.first_line, self._next_line), raw)

    def read_line_by_line(self, block: Block) -> Records:
        """The block's records by the csv module, one at a time."""
        self._next_line = block.first_line + block.line_count
        lines = self._pending + _lines(block.content)
        self._pending = []
        return self._records(lines, self._pending)

    def finish(self) -> Records:
        """What was left waiting for a quote to close."""
        return self._records(self._pending, None)

    def _records(self, lines: list[bytes], pending: list[bytes] | None) -> Records:
        rows, starts, raw, broken = _line_by_line(
            lines, self._next_line - len(lines), self._delimiter, self._field_count, pending
        )
        columns = {name: pa.array([row[place] for row in rows], pa.string()) for name, place in self._positions.items()}
        return Records(columns, starts, raw, broken)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return lines


def _line_by_line(
    lines: list[bytes], first_line: int, delimiter: str, field_count: int, pending: list[bytes] | None
) -> tuple[list[list[str]], list[int], list[bytes], list[Broken]]:
    """Rows, the lines they start on, their bytes, and what is broken; an open record goes to `pending`."""
    rows: list[list[str]] = []
    starts: list[int] = []
    raws: list[bytes] = []
    broken: list[Broken] = []
    position = 0
    while position < len(lines):
        taken, record, reason = _record_at(lines, position, delimiter, field_count)
        if taken == 0 and pending is not None and len(lines) - position < MAX_RECORD_LINES:
            pending.extend(lines[position:])
            break
        number = first_line + position
        if record is not None:
            rows.append(record)
            starts.append(number)
            raws.append(b"\n".join(lines[position : position + taken]).removesuffix(b"\r"))
        elif reason:
            broken.append(Broken(number, readable(lines[position]), reason))
        position += max(taken, 1)
    return rows, starts, raws, broken


def _record_at(
    lines: list[bytes], position: int, delimiter: str, field_count: int
) -> tuple[int, list[str] | None, str]:
    """How many lines the record takes, the record, or why there is none. 0 lines: a quote is open to the end."""
    raw = lines[position]
    if not raw.strip() and delimiter.encode() not in raw:
        return 1, None, ""
    quotes = raw.count(b'"')
    record, reason = _parse(raw, delimiter, field_count)
    if record is not None or quotes % 2 == 0:
        return 1, record, reason
    last = min(len(lines), position + MAX_RECORD_LINES)
    for end in range(position + 1, last):
        quotes += lines[end].count(b'"')
        if quotes % 2 == 0:
            record, _ = _parse(b"\n".join(lines[position : end + 1]), delimiter, field_count)
            if record is not None:
                return end + 1 - position, record, ""
            return 1, None, reason
    return (0 if last == len(lines) else 1), None, "a quote is opened and never closed"


def length_at(lines: list[bytes], position: int) -> int:
    """How many lines the record at `position` takes; 0 where its quotes are open to the end of `lines`."""
    quotes = 0
    for end in range(position, min(len(lines), position + MAX_RECORD_LINES)):
        quotes += lines[end].count(b'"')
        if quotes % 2 == 0:
            return end + 1 - position
    return 0


def _parse(raw: bytes, delimiter: str, field_count: int) -> tuple[list[str] | None, str]:
    if b"\0" in raw:
        return None, "a NUL byte stands in the line"
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return None, f"the bytes are no UTF-8 at position {error.start}"
    try:
        record = next(csv.reader([line + "\n" for line in text.split("\n")], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return None, f"the quotes do not fit ({error})"
    if len(record) != field_count:
        return None, f"{len(record)} fields where the header has {field_count}"
    return record, ""


def readable(raw: bytes) -> str:
    """The bytes as text that a database can keep; NUL and what is no UTF-8 are written in hexadecimal."""
    return raw.removesuffix(b"\r").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
