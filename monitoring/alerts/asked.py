"""Reads from a page's address which alerts are wanted; what cannot be read is a sentence, never an exception."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from fleetledger.lib.numbers import whole
from monitoring.alerts.matchers import Matcher, MatcherError, parse_all
from monitoring.alerts.reads import Kind, Wanted
from monitoring.alerts.reads_groups import GroupBy
from monitoring.alerts.tenants import Tenant

MAX_TEXT = 1000
_OPERATORS = frozenset("=~!{")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Search:
    """A text of matchers, or of plain words; `error` says why matchers could not be read."""

    text: str
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The list that an address asks for. `only` opens one group."""

    wanted: Wanted
    search: Search
    by: GroupBy
    only: str | None
    sort: str
    page: int


def read_search(text: str) -> Search:
    """`severity="critical"` are matchers, `idle gpu` are words."""
    text = text.strip()[:MAX_TEXT].replace("\x00", "")
    if not _OPERATORS & set(text):
        return Search(text, words=tuple(text.split()))
    try:
        return Search(text, matchers=parse_all(text))
    except MatcherError as error:
        return Search(text, error=str(error))


def read_list(query: Mapping[str, str]) -> Asked:
    """Everything that the list of alerts can be asked for."""
    search = read_search(query.get("q", ""))
    wanted = Wanted(
        kind=choice(query.get("state", ""), Kind.OPEN),
        severity=query.get("severity", "")[:64].replace("\x00", ""),
        team=query.get("team", "")[:64].replace("\x00", ""),
        matchers=search.matchers,
        words=search.words,
    )
    only = query.get("only")
    return Asked(
        wanted=wanted,
        search=search,
        by=choice(query.get("group", ""), GroupBy.ALERTNAME),
        only=None if only is None else only.replace("\x00", ""),
        sort=query.get("sort", "severity"),
        page=whole(query.get("page", ""), 1),
    )


def choice(text: str, default: E) -> E:
    """The member of `default`'s enumeration that `text` names, else `default`."""
    try:
        return type(default)(text)
    except ValueError:
        return default


def numbers(texts: Sequence[str], limit: int) -> tuple[int, ...]:
    """Ids of a form, at most `limit`."""
    return tuple(dict.fromkeys(found for text in texts[:limit] if (found := whole(text, 0))))


def tenant_of(known: Sequence[Tenant], slug: str) -> Tenant | None:
    """The tenant of this slug among those that the reader may see; the first where none is named."""
    if not slug:
        return known[0] if known else None
    return next((tenant for tenant in known if tenant.slug == slug), None)
