"""Reads the text that exporters write: one malformed line is counted and left out, never the whole scrape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitoring.telemetry.sources.fields import BY_NAME, INFO_NAMES

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_ESCAPE = re.compile(r'\\[n"\\]')
_CACHE_LIMIT = 200_000
OPENMETRICS_END = "# EOF"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a measure we store; `at_us` is None where the line bears no time."""

    name: str
    labels: Labels
    value: float
    at_us: int | None


@dataclass(slots=True)
class Scrape:
    """What one text held."""

    samples: list[Sample] = field(default_factory=list)
    malformed: int = 0


class MalformedError(Exception):
    """A line that is no sample."""


@dataclass(slots=True)
class Parser:
    """Parses texts one after the other and remembers each series' labels, which hardly ever change."""

    _series: dict[str, tuple[str, Labels]] = field(default_factory=dict)

    def parse(self, text: str) -> Scrape:
        """The samples we store, and how many lines of any kind were malformed."""
        scrape = Scrape()
        us_per_tick = 1_000_000 if text.rstrip().endswith(OPENMETRICS_END) else 1_000
        for line in text.split("\n"):
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            try:
                sample = self._sample(stripped, us_per_tick)
            except MalformedError:
                scrape.malformed += 1
                continue
            if sample.name in BY_NAME or sample.name in INFO_NAMES:
                scrape.samples.append(sample)
        return scrape

    def _sample(self, line: str, us_per_tick: int) -> Sample:
        text, rest = _cut(line)
        if text not in self._series:
            if len(self._series) >= _CACHE_LIMIT:
                self._series.clear()
            self._series[text] = _series(text)
        name, labels = self._series[text]
        words = rest.split()
        if not 1 <= len(words) <= 2:  # noqa: PLR2004 a value, and perhaps a time
            raise MalformedError
        at_us = round(_number(words[1]) * us_per_tick) if len(words) > 1 else None
        return Sample(name, labels, _number(words[0]), at_us)


def _cut(line: str) -> tuple[str, str]:
    """The series' own text and what follows it; an exemplar is cut off."""
    head = line.partition(" # ")[0] if " # {" in line else line
    end = head.rfind("}") + 1
    if end:
        return head[:end], head[end:]
    name, _, rest = head.partition(" ")
    return name, rest


def _series(text: str) -> tuple[str, Labels]:
    name, brace, inner = text.partition("{")
    name = name.strip()
    if not _NAME.fullmatch(name) or (brace and not inner.endswith("}")):
        raise MalformedError
    return name, dict(_pairs(inner[:-1])) if brace else {}


def _pairs(inner: str) -> Iterator[tuple[str, str]]:
    at = 0
    while inner[at:].strip():
        match = _LABEL.match(inner, at)
        if match is None:
            raise MalformedError
        yield match[1], _ESCAPE.sub(lambda found: _ESCAPES[found[0]], match[2])
        at = match.end()


def _number(word: str) -> float:
    """A number as exporters write it: no underscores, which Python would read."""
    try:
        if "_" in word:
            raise MalformedError
        return float(word)
    except ValueError as error:
        raise MalformedError from error
