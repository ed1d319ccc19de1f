"""CSV records with their line numbers; what is broken is set aside line by line, so that nothing is lost."""

import csv
from dataclasses import dataclass, field
from operator import methodcaller

from costs.sources.blocks import Block

MAX_RECORD_LINES = 500
HIDDEN = "\x1f"
_MARK = "\x1e"
_AROUND = frozenset({"", ",", "\n", "\r"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no record, as it came."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a block. `raw[i]` are the bytes of `rows[i]`, which starts on line `lines[i]`.

    A field that begins with a quote is still quoted: `unquoted` gives its text, once for all fields that are alike.
    """

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
    """The quick way for blocks whose every line is one good record; None where that does not hold.

    Commas within quotes are hidden, so that lines can be cut at commas: less than half the time of the csv module.
    """
    if b"\0" in block.content or delimiter != ",":
        return None
    ending = b"\r\n" if block.content.find(b"\r\n") == block.content.find(b"\n") - 1 else b"\n"
    if ending == b"\n" and b"\r" in block.content:
        return None
    try:
        text = _with_hidden_commas(block.content.decode())
    except UnicodeDecodeError:
        return None
    if text is None:
        return None
    lines = text.split(ending.decode())
    if lines[-1] == "":
        lines.pop()
    rows = list(map(methodcaller("split", ","), lines))
    if set(map(len, rows)) != {field_count}:
        return None
    raw = block.content.split(ending)[: len(rows)]
    return Records(rows, list(range(block.first_line, block.first_line + len(rows))), raw)


def _with_hidden_commas(text: str) -> str | None:
    """The text with commas within quotes hidden; None where quotes do not fit or hold a newline."""
    if '"' not in text:
        return text
    if HIDDEN in text or _MARK in text:
        return None
    parts = text.split('"')  # those at odd places stand within quotes; a doubled quote leaves an empty one between
    if len(parts) % 2 == 0:
        return None
    within = _MARK.join(parts[1::2])
    if "\n" in within or not _quotes_fit(parts):
        return None
    parts[1::2] = within.replace(",", HIDDEN).split(_MARK)
    return '"'.join(parts)


def _quotes_fit(parts: list[str]) -> bool:
    """Whether every quoted text begins after a comma or at a line's start, and ends before one or at a line's end."""
    between = list(filter(None, parts[2:-1:2]))
    starts = {part[0] for part in between} | {part[:1] for part in parts[-1:]}
    ends = {part[-1] for part in between} | {part[-1:] for part in parts[:1]}
    return starts <= _AROUND and ends <= _AROUND


def unquoted(text: str) -> str:
    """A field as it was meant: without its quotes, with the commas that were hidden."""
    if not text.startswith('"'):
        return text
    return text[1:-1].replace('""', '"').replace(HIDDEN, ",")


def _quoted(text: str) -> str:
    """A field that the csv module read, as the quick way would have left it."""
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text


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
            found.rows.append([_quoted(text) for text in record])
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
