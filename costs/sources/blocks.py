"""A delivered file as blocks of whole lines: unpacked where it is gzip, never whole in memory."""

import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import brotli
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costs.errors import FileTooLargeError, UnreadableFileError
from costs.sources.hashed import Hashed

BLOCK_BYTES = 4 * 1024 * 1024
SLICE_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
_NEWLINE = b"\n"[0]
_GZIP = b"\x1f\x8b"
_ZSTD = b"zstd"
_HEAD = struct.Struct(">4sI")  # before what Zstandard packed: its name, and how long the content was
_OTHER_CONTAINERS = (
    (b"PK\x03\x04", "a ZIP archive (or a spreadsheet). Unpack it and deliver the CSV, plain or as .gz."),
    (b"PAR1", "a Parquet file, which this version does not read. Export the bill as FOCUS CSV."),
    (b"\xff\xfe", "text in UTF-16. Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16. Save it as UTF-8."),
    (b"%PDF", "a PDF. Deliver the bill's FOCUS CSV export."),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: `first_line` counts from 1, each line ends with a newline but perhaps the file's last."""

    first_line: int
    line_count: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A block with its content compressed."""

    first_line: int
    line_count: int
    content: bytes


def slices(block: Block) -> Iterator[Block]:
    """The block in small pieces of whole lines."""
    start, line = 0, block.first_line
    while start < len(block.content):
        end = block.content.find(b"\n", start + SLICE_BYTES) + 1 or len(block.content)
        content = block.content[start:end]
        count = content.count(b"\n") + (not content.endswith(b"\n"))
        yield Block(line, count, content)
        start, line = end, line + count


def places(content: bytes, mark: int) -> npt.NDArray[np.int64]:
    """Where the byte stands; looked for in small pieces, since memory that is used again at once is fast."""
    marks = np.frombuffer(content, np.uint8)
    starts = range(0, len(content), _PIECE_BYTES)
    found = [np.flatnonzero(marks[start : start + _PIECE_BYTES] == mark) + start for start in starts]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def digest(stream: BinaryIO, *, name: str, limit_bytes: int) -> tuple[str, int]:
    """SHA-256 and size of the bytes as delivered; the stream is back at its start afterwards."""
    sha, size = hashlib.sha256(), 0
    while chunk := stream.read(BLOCK_BYTES):
        size += len(chunk)
        if size > limit_bytes:
            raise FileTooLargeError(name, limit_bytes)
        sha.update(chunk)
    stream.seek(0)
    return sha.hexdigest(), size


def size(stream: BinaryIO, *, name: str, limit_bytes: int) -> int:
    """How many bytes the stream has; it is at its start afterwards. Raises FileTooLargeError."""
    found = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if found > limit_bytes:
        raise FileTooLargeError(name, limit_bytes)
    return found


def blocks(stream: Hashed, *, name: str, limit_bytes: int) -> Iterator[Block]:
    """The file's lines in blocks of about 4 MiB; raises UnreadableFileError for what is no text or a broken gzip.

    The first block is smaller: the sooner it is there, the sooner the database has something to do.
    """
    head = stream.read(4)
    stream.seek(0)
    for magic, what in _OTHER_CONTAINERS:
        if head.startswith(magic):
            raise UnreadableFileError(name, f"this is {what}")
    plain = gzip.GzipFile(fileobj=stream) if head.startswith(_GZIP) else stream
    try:
        yield from _cut(plain, name, limit_bytes)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError(name, f"the gzip data is broken ({error}). Deliver the file again.") from error


def pack(block: Block) -> Packed:
    """Zstandard: half a gigabyte a second in, a whole one out, a tenth of the size of a usual bill."""
    head = _HEAD.pack(_ZSTD, len(block.content))
    return Packed(block.first_line, block.line_count, b"".join((head, pa.compress(block.content, codec="zstd"))))


def unpack(packed: Packed) -> Block:
    """The block as it was; those of older versions are packed by Brotli."""
    if packed.content.startswith(_ZSTD):
        _, size = _HEAD.unpack_from(packed.content)
        content = pa.decompress(packed.content[_HEAD.size :], size, codec="zstd", asbytes=True)
    else:
        content = brotli.decompress(packed.content)
    return Block(packed.first_line, packed.line_count, content)


def _cut(stream: Hashed | gzip.GzipFile, name: str, limit_bytes: int) -> Iterator[Block]:
    line, size = 1, 0
    while content := stream.read(BLOCK_BYTES if size else BLOCK_BYTES // 8):
        if not content.endswith(b"\n"):
            content += stream.readline(MAX_LINE_BYTES)
        size += len(content)
        if size > 20 * limit_bytes:
            raise FileTooLargeError(name, limit_bytes)
        count = len(places(content, _NEWLINE))
        if len(content) - content.rfind(b"\n") > MAX_LINE_BYTES:
            raise UnreadableFileError(name, f"line {line + count} is over {MAX_LINE_BYTES} bytes, so it is no CSV.")
        count += not content.endswith(b"\n")
        yield Block(line, count, content)
        line += count
