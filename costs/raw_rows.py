"""A bill row's text as it was delivered, found again by its line."""

import csv

from costs.models import Delivery, DeliveryBlock
from costs.sources import records
from costs.sources.blocks import Packed, unpack


def raw_row(delivery: Delivery, line: int) -> str:
    """The record that starts on this line, over several lines where a quoted field holds newlines."""
    blocks = DeliveryBlock.objects.filter(delivery=delivery, first_line__gte=_first_of(delivery, line))
    lines: list[bytes] = []
    offset = 0
    for block in blocks.order_by("first_line").iterator(chunk_size=1):
        if not lines:
            offset = line - block.first_line
        packed = Packed(block.first_line, block.line_count, bytes(block.content))
        lines += unpack(packed).content.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        taken = records.length_at(lines, offset)
        if taken:
            return records.readable(b"\n".join(lines[offset : offset + taken]))
    return records.readable(lines[offset]) if offset < len(lines) else ""


def values_of(delivery: Delivery, raw: str) -> tuple[tuple[str, str], ...]:
    """The row's columns with their texts, in the order of the file."""
    columns = delivery.columns
    delimiter = max(",;\t", key=raw.count) if len(columns) > 1 else ","
    for candidate in (delimiter, ",", ";", "\t"):
        values = next(csv.reader(raw.splitlines(keepends=True), delimiter=candidate), [])
        if len(values) == len(columns):
            return tuple(zip(columns, values, strict=True))
    return ()


def _first_of(delivery: Delivery, line: int) -> int:
    found = DeliveryBlock.objects.filter(delivery=delivery, first_line__lte=line).order_by("-first_line")
    return found.values_list("first_line", flat=True).first() or 1
