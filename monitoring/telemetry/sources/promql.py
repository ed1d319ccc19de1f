"""Writes the queries: escaped matchers, groups of names, shards of UUIDs that together hold every series once."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

MAX_SERIES = 5_000
MAX_SAMPLES = 2_000_000
"""A query is cut smaller above either, so that one answer fits in memory and in the server's limits."""

_HEX = "0123456789abcdef"
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def quoted(text: str) -> str:
    """A text as a string of the query language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(text: str) -> str:
    """A regular expression that matches this text alone."""
    return _SPECIAL.sub(r"\\\1", text)


def equal(matchers: Mapping[str, str]) -> list[str]:
    """Matchers for labels that must have these values."""
    wrong = next((name for name in matchers if not _LABEL_NAME.fullmatch(name)), None)
    if wrong is not None:
        raise ValueError(f"'{wrong}' is no name of a label. Names are letters, digits and underscores.")
    return [f"{name}={quoted(value)}" for name, value in matchers.items()]


def selector(names: Sequence[str], matchers: Iterable[str]) -> str:
    """Every series with one of these names that fits."""
    if len(names) == 1:
        return f"{names[0]}{{{','.join(matchers)}}}"
    pattern = "|".join(literal(name) for name in names)
    return "{" + ",".join([f"__name__=~{quoted(pattern)}", *matchers]) + "}"


def span(width_us: int) -> str:
    """A range that also holds a sample on its own start, on servers of either reading of ranges."""
    return f"[{ceil(width_us / 1000) + 1}ms]"


def uuid_label(name: str) -> str:
    """The label that bears the UUID in series of this name."""
    return "UUID" if name.startswith("DCGM_") else "uuid"


def families(names: Iterable[str]) -> list[list[str]]:
    """The names of each exporter together: their series are cut alike, so that one name's count stands for all."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.partition("_")[0], []).append(name)
    return list(found.values())


def groups(counts: Mapping[str, int], limit: int) -> Iterator[list[str]]:
    """Names together, as long as their series stay below the limit: the small ones first, a large one alone."""
    group: list[str] = []
    size = 0
    for count, name in sorted((count, name) for name, count in counts.items()):
        if group and size + count > limit:
            yield group
            group, size = [], 0
        group.append(name)
        size += count
    if group:
        yield group


def shards(label: str, series: int, limit: int) -> list[str]:
    """Matchers that cut the UUIDs by their first digits, and one for whatever is not written so."""
    wanted = ceil(series / limit)
    if wanted <= 1:
        return [""]
    digits = 1 if wanted <= len(_HEX) else 2
    heads = [first + second for first in _HEX for second in (_HEX if digits > 1 else ("",))]
    width = max(1, len(heads) // wanted)
    cuts = [heads[at : at + width] for at in range(0, len(heads), width)]
    inside = [f'{label}=~"(GPU-)?({"|".join(cut)}).*"' for cut in cuts]
    return [*inside, f'{label}!~"(GPU-)?[0-9a-f]{{{digits}}}.*"']
