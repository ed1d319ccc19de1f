"""Combinations of texts as single keys, coded: what is in a million rows is looked at once per combination."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Keys:
    """The combination that each row has: `codes` are places in `distinct`."""

    distinct: list[str]
    codes: pa.Array


def joined(texts: Sequence[str]) -> str:
    """One key for the texts, another for any others: where the separator stands in one, their lengths follow."""
    key = SEPARATOR.join(texts)
    if key.count(SEPARATOR) < len(texts):
        return key
    return SEPARATOR.join((key, ",".join(str(len(text)) for text in texts)))


def split(key: str, count: int) -> list[str]:
    """The `count` texts that `joined` made the key of."""
    texts = key.split(SEPARATOR)
    if len(texts) == max(count, 1):
        return texts
    texts, start = [], 0
    for length in map(int, key.rpartition(SEPARATOR)[2].split(",")):
        texts.append(key[start : start + length])
        start += length + len(SEPARATOR)
    return texts


def coded(columns: Sequence[pa.Array], row_count: int) -> Keys:
    """The combinations of the columns' texts, each as `joined` writes it."""
    if not columns:
        return Keys([""], pa.nulls(row_count, pa.int32()).fill_null(0))
    found = pc.binary_join_element_wise(*columns, SEPARATOR).dictionary_encode()
    distinct = found.dictionary.to_pylist()
    if all(key.count(SEPARATOR) < len(columns) for key in distinct):
        return Keys(distinct, found.indices)
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    found = pa.array(map(joined, rows), pa.string()).dictionary_encode()
    return Keys(found.dictionary.to_pylist(), found.indices)
