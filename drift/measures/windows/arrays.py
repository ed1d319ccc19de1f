"""Arrow arrays as columns: numbers without nulls, categories as codes, samples of text and embeddings."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift.measures.columns import Column, Kind, Labels, Numbers, Texts, Unscored, Values, Vectors, numbers
from drift.measures.windows import guessing

SAMPLE = 5000  # texts and embeddings that the domain classifier reads
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
Arrow = Any  # pyarrow has no types


def to_column(name: str, array: Arrow, kind: Kind | None = None) -> Column:
    """Never fails on odd data: what does not fit `kind` is counted, what nothing can measure says so."""
    array = _plain(array)
    wanted = kind or guess(array)
    if wanted is Kind.NUMERICAL:
        return _numbers(name, array)
    if wanted is Kind.CATEGORICAL:
        return _labels(name, array)
    if wanted is Kind.TEXT:
        return _texts(name, array)
    if wanted is Kind.VECTOR and _holds_vectors(array.type):
        return _vectors(name, array)
    reason = "it has no values" if array.null_count == len(array) else f"nothing measures values of type {array.type}"
    return Unscored(name, reason, rows=len(array), nulls=array.null_count)


def guess(array: Arrow) -> Kind:
    """The kind of a column whose reference is not known."""
    if array.null_count == len(array):
        return Kind.UNKNOWN
    if pa.types.is_integer(array.type):
        return guessing.of_whole_numbers(_distinct(array))
    if _is_string(array):
        return _guess_strings(array)
    known = {pa.types.is_floating: Kind.NUMERICAL, pa.types.is_boolean: Kind.CATEGORICAL, _holds_vectors: Kind.VECTOR}
    return next((kind for is_it, kind in known.items() if is_it(array.type)), Kind.UNKNOWN)


def _guess_strings(array: Arrow) -> Kind:
    present, fitting = len(array) - array.null_count, _fitting(array)
    if guessing.are_numbers(len(fitting), present):
        is_whole = bool(np.all(fitting == np.floor(fitting)))
        return guessing.of_whole_numbers(len(np.unique(fitting))) if is_whole else Kind.NUMERICAL
    return guessing.of_strings(_distinct(array), present)


def _plain(array: Arrow) -> Arrow:
    """One array of a plain type: decimals as floats, strings as codes into their distinct words."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if pa.types.is_decimal(array.type):
        return array.cast(pa.float64())
    if pa.types.is_dictionary(array.type) and not _is_string_type(array.type.value_type):
        return array.dictionary_decode()
    if _is_string_type(array.type):
        return array.dictionary_encode()
    return array


def _numbers(name: str, array: Arrow) -> Column:
    if _is_string(array):
        values = _fitting(array)
        misfits = len(array) - array.null_count - len(values)
        found = numbers(name, values)
        return Numbers(name, found.values, len(array), infinite=found.infinite, misfits=misfits)
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return Numbers(name, np.empty(0), len(array), misfits=len(array) - array.null_count)
    if pa.types.is_integer(array.type) and array.null_count:
        array = array.cast(pa.float64(), safe=False)
    found = numbers(name, array.drop_null().to_numpy(zero_copy_only=False))
    return Numbers(name, found.values, len(array), infinite=found.infinite)


def _labels(name: str, array: Arrow) -> Column:
    if pa.types.is_nested(array.type):
        array = pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), None, array)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    levels = tuple(
        value if isinstance(value, str | int | float) else str(value) for value in array.dictionary.to_pylist()
    )
    return Labels(name, levels, codes, rows=len(array))


def _texts(name: str, array: Arrow) -> Column:
    held = array.drop_null()
    sample = held.take(_spread(len(held)))
    return Texts(name, tuple(str(value) for value in sample.to_pylist()), rows=len(array), present=len(held))


def _vectors(name: str, array: Arrow) -> Column:
    held = array.drop_null()
    sample = [row for row in held.take(_spread(len(held))).to_pylist() if None not in row]
    widths = {len(row) for row in sample}
    if len(widths) != 1:
        return Unscored(name, "its embeddings differ in length", rows=len(array), nulls=array.null_count)
    return Vectors(name, np.asarray(sample, dtype=np.float32), rows=len(array), present=len(held))


def _fitting(array: Arrow) -> Values:
    """The strings that are numbers, whole ones as integers where none is null; each distinct one is read once."""
    fits, parsed = _parse(array.dictionary)
    codes = array.indices.drop_null().to_numpy(zero_copy_only=False)
    values: Values = parsed[codes if fits.all() else codes[fits[codes]]]
    return values.astype(np.float64, copy=False) if array.null_count else values


def _parse(words: Arrow) -> tuple[Values, Values]:
    """Which words are numbers, and the numbers; 0 stands in for the others."""
    for wanted in (pa.int64(), pa.float64()):
        try:
            return np.ones(len(words), dtype=bool), words.cast(wanted).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            continue
    is_number = pc.match_substring_regex(words, NUMBER)
    numbers_only = pc.utf8_trim_whitespace(pc.if_else(is_number, words, pa.scalar("0", words.type)))
    return is_number.to_numpy(zero_copy_only=False), numbers_only.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _spread(count: int) -> Arrow:
    """Places spread evenly over all rows: the same sample every time."""
    return pa.array(np.unique(np.linspace(0, max(count - 1, 0), min(SAMPLE, count)).astype(np.int64)))


def _distinct(array: Arrow) -> int:
    counted = array.indices if pa.types.is_dictionary(array.type) else array
    return int(pc.count_distinct(counted, mode="only_valid").as_py())


def _holds_vectors(kind: Arrow) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(kind) for is_kind in kinds):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def _is_string(array: Arrow) -> bool:
    return _is_string_type(array.type.value_type if pa.types.is_dictionary(array.type) else array.type)


def _is_string_type(kind: Arrow) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
