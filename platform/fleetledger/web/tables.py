"""Sorts, filters and pages a list of rows by what the page's address says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
SortKey = Callable[[Any], Any]

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column with its name in the address. `key` sorts it; None there sorts last in both directions."""

    name: str
    label: str
    key: Callable[[Row], Any] | None = None
    align: str = ""
    first_descending: bool = False
    css: str = ""


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One page of a sorted and filtered list, and what was asked for. `prefix` keeps two tables of a page apart."""

    rows: tuple[Row, ...]
    columns: tuple[Column[Row], ...]
    sort: str
    is_descending: bool
    search: str
    page: int
    pages: int
    matching: int
    total: int
    prefix: str = ""
    page_size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        return (self.page - 1) * self.page_size + 1 if self.matching else 0

    @property
    def last(self) -> int:
        return min(self.page * self.page_size, self.matching)


def build_table(
    rows: Sequence[Row],
    columns: Sequence[Column[Row]],
    query: Mapping[str, str],
    *,
    text: Callable[[Row], str],
    default_sort: str,
    prefix: str = "",
    page_size: int = PAGE_SIZE,
    everything: bool = False,
) -> Table[Row]:
    """The rows that the address asks for: `q` filters `text`, `sort` is a column (a minus before it: descending).

    `everything` leaves paging out, for downloads.
    """
    search = query.get(f"{prefix}q", "").strip()
    sort, is_descending = _sort(query.get(f"{prefix}sort", ""), columns, default_sort)
    words = search.casefold().split()
    matching = [row for row in rows if all(word in text(row).casefold() for word in words)] if words else list(rows)
    key = next(column.key for column in columns if column.name == sort)
    if key is not None:
        matching = _sorted(matching, key, is_descending=is_descending)
    size = max(len(matching), 1) if everything else page_size
    pages = max(1, -(-len(matching) // size))
    page = min(max(_number(query.get(f"{prefix}page", "")), 1), pages)
    shown = tuple(matching[(page - 1) * size : page * size])
    return Table(
        shown, tuple(columns), sort, is_descending, search, page, pages, len(matching), len(rows), prefix, page_size
    )


def _sort(asked: str, columns: Sequence[Column[Row]], default_sort: str) -> tuple[str, bool]:
    known = {column.name for column in columns if column.key is not None}
    text = asked if asked.removeprefix("-") in known else default_sort
    return text.removeprefix("-"), text.startswith("-")


def _sorted(rows: list[Row], key: SortKey, *, is_descending: bool) -> list[Row]:
    present = [row for row in rows if key(row) is not None]
    absent = [row for row in rows if key(row) is None]
    return sorted(present, key=key, reverse=is_descending) + absent


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 1  # noqa: PLR2004 no list has a million pages
