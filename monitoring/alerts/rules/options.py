"""Reads a fact's options from the configuration into a frozen dataclass, by the types of its fields."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_type_hints

from fleetledger.lib import money
from fleetledger.lib.durations import DurationError, parse_duration
from monitoring.alerts.rules.errors import OptionError

Options = TypeVar("Options")
NO_FACTS_OWN = frozenset({"limit", "alert"})


def read(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """`given` as a `kind`, whose fields all have defaults; raises OptionError for what does not fit."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in NO_FACTS_OWN:
            continue
        if key not in hints:
            known = ", ".join(sorted(hints)) or "none"
            raise OptionError(key, f"No option is called '{key}' here. Known: {known}.")
        try:
            values[key] = _READERS[hints[key]](value)
        except (ValueError, DurationError) as error:
            raise OptionError(key, f"'{str(value)[:80]}' does not fit. Write {error}") from error
    return kind(**values)


def defaults(kind: type[Any]) -> dict[str, Any]:
    """The options that `kind` knows, with what they are where nobody says."""
    return {item.name: None if item.default is MISSING else item.default for item in fields(kind)}


def _span(value: Any) -> timedelta:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except DurationError:
        raise ValueError("a duration such as 30m or 2h.") from None


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a share from 0 to 1, such as 0.05.")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number from 1 on.")
    return value


def _amount(value: Any) -> Decimal:
    try:
        return money.parse_exact(value if isinstance(value, str) else "")
    except money.NotANumberError:
        raise ValueError('an amount as a text, such as "100.00".') from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text.")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("a list of texts.")
    return tuple(value)


def _labels(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("names of labels with their values.")
    return dict(value)


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    timedelta: _span,
    float: _share,
    int: _whole,
    Decimal: _amount,
    str: _text,
    tuple[str, ...]: _texts,
    Mapping[str, str]: _labels,
}
