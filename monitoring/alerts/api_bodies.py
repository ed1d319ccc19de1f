"""Reads what a program sends to alerting's endpoints: each part checked, each refusal one sentence that names it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework.request import Request

from fleetledger.lib.durations import DurationError, parse_duration
from fleetledger.rest.params import FIRST_YEAR, LAST_YEAR
from fleetledger.rest.problems import ProblemError

MAX_TEXT = 4000
MAX_LABELS = 100


def document(request: Request, *known: str) -> Mapping[str, Any]:
    """The JSON object of a request, with no part that the endpoint does not know."""
    data = request.data
    if not isinstance(data, Mapping):
        raise ProblemError("Send a JSON object.")
    unknown = sorted(str(name) for name in data if name not in known)
    if unknown:
        shown = ", ".join(sorted(known)) or "none"
        raise ProblemError(f"No part is called '{unknown[0][:60]}'. Known: {shown}.", parameter=unknown[0][:60])
    return data


def text(data: Mapping[str, Any], name: str, default: str | None = None, *, most: int = MAX_TEXT) -> str:
    """A text; without a default it is needed and not empty."""
    value = data.get(name)
    if name not in data and default is not None:
        return default
    if not isinstance(value, str) or len(value) > most or not _is_plain(value) or (default is None and not value):
        raise ProblemError(f"'{name}' is a text of at most {most} characters.", parameter=name)
    return value


def flag(data: Mapping[str, Any], name: str) -> bool:
    value = data.get(name, False)
    if not isinstance(value, bool):
        raise ProblemError(f"'{name}' is true or false.", parameter=name)
    return value


def instant(data: Mapping[str, Any], name: str, default: datetime | None = None) -> datetime:
    """RFC 3339 with a time zone; without a default it is needed."""
    value = data.get(name)
    if name not in data and default is not None:
        return default
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        if at.tzinfo is not None and FIRST_YEAR <= at.year <= LAST_YEAR:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ProblemError(f"'{name}' is an instant such as 2026-11-01T00:00:00Z.", parameter=name)


def duration(data: Mapping[str, Any], name: str, default: timedelta | None = None) -> timedelta:
    """As Prometheus writes it: 30s, 5m, 1h."""
    value = data.get(name)
    if name not in data and default is not None:
        return default
    try:
        return parse_duration(value if isinstance(value, str) else "", may_be_zero=default is not None)
    except DurationError as error:
        raise ProblemError(f"'{name}' is a duration such as 30s, 5m or 1h.", parameter=name) from error


def labels(data: Mapping[str, Any], name: str, default: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names with their texts; without a default they are needed."""
    if name not in data and default is not None:
        return dict(default)
    value = data.get(name)
    if isinstance(value, Mapping) and len(value) <= MAX_LABELS:
        pairs = dict(value)
        if all(_is_text(key) and _is_text(item) for key, item in pairs.items()):
            return pairs
    raise ProblemError(f"'{name}' is an object of names with texts, at most {MAX_LABELS}.", parameter=name)


def matchers(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Matchers as Alertmanager's API has them."""
    value = data.get("matchers")
    if not isinstance(value, list) or not value or len(value) > MAX_LABELS:
        raise ProblemError(
            "'matchers' is a list of objects with name, value, isRegex and isEqual.", parameter="matchers"
        )
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and _is_plain(value)


def _is_plain(value: str) -> bool:
    """No NUL, and nothing that UTF-8 cannot hold: the database takes neither."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
