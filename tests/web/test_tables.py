"""Lists sorted, filtered and paged by the address, and as CSV."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fleetledger.web.downloads import Cell, csv_response, safe_cell
from fleetledger.web.tables import Column, Table, build_table

ROWS = [("b", 2), ("a", None), ("c", 10), ("d", 1)]
COLUMNS: tuple[Column[tuple[str, int | None]], ...] = (
    Column("name", "Name", lambda row: row[0]),
    Column("size", "Size", lambda row: row[1]),
    Column("note", "Note"),
)


def _table(query: Mapping[str, str], page_size: int = 50) -> Table[tuple[str, int | None]]:
    return build_table(ROWS, COLUMNS, query, text=lambda row: row[0], default_sort="name", page_size=page_size)


def test_a_table_is_sorted_as_the_address_says_with_unknowns_last_both_ways() -> None:
    assert [row[0] for row in _table({"sort": "size"}).rows] == ["d", "b", "c", "a"]
    assert [row[0] for row in _table({"sort": "-size"}).rows] == ["c", "b", "d", "a"]


def test_a_column_that_does_not_sort_or_exist_gives_the_default_order() -> None:
    for asked in ("note", "-nothing", "--name"):
        assert [row[0] for row in _table({"sort": asked}).rows] == ["a", "b", "c", "d"]


def test_a_filter_narrows_and_the_counts_say_so() -> None:
    table = _table({"q": " C "})
    assert (table.rows, table.matching, table.total, table.search) == ((("c", 10),), 1, 4, "C")


@pytest.mark.parametrize(("asked", "page"), [("2", 2), ("99", 2), ("0", 1), ("-1", 1), ("x", 1), ("9" * 30, 1)])
def test_a_page_beyond_the_list_is_the_nearest_one(asked: str, page: int) -> None:
    table = _table({"page": asked}, page_size=3)
    assert (table.page, table.pages) == (page, 2)


def test_an_empty_list_has_one_empty_page() -> None:
    table = build_table([], COLUMNS, {}, text=str, default_sort="name")
    assert (table.rows, table.page, table.pages, table.first, table.last) == ((), 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-cmd", "'-cmd"),
        ("-12.50", "-12.50"),
        ("\t=1", "'\t=1"),
        (Decimal("-0.00000001"), "-0.00000001"),
        (-3, "-3"),
        (None, ""),
        (datetime(2026, 11, 1, 12, tzinfo=UTC), "2026-11-01T12:00:00Z"),
    ],
)
def test_no_cell_becomes_a_formula(value: Cell, text: str) -> None:
    assert safe_cell(value) == text


def test_csv_is_quoted_and_named_safely() -> None:
    response = csv_response('teams "x"/..', ("a", "b"), [("1,2", 'say "hi"'), ("=x", None)])
    assert b"".join(response).decode() == 'a,b\r\n"1,2","say ""hi"""\r\n\'=x,\r\n'
    assert response.headers["Content-Disposition"] == 'attachment; filename="teams-x-...csv"'
