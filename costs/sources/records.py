"""CSV records with their line numbers; what is broken is set aside line by line, so that nothing is lost."""

import csv
from dataclasses import dataclass, field

from costs.sources.blocks import Block

MAX_RECORD_LINES = 500


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no record, as it came."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a block. `raw[i]` are the bytes of `rows[i]`, which starts on line `lines[i]`."""

    rows: list[list[str]]
    lines: list[int]
    raw: list[bytes]
    broken: list[Broken] = field(default_factory=list)


class Reader:
    """Records of `field_count` fields, block after block. A quoted field may run over lines and over a block's end."""

    def __init__(self, *, delimiter: str, field_count: int) -> None:
        self._delimiter = delimiter
        self._field_count = field_count
        self._pending: list[bytes] = []
        self._next_line = 2

    def read(self, block: Block) -> Records:
        """The records that end in this block."""
        self._next_line = block.first_line + block.line_count
        if not self._pending:
            found = _all_at_once(block, self._delimiter, self._field_count)
            if found is not None:
                return found
        first_line = block.first_line - len(self._pending)
        lines = self._pending + _lines(block.content)
        self._pending = []
        return _line_by_line(lines, first_line, self._delimiter, self._field_count, self._pending)

    def finish(self) -> Records:
        """What was left waiting for a quote to close."""
        first_line = self._next_line - len(self._pending)
        return _line_by_line(self._pending, first_line, self._delimiter, self._field_count, None)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return lines


def _all_at_once(block: Block, delimiter: str, field_count: int) -> Records | None:
    """The quick way for blocks whose every line is one good record; None where it does not hold."""
    if b"\0" in block.content:
        return None
    try:
        text = block.content.decode()
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(rows) != len(lines) or set(map(len, rows)) != {field_count}:
        return None
    if block.content.count(b"\r\n") == len(lines):
        raw = block.content.split(b"\r\n")[: len(lines)]
    else:
        raw = [line.removesuffix(b"\r") for line in _lines(block.content)]
    return Records(rows, list(range(block.first_line, block.first_line + len(rows))), raw)


def _line_by_line(
    lines: list[bytes], first_line: int, delimiter: str, field_count: int, pending: list[bytes] | None
) -> Records:
    found = Records([], [], [])
    position = 0
    while position < len(lines):
        taken, record, reason = _record_at(lines, position, delimiter, field_count)
        if taken == 0 and pending is not None and len(lines) - position < MAX_RECORD_LINES:
            pending.extend(lines[position:])
            break
        number = first_line + position
        if record is not None:
            found.rows.append(record)
            found.lines.append(number)
            found.raw.append(b"\n".join(lines[position : position + taken]).removesuffix(b"\r"))
        elif reason:
            found.broken.append(Broken(number, readable(lines[position]), reason))
        position += max(taken, 1)
    return found


def _record_at(
    lines: list[bytes], position: int, delimiter: str, field_count: int
) -> tuple[int, list[str] | None, str]:
    """How many lines the record takes, the record, or why there is none. 0 lines: a quote is open to the end."""
    raw = lines[position]
    if not raw.strip():
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
        record = next(
            csv.reader(
                [text + "\n"] if "\n" not in text else text.splitlines(keepends=True), delimiter=delimiter, strict=True
            )
        )
    except csv.Error as error:
        return None, f"the quotes do not fit ({error})"
    if len(record) != field_count:
        return None, f"{len(record)} fields where the header has {field_count}"
    return record, ""


def readable(raw: bytes) -> str:
    """The bytes as text that a database can keep; NUL and what is no UTF-8 are written in hexadecimal."""
    return raw.removesuffix(b"\r").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
