"""Cuts lists into pages by an opaque cursor that stays right while rows come and go."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

import orjson
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.lib.keyset import Cut, Key
from fleetledger.rest.problems import ProblemError

LIMIT = 100
MAX_LIMIT = 1000
CSV_LIMIT = 10_000
MAX_CURSOR = 2000
BIGINT = 2**63
_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask(Cut):
    """The page that a request wants."""

    @classmethod
    def of(cls, request: Request) -> "Ask":
        """Read `limit` and `cursor`; raises ProblemError where one cannot be used."""
        limit = _limit(request)
        text = request.query_params.get("cursor", "")
        if not text:
            return cls(limit)
        key, backwards = _decode(text)
        return cls(limit, key, backwards)

    @property
    def number(self) -> int | None:
        """The key of a list in the order of one whole number; raises ProblemError for another list's cursor."""
        if self.key is None:
            return None
        (part, *more) = self.key
        if more or not (type(part) is int or (isinstance(part, str) and part.isascii() and part.isdigit())):
            raise _bad_cursor()
        if not abs(int(part)) < BIGINT:
            raise _bad_cursor()
        return int(part)

    @property
    def text(self) -> str | None:
        """The key of a list in the order of one text; raises ProblemError for another list's cursor."""
        if self.key is None:
            return None
        (part, *more) = self.key
        if more or not isinstance(part, str):
            raise _bad_cursor()
        return part


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    results: Sequence[T]
    next: Key | None
    previous: Key | None


def page_of(rows: Sequence[T], ask: Cut, key: Callable[[T], Key]) -> Page[T]:
    """The page from rows fetched for `ask`: up to limit + 1 of them, in the direction asked."""
    more = len(rows) > ask.limit
    kept = list(rows[: ask.limit])
    if ask.backwards:
        kept.reverse()
    has_next = more if not ask.backwards else True
    has_previous = more if ask.backwards else ask.key is not None
    return Page(
        kept,
        next=key(kept[-1]) if kept and has_next else None,
        previous=key(kept[0]) if kept and has_previous else None,
    )


def page_in_memory(rows: Sequence[T], ask: Cut, key: Callable[[T], Key]) -> Page[T]:
    """The page from all rows, which must lie in the order of `key`."""
    if ask.key is None:
        return page_of(rows[: ask.limit + 1], ask, key)
    wanted = comparable(ask.key)
    try:
        if ask.backwards:
            before = [row for row in rows if comparable(key(row)) < wanted]
            return page_of(before[::-1][: ask.limit + 1], ask, key)
        after = [row for row in rows if comparable(key(row)) > wanted]
    except TypeError as error:
        raise _bad_cursor() from error
    return page_of(after[: ask.limit + 1], ask, key)


def paged_response(request: Request, page: Page[Any]) -> Response:
    """`{results, next, previous}` with the same addresses in a Link header."""
    following = _address(request, page.next, backwards=False)
    preceding = _address(request, page.previous, backwards=True)
    response = Response({"results": list(page.results), "next": following, "previous": preceding})
    links = [f'<{url}>; rel="{name}"' for url, name in ((following, "next"), (preceding, "prev")) if url]
    if links:
        response["Link"] = ", ".join(links)
    return response


class Cursor(BasePagination):
    """The same for DRF's generic lists: a sequence in order, or a queryset that is ordered by its key.

    A view names its key as `cursor_key(row)`; without one, rows are told apart by `pk`.
    """

    page: Page[Any]
    request: Request

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        key = getattr(view, "cursor_key", None) or (lambda row: (row.pk,))
        self.request = request
        self.page = page_in_memory(list(queryset), Ask.of(request), key)
        return list(self.page.results)

    def get_paginated_response(self, data: Any) -> Response:
        return paged_response(self.request, Page(data, self.page.next, self.page.previous))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }


def _limit(request: Request) -> int:
    is_csv = getattr(getattr(request, "accepted_renderer", None), "format", "") == "csv"
    text = request.query_params.get("limit")
    if text is None:
        return CSV_LIMIT if is_csv else LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):  # noqa: PLR2004 digits
        raise ProblemError(f"'limit' is a number from 1 to {MAX_LIMIT}.", parameter="limit")
    return int(text)


def _decode(text: str) -> tuple[Key, bool]:
    if len(text) > MAX_CURSOR:
        raise _bad_cursor()
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        direction, *key = raw if isinstance(raw, list) else [None]
    except (ValueError, binascii.Error) as error:
        raise _bad_cursor() from error
    if direction not in ("n", "p") or not key:
        raise _bad_cursor()
    return tuple(_part(item) for item in key), direction == "p"


def _part(item: Any) -> str | int | Decimal | None:
    """One part of a key as it was packed; a decimal stands as ["1.50"]."""
    if isinstance(item, list) and len(item) == 1 and isinstance(item[0], str) and _DECIMAL.fullmatch(item[0]):
        return Decimal(item[0])
    if item is None or (isinstance(item, str) and "\x00" not in item) or (type(item) is int and abs(item) < BIGINT):
        return item
    raise _bad_cursor()


def _bad_cursor() -> ProblemError:
    return ProblemError("This cursor is not one of ours. Start without 'cursor' and follow 'next'.", parameter="cursor")


def comparable(key: Key) -> tuple[tuple[bool, Any], ...]:
    """`key` in a form that sorts also where parts are None: those come first."""
    return tuple((item is not None, item) for item in key)


def _address(request: Request, key: Key | None, *, backwards: bool) -> str | None:
    if key is None:
        return None
    parts = [[str(part)] if isinstance(part, Decimal) else part for part in key]
    packed = base64.urlsafe_b64encode(orjson.dumps(["p" if backwards else "n", *parts])).decode().rstrip("=")
    query = request.query_params.copy()
    query["cursor"] = packed
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
