"""Columns as the bytes that PostgreSQL's binary COPY takes, whole columns at a time."""

import struct
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_GROUP = 10_000  # PostgreSQL's digits are groups of four
_MINUS = 0x4000
_POWERS = 10 ** np.arange(5, dtype=np.uint64)

Units = npt.NDArray[np.uint64]


def rows(integers: Sequence[pa.Array], numbers: Sequence[pa.Array]) -> Iterator[bytes | memoryview]:
    """Rows of the integer columns, then the columns of `values.exact_column`; in few pieces, for one COPY.

    Integers are written in the width of their type and have no nulls.
    """
    count = len(integers[0])
    fixed = np.empty(count, _row_type(integers))
    fixed["columns"] = len(integers) + len(numbers)
    for place, column in enumerate(integers):
        fixed[f"size{place}"] = column.type.byte_width
        fixed[f"value{place}"] = column.to_numpy()
    joined = pc.binary_join_element_wise(_as_binary(fixed), *map(numerics, numbers), b"")
    yield _HEAD
    yield memoryview(joined.buffers()[2])[: pc.sum(pc.binary_length(joined)).as_py() or 0]
    yield _TAIL


def numerics(numbers: pa.Array) -> pa.Array:
    """Each number as a field of type numeric, its size first. Zeros around the digits do no harm: they are cut."""
    units = numbers.field("units")
    texts = numbers.field("text")
    given, scales = units.fill_null(0).to_numpy(), numbers.field("scale").fill_null(0).to_numpy()
    groups, last_weight = _groups(np.abs(given).view(np.uint64), scales)
    fields = np.empty(len(given), _numeric_type(len(groups)))
    fields["size"] = fields.dtype.itemsize - len(_NULL)
    fields["count"] = len(groups)
    fields["weight"] = last_weight + (len(groups) - 1)
    fields["sign"] = np.where(given < 0, _MINUS, 0)
    fields["scale"] = scales
    for place, group in enumerate(reversed(groups)):
        fields["groups"][:, place] = group
    found = _as_binary(fields)
    if not units.null_count:
        return found
    is_other = units.is_null()
    others = [_NULL if text is None else _numeric(Decimal(text)) for text in texts.filter(is_other).to_pylist()]
    return pc.replace_with_mask(found, is_other, pa.array(others, pa.binary()))


def _groups(units: Units, scales: npt.NDArray[np.int32]) -> tuple[list[Units], npt.NDArray[np.int32]]:
    """The digits in groups of four from the last, and the power of 10,000 that the last one counts.

    Groups start at the decimal point, so that the last may have fewer than four digits of the number.
    """
    behind = -(-scales // 4)
    in_last = np.where(scales > 0, scales - 4 * (behind - 1), 4)
    rest, last = np.divmod(units, _POWERS[in_last])
    groups = [last * _POWERS[4 - in_last]]
    while rest.any():
        rest, group = np.divmod(rest, np.uint64(_GROUP))
        groups.append(group)
    return groups, -behind


def _numeric(number: Decimal) -> bytes:
    """One number as a field, for those that fit in no integer."""
    sign, digits, exponent = number.as_tuple()
    scale = -int(exponent)
    behind = -(-scale // 4)
    text = "".join(map(str, digits)) + "0" * (4 * behind - scale)
    text = text.zfill(-(-len(text) // 4) * 4)
    groups = [int(text[at : at + 4]) for at in range(0, len(text), 4)]
    head = (8 + 2 * len(groups), len(groups), len(groups) - 1 - behind, _MINUS * sign, scale)
    return struct.pack(f">ihhhh{len(groups)}h", *head, *groups)


def _row_type(integers: Sequence[pa.Array]) -> np.dtype[np.void]:
    fields = [("columns", ">i2")]
    for place, column in enumerate(integers):
        fields += [(f"size{place}", ">i4"), (f"value{place}", f">i{column.type.byte_width}")]
    return np.dtype(fields)


def _numeric_type(groups: int) -> np.dtype[np.void]:
    shorts = [(name, ">i2") for name in ("count", "weight", "sign", "scale")]
    return np.dtype([("size", ">i4"), *shorts, ("groups", ">i2", (groups,))])


def _as_binary(records: npt.NDArray[np.void]) -> pa.Array:
    offsets = np.arange(len(records) + 1, dtype=np.int32) * np.int32(records.dtype.itemsize)
    return pa.Array.from_buffers(pa.binary(), len(records), [None, pa.py_buffer(offsets), pa.py_buffer(records)])
