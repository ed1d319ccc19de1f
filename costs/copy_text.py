"""Columns as the text that PostgreSQL's COPY takes."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_NULL = {"null_handling": "replace", "null_replacement": "\\N"}


def rows(columns: Sequence[pa.Array]) -> memoryview:
    """A line per row. The texts hold nothing that COPY would need escaped: numbers, instants and ids."""
    texts = [column.cast(pa.string()) for column in columns]
    texts[-1] = pc.binary_join_element_wise(texts[-1], "", "\n", **_NULL)
    lines = pc.binary_join_element_wise(*texts, "\t", **_NULL)
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return memoryview(pc.binary_join(whole, "")[0].as_buffer())
