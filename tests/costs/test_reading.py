"""A bill's bytes become columns: quickly where nothing can be misread, line by line elsewhere, with one outcome."""

import csv
import io
import re
from decimal import Decimal
from typing import Any

import brotli
import pyarrow as pa
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from costs import copy_binary
from costs.sources import blocks, keys, records, values
from costs.sources.blocks import Block, Packed
from costs.sources.records import Broken, Reader, Records
from fleetledger.lib.money import NotANumberError, parse_exact, plain

GOOD = '1,"x ""y"", z",3\n'
PIECES = (
    "a", "1", "é", " ", ",", ",", ",", ";", '"', '"', '""', ',"', '",', "\n", "\n", "\r\n", "\r", "\0", "\x1e", "\x1f",
    "\ufeff", "\u2028", "a,b\n", '"a",b\n', 'a,"b ""c"", d"\n', '"a\nb",c\n', "NULL,\n", '"",""\r\n', "\n\n",
)  # fmt: skip
plain_numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?", fullmatch=True)
ODD_NUMBERS = (
    "", "NULL", " 5 ", "x", "5.", ".5", "-.5", "+7", "5/", "0x1F", "35.2E-7", "1,5", "1.5.2", "٣", "0", "-0.00",
    "100000000", "9" * 18, "9" * 19, "-" + "9" * 18, str(2**63), str(-(2**63)), str(-(2**63) - 1), "9" * 41,
    "1." + "0" * 70, "0." + "0" * 30 + "1",
)  # fmt: skip
numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"-?[0-9]{1,22}(\.[0-9]{1,22})?", fullmatch=True),
    st.sampled_from(ODD_NUMBERS),
)
texts = st.text('ab,"\n ;é\x1e\x1f', max_size=6)


def _block(content: bytes) -> Block:
    return Block(2, content.count(b"\n") + (not content.endswith(b"\n")), content)


def _reader(count: int, delimiter: str = ",") -> Reader:
    return Reader(delimiter=delimiter, field_count=count, positions={str(place): place for place in range(count)})


def _rows(found: Records) -> list[tuple[str, ...]]:
    return list(zip(*(column.to_pylist() for column in found.columns.values()), strict=True))


def _read(number: dict[str, Any]) -> str | None:
    """What a number of `exact_column` says, in digits alone."""
    if number["units"] is None:
        text: str | None = number["text"]
        return None if text is None else _unsigned_zero(plain(Decimal(text)))
    units, scale = int(number["units"]), int(number["scale"])
    digits = str(abs(units)).zfill(scale + 1)
    return "-" * (units < 0) + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)


def _unsigned_zero(text: str) -> str:
    return re.sub("^-(0[.0]*)$", r"\1", text)


def _all(found: Records) -> tuple[list[tuple[str, ...]], list[int], list[bytes], list[Broken]]:
    return _rows(found), list(found.lines), list(found.raw), found.broken


@pytest.mark.parametrize(
    "line",
    [
        "1,2,3\r",
        '1,"a"b,c',
        '"1,2",3',
        '1,2,3"4",5',
        "1",
        "",
        "1,2,3,4",
        '1,""a,3',
        '1,",2,a"b,3',
        "1,\r2,3",
        '1, "2",3',
        '1,"2" ,3',
    ],
)
def test_the_quick_way_leaves_what_is_odd_to_the_careful_one(line: str) -> None:
    block = _block((GOOD + line + "\n" + GOOD).encode())
    (found,) = _reader(3).read(block)
    assert _reader(3).read_clean(block) is None
    assert _all(found) == _all(_reader(3).read_line_by_line(block))
    assert {(1, 'x "y", z', 3)} >= {(int(a), b, int(c)) for a, b, c in (_rows(found)[0], _rows(found)[-1])}


@pytest.mark.parametrize(
    "content",
    [
        GOOD * 3,
        (GOOD * 3).replace("\n", "\r\n"),
        (GOOD * 3).removesuffix("\n"),
        ",,\n",
        '"","",""\n',
        'a,b,""\r\n"",b,c\r\n',
        'é,"ü\u2028",\x1e\x1f\n',
        'a,b"c,d\n'.replace('"', "'"),
        "a," + "b" * 200_000 + ",c\n",
    ],
)
def test_clean_blocks_are_read_the_quick_way_as_the_careful_one_would(content: str) -> None:
    block = _block(content.encode())
    found = _reader(3).read_clean(block)
    assert found is not None
    assert _all(found) == _all(_reader(3).read_line_by_line(block))


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=20), delimiter=st.sampled_from(",;\t"))
def test_no_bytes_are_read_one_way_quickly_and_another_way_carefully(pieces: list[str], delimiter: str) -> None:
    block = _block("".join(pieces).replace(",", delimiter).encode())
    found = _reader(2, delimiter).read_clean(block)
    careful = _reader(2, delimiter)
    if found is not None:
        assert _all(found) == _all(careful.read_line_by_line(block))
        assert list(careful.finish().raw) == []


