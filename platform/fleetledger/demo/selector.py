"""Reads PromQL's plain selectors; every other expression is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`([^`]*)`')
_RANGE = re.compile(r"\s*\[\s*([0-9a-z]+)\s*\]\s*")
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_UNITS_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class UnsupportedQueryError(ValueError):
    """An expression that is more than a plain selector, or no PromQL at all."""

    def __init__(self, query: str, reason: str) -> None:
        super().__init__(
            f"{reason} in '{query[:200]}': the simulated Prometheus answers plain selectors, "
            'such as DCGM_FI_DEV_POWER_USAGE{gpu="0"}[5m].'
        )


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    operator: str
    value: str

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """An absent label matches as if it were empty; regular expressions are anchored at both ends."""
        given = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (given == self.value) == (self.operator == "=")
        return (_compiled(self.value).fullmatch(given) is not None) == (self.operator == "=~")


@dataclass(frozen=True, slots=True)
class Selector:
    matchers: tuple[Matcher, ...]
    range_ms: int | None = None

    def accepts(self, labels: Mapping[str, str]) -> bool:
        return all(matcher.accepts(labels) for matcher in self.matchers)


def parse(query: str) -> Selector:
    """Raises UnsupportedQueryError."""
    text = query.strip()
    matchers: list[Matcher] = []
    at = 0
    if name := _NAME.match(text):
        matchers.append(Matcher("__name__", "=", name[0]))
        at = name.end()
    at += len(text[at:]) - len(text[at:].lstrip())
    if text[at : at + 1] == "{":
        found, at = _matchers(query, text, at + 1)
        matchers += found
    range_ms = None
    if window := _RANGE.match(text, at):
        range_ms, at = _duration(query, window[1]), window.end()
    if at != len(text) or not matchers:
        raise UnsupportedQueryError(query, "No selector" if not matchers else f"Unexpected '{text[at : at + 20]}'")
    if all(matcher.accepts({}) for matcher in matchers):
        raise UnsupportedQueryError(query, "No matcher that an empty label fails")
    return Selector(tuple(matchers), range_ms)


def _matchers(query: str, text: str, at: int) -> tuple[list[Matcher], int]:
    """What stands between the braces, with the position behind them."""
    found: list[Matcher] = []
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] == "}":
            return found, at + 1
        label = _LABEL.match(text, at)
        value = _STRING.match(text, label.end()) if label else None
        if label is None or value is None:
            raise UnsupportedQueryError(query, f"No label matcher at '{text[at : at + 20]}'")
        matcher = Matcher(label[1], label[2], _unquoted(value))
        if "~" in matcher.operator:
            _check(query, matcher.value)
        found.append(matcher)
        at = value.end()
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "}":
            raise UnsupportedQueryError(query, "No comma or closing brace after a matcher")


def _unquoted(found: re.Match[str]) -> str:
    if found[3] is not None:
        return found[3]
    inner = found[1] if found[1] is not None else found[2]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), inner)


def _duration(query: str, text: str) -> int:
    found = _DURATION.fullmatch(text)
    parts = found.groups() if found else ()
    total = sum(int(part) * unit for part, unit in zip(parts, _UNITS_MS, strict=False) if part)
    if not total:
        raise UnsupportedQueryError(query, f"No duration in '[{text}]'")
    return total


def _check(query: str, pattern: str) -> None:
    try:
        _compiled(pattern)
    except re.error as error:
        raise UnsupportedQueryError(query, f"A wrong regular expression '{pattern[:80]}' ({error})") from error


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
