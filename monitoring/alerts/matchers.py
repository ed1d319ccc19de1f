"""Matchers of labels in Alertmanager's syntax: equal, unequal, and anchored RE2 expressions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from monitoring.alerts.errors import AlertsError
from monitoring.alerts.labels import Labels, is_name

MAX_PATTERN = 4000
MAX_KEPT = 2048
_ONE = re.compile(
    r"\s*(?:\"(?P<quoted>[^\"\\]*)\"|(?P<name>[^\s\"=!~]*))\s*(?P<op>=~|!=|!~|=)\s*(?P<value>.*?)\s*", re.DOTALL
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 512 * 1024  # of one expression: anybody who may read can have MAX_KEPT of them kept


class MatcherError(AlertsError):
    """A text or document that is no matcher."""


class Op(StrEnum):
    """In Alertmanager's order, by which a route sorts matchers of the same name and value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"

    @property
    def is_regex(self) -> bool:
        return self in (Op.REGEX, Op.NOT_REGEX)

    @property
    def is_equal(self) -> bool:
        """Whether it asks for a match, not for its absence."""
        return self in (Op.EQUAL, Op.REGEX)


_OPS = {(op.is_regex, op.is_equal): op for op in Op}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; raises MatcherError for a bad name or expression."""

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise MatcherError(f"'{self.name[:80]}' names no label. A label's name is made of letters, digits and _.")
        if self.op.is_regex:
            _compiled(self.value)

    def __str__(self) -> str:
        return to_text(self)

    def matches(self, labels: Labels) -> bool:
        """A label that is not there counts as empty."""
        return self._matches_value(labels.get(self.name, ""))

    def matches_empty(self) -> bool:
        """Whether it matches where its label is missing."""
        return self._matches_value("")

    def _matches_value(self, value: str) -> bool:
        found = _compiled(self.value).fullmatch(value) is not None if self.op.is_regex else value == self.value
        return found == self.op.is_equal


def all_match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


def parse(text: str) -> Matcher:
    """One matcher such as `severity="critical"` or `node=~gpu-.*`; raises MatcherError."""
    found = _ONE.fullmatch(text)
    name = found and (found["name"] or found["quoted"])
    if found is None or not name:
        raise MatcherError(f'\'{text[:200]}\' is no matcher. Write it as severity="critical" or node=~"gpu-.*".')
    return Matcher(name, Op(found["op"]), _unquoted(found["value"]))


def parse_all(text: str) -> tuple[Matcher, ...]:
    """Matchers separated by commas, with braces around them or without; raises MatcherError."""
    inner = text.strip()
    if inner.startswith("{") != (inner.endswith("}") and not _is_bare_repeat(inner)):
        raise MatcherError(f"A brace is missing in '{text[:200]}'. Write it as {{severity=\"critical\"}}.")
    if inner.startswith("{"):
        inner = inner[1:-1]
    parts = list(_split(inner))
    if not parts[-1].strip():  # nothing at all, or a comma at the end
        parts.pop()
    return tuple(map(parse, parts))


def of_map(mapping: Mapping[str, str], *, regex: bool) -> tuple[Matcher, ...]:
    """The old `match` and `match_re` of a route; raises MatcherError."""
    op = Op.REGEX if regex else Op.EQUAL
    return tuple(Matcher(name, op, value) for name, value in mapping.items())


def to_text(matcher: Matcher) -> str:
    """As `parse` reads it."""
    value = matcher.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{matcher.name}{matcher.op}"{value}"'


def all_to_text(matchers: Iterable[Matcher]) -> str:
    """As `parse_all` reads them: `{a="b",c=~"d"}`."""
    return "{" + ",".join(map(to_text, matchers)) + "}"


def to_json(matcher: Matcher) -> dict[str, Any]:
    """As Alertmanager's API has it."""
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.op.is_regex,
        "isEqual": matcher.op.is_equal,
    }


def of_json(document: Any) -> Matcher:
    """A matcher of Alertmanager's API, whose `isEqual` may be missing; raises MatcherError."""
    if not isinstance(document, Mapping):
        raise MatcherError("A matcher is an object with name, value, isRegex and isEqual.")
    name, value = document.get("name"), document.get("value")
    is_regex, is_equal = document.get("isRegex"), document.get("isEqual", True)
    if not isinstance(name, str) or not isinstance(value, str):
        raise MatcherError("A matcher needs 'name' and 'value', both texts.")
    if not isinstance(is_regex, bool) or not isinstance(is_equal, bool):
        raise MatcherError(f"The matcher of '{name[:80]}' needs 'isRegex', true or false; so is 'isEqual', if given.")
    return Matcher(name, _OPS[is_regex, is_equal], value)


def in_order(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """Sorted as Alertmanager sorts them, so that the same ones read the same."""
    order = list(Op)
    return tuple(sorted(matchers, key=lambda matcher: (matcher.name, matcher.value, order.index(matcher.op))))


def _is_bare_repeat(text: str) -> bool:
    """Whether a last brace belongs to an expression without quotes, as in `a=~x{2}`."""
    return not text.startswith("{") and re.search(r"\{\d*\}$", text) is not None


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand outside of quotes; a backslash hides the quote behind it."""
    start, is_quoted, is_escaped = 0, False, False
    for at, character in enumerate(text):
        if character == "," and not is_quoted:
            yield text[start:at]
            start = at + 1
        elif character == '"' and not is_escaped:
            is_quoted = not is_quoted
        is_escaped = character == "\\" and not is_escaped
    yield text[start:]


def _unquoted(raw: str) -> str:
    """The value without its quotes and escapes; other backslashes stay, as expressions need them."""
    is_quoted = raw.startswith('"')
    body = raw[1:-1] if is_quoted else raw
    value = re.sub(r"\\([n\"\\])", lambda found: _ESCAPES[found[1]], body)
    bare = re.sub(r"\\[\"\\]", "", body)
    is_closed = not is_quoted or (len(raw) > 1 and raw.endswith('"') and not bare.endswith("\\"))
    if '"' in bare or not is_closed:
        raise MatcherError(f"A quote in {raw[:200]} is not closed, or needs a backslash before it.")
    return value


@lru_cache(maxsize=MAX_KEPT)
def _compiled(pattern: str) -> Any:
    """`pattern` for `fullmatch`: anchored at both ends, in time that grows with the text only."""
    if len(pattern) > MAX_PATTERN:
        raise MatcherError(f"A regular expression has at most {MAX_PATTERN} characters; this one has {len(pattern)}.")
    try:
        return re2.compile(pattern, _QUIET)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise MatcherError(f"'{pattern[:200]}' is no regular expression: {reason}.") from error