@given(rows=st.lists(st.lists(texts, min_size=2, max_size=2), max_size=6))
def test_reading_agrees_with_the_csv_module(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    reader = _reader(2)
    found = list(reader.read(_block(out.getvalue().encode())))
    read = [row for part in [*found, reader.finish()] for row in _rows(part)]
    assert read == [tuple(row) for row in rows]


def test_an_odd_line_sends_only_its_piece_of_a_block_the_careful_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SLICE_BYTES", 100)
    careful: list[int] = []
    read_line_by_line = Reader.read_line_by_line

    def noted(self: Reader, block: Block) -> Records:
        careful.append(block.first_line)
        return read_line_by_line(self, block)

    monkeypatch.setattr(records.Reader, "read_line_by_line", noted)
    content = (GOOD * 20 + '"two\nlines",2,3\n' + GOOD * 20).encode()
    found = list(_reader(3).read(_block(content)))
    assert len(careful) == 1
    assert [line for part in found for line in part.lines] == [*range(2, 23), *range(24, 44)]
    assert sum(len(list(part.raw)) for part in found) == 41


@given(given=st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1, max_size=6))
def test_each_combination_of_texts_has_a_key_of_its_own(given: list[list[str]]) -> None:
    columns = [pa.array(column, pa.string()) for column in zip(*given, strict=True)]
    found = keys.coded(columns, len(given))
    read = [keys.split(found.distinct[code], 3) for code in found.codes.to_pylist()]
    assert read == given
    assert len(set(found.distinct)) == len({tuple(each) for each in given})


def test_rows_without_any_of_the_columns_share_one_key() -> None:
    found = keys.coded([], 2)
    assert (found.distinct, found.codes.to_pylist(), keys.split("", 0)) == ([""], [0, 0], [""])


@given(given=st.lists(st.one_of(numbers, plain_numbers), max_size=8))
def test_numbers_are_exact_whatever_stands_beside_them(given: list[str]) -> None:
    column = pa.array(["0", *given, "0"], pa.string()).slice(1, len(given))
    found, wrong = values.exact_column(column)
    assert found.type == values.NUMBERS
    for position, (text, number) in enumerate(zip(given, found.to_pylist(), strict=True)):
        try:
            expected = None if values.is_null(text) else parse_exact(text.strip())
        except NotANumberError:
            assert (_read(number), wrong[position]) == (None, text)
        else:
            assert position not in wrong
            assert _read(number) == (None if expected is None else _unsigned_zero(plain(expected)))


@given(given=st.lists(plain_numbers, max_size=8), other=st.sampled_from(["", "+7", "1e3", "/", "5-", "1.2.3", "-.5"]))
def test_a_number_is_the_same_alone_and_beside_an_odd_one(given: list[str], other: str) -> None:
    alone, _ = values.exact_column(pa.array(given, pa.string()))
    beside, _ = values.exact_column(pa.array([*given, other], pa.string()))
    assert alone.to_pylist() == beside.to_pylist()[:-1]


@pytest.mark.django_db
@given(given=st.lists(st.one_of(numbers, plain_numbers, plain_numbers), min_size=1, max_size=8))
def test_the_database_takes_numbers_digit_by_digit_as_they_stand_in_the_bill(given: list[str]) -> None:
    found, _ = values.exact_column(pa.array(given, pa.string()))
    lines = pa.array(range(len(given)), pa.int32())
    ids = pa.array([-(2**63) + line for line in range(len(given))], pa.int64())
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE taken (id bigint, line integer, one numeric, two numeric)")
        with cursor.copy("COPY taken FROM STDIN (FORMAT BINARY)") as copy:
            for piece in copy_binary.rows([ids, lines], [found, pa.nulls(len(given), values.NUMBERS)]):
                copy.write(piece)
        cursor.execute("SELECT id, line, one::text, two FROM taken ORDER BY line")
        taken = cursor.fetchall()
        cursor.execute("DROP TABLE taken")
    expected = [None if number is None else number for number in map(_read, found.to_pylist())]
    assert taken == list(zip(ids.to_pylist(), lines.to_pylist(), expected, [None] * len(given), strict=True))


def test_blocks_of_older_versions_can_still_be_unpacked() -> None:
    block = _block(GOOD.encode() * 100)
    assert blocks.unpack(blocks.pack(block)) == block
    assert blocks.unpack(Packed(2, 100, brotli.compress(block.content, quality=0))) == block
