"""Matches names by anchored regular expressions, and refuses those that could run for ever."""

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

from fleetledger.fleet.errors import FleetError

codes: Any = import_module("re._constants")  # Python's own parser of expressions: private, and without types
parser: Any = import_module("re._parser")
MAX_LENGTH = 300
_UNBOUNDED = 100


class PatternError(FleetError):
    """A regular expression that cannot be used."""


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """`pattern` ready for fullmatch: Prometheus' anchored matching; raises PatternError."""
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"A regular expression has at most {MAX_LENGTH} characters; this one has {len(pattern)}.")
    try:
        tree = parser.parse(pattern)
        if _nests_repeats(tree, inside=False):
            raise PatternError(f"'{pattern}' repeats what repeats, which can run for ever. Write it without (…+)+.")
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"'{pattern}' is no regular expression: {error}.") from error


def _nests_repeats(items: Iterable[Any], *, inside: bool) -> bool:
    """Whether a repeat without a small bound stands inside another one."""
    for code, argument in items:
        is_repeat = code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and argument[1] > _UNBOUNDED
        if is_repeat and inside:
            return True
        if any(_nests_repeats(part, inside=inside or is_repeat) for part in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> list[Any]:
    """The sub-patterns inside one element of a parsed expression."""
    if isinstance(argument, parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [part for item in argument for part in _parts(item)]
    return []
