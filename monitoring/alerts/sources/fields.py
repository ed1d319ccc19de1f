"""The fields of posted alerts, checked one by one: each refusal says which field and what it should be."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from monitoring.alerts.errors import AlertsError
from monitoring.alerts.labels import is_name, without_empty

Clock = Callable[[], datetime]
FIRST_YEAR, LAST_YEAR = 1970, 9000  # what a database can reckon with
_UNSET_YEAR = 1  # Go's zero time, 0001-01-01T00:00:00Z
_DAY = len("2026-11-25")


class PostedError(AlertsError):
    """What was posted is no alert; the others of the same body may be."""

    http_status = 400


def document_of(body: bytes) -> Any:
    """The JSON in `body`; a character that is none becomes U+FFFD, as Go reads it. Raises PostedError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _leniently(body)


def labels_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The labels without the empty ones, of which one must be left."""
    labels = without_empty(_texts(document, "labels"))
    if not labels:
        raise PostedError("at least one label is needed, for example alertname")
    return labels


def annotations_of(document: Mapping[str, Any]) -> dict[str, str]:
    return _texts(document, "annotations")


def instant_of(document: Mapping[str, Any], key: str) -> datetime | None:
    """An instant in UTC; None where it is missing, empty or Go's zero time."""
    value = document.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise PostedError(f"{key} is a text such as 2026-11-25T10:00:00Z")
    try:
        return _instant(value)
    except (ValueError, OverflowError):
        raise PostedError(f"{key} '{value[:40]}' is no instant such as 2026-11-25T10:00:00Z") from None


def address_of(document: Mapping[str, Any], key: str = "generatorURL") -> str:
    """A link back; dropped where a browser would run it, since an alert is worth more than its link."""
    value = document.get(key) or ""
    if not isinstance(value, str):
        raise PostedError(f"{key} is a text")
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        raise PostedError(f"{key} '{value[:80]}' is no address") from None
    return _storable(value, key) if scheme in ("", "http", "https") else ""


def check_order(starts_at: datetime | None, ends_at: datetime | None) -> None:
    """An alert starts before it ends."""
    if starts_at is not None and ends_at is not None and starts_at > ends_at:
        raise PostedError("startsAt must not be after endsAt")


def _texts(document: Mapping[str, Any], what: str) -> dict[str, str]:
    value = document.get(what)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PostedError(f"{what} is an object of names and texts")
    for name, text in value.items():
        if not is_name(name):
            raise PostedError(f"{what}: '{name[:80]}' is no name; it is made of letters, digits and _")
        if not isinstance(text, str):
            raise PostedError(f"{what}: the value of '{name}' is a text")
        _storable(text, f"{what}: '{name}'")
    return value


def _storable(text: str, what: str) -> str:
    if "\x00" in text:
        raise PostedError(f"{what} has a NUL character, which cannot be stored")
    return text


def _instant(text: str) -> datetime | None:
    at = datetime.fromisoformat(text.upper())
    if at.year == _UNSET_YEAR:
        return None
    if len(text) <= _DAY or not FIRST_YEAR <= at.year < LAST_YEAR:
        raise ValueError(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _leniently(body: bytes) -> Any:
    """Slowly, for the one bad character that must not cost the other alerts of its body."""
    try:
        plain = json.dumps(json.loads(body.decode("utf-8-sig", "replace")), ensure_ascii=False)
        return orjson.loads(plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError) as error:
        raise PostedError(f"The body is no JSON: {str(error)[:200]}. Send a list of alerts.") from None
