"""Events as programs send them: checked strictly, and packed until they are counted."""

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import Any

from drift.errors import EventsError
from drift.measures.columns import Level, level_name

MOST_EVENTS = 10_000
MAX_ID, MAX_COLUMN, MAX_VALUE = 200, 500, 500
KNOWN = ("at", "id", "features", "prediction", "score", "label")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_OURS = re.compile(r"batch:\d+#\d+")  # what `counting` names events without an id
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_FITS = 2**63
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A prediction with what went in, or a label alone: then there are no features, and `at` is when it was known."""

    at: datetime | None = None
    id: str = ""
    features: Mapping[str, Any] | None = None
    prediction: Level | None = None
    score: float | None = None
    label: Level | None = None


def checked(events: Any) -> list[Plain]:
    """The events as they are stored: instants in UTC, NaN as null, nothing that is null. Raises EventsError."""
    if not isinstance(events, Sequence) or isinstance(events, str | bytes):
        raise EventsError("events", "it is no list. Send a list of events.")
    if not events:
        raise EventsError("events", "the list is empty. Send at least one event.")
    if len(events) > MOST_EVENTS:
        raise EventsError("events", f"{len(events)} are too many. Send at most {MOST_EVENTS} in one batch.")
    return [_event(f"events[{place}]", event) for place, event in enumerate(events)]


def packed(events: Sequence[Plain], *, limit_bytes: int) -> bytes:
    """The same bytes for the same events. Raises EventsError where they are too many for one batch."""
    content = json.dumps(events, sort_keys=True, separators=(",", ":")).encode()
    if len(content) > limit_bytes:
        why = f"the batch has {len(content)} bytes, {limit_bytes} are allowed. Send it in smaller batches."
        raise EventsError("events", why)
    return content


def unpacked(content: bytes) -> tuple[Event, ...]:
    """Of a batch as it is stored."""
    found = json.loads(gzip.decompress(content))
    return tuple(Event(**{**one, "at": datetime.fromisoformat(one["at"]) if "at" in one else None}) for one in found)


def check_text(path: str, value: Any, longest: int | None = None) -> str:
    """Text that the database takes. Raises EventsError."""
    if not isinstance(value, str):
        raise EventsError(path, "it is no text. Put it in quotation marks.")
    if "\x00" in value or not _is_unicode(value):
        raise EventsError(path, "it holds characters that are no text. Leave them out.")
    if longest is not None and len(value) > longest:
        raise EventsError(path, f"it is longer than {longest} characters. Shorten it.")
    return value


def _event(path: str, event: Any) -> Plain:
    if not isinstance(event, Mapping):
        raise EventsError(path, 'it is no event. Write one as {"at": ..., "features": {...}}.')
    for name in event:
        if name not in KNOWN:
            raise EventsError(f"{path}.{name}", f"nothing is known by this name. Known: {', '.join(KNOWN)}.")
    given = {name: value for name, value in event.items() if value is not None}
    found = {name: _READ[name](f"{path}.{name}", value) for name, value in given.items()}
    _check_whole(path, found)
    return found


def _check_whole(path: str, found: Plain) -> None:
    if "label" in found and not found.keys() & {"features", "prediction", "score"}:
        if "id" not in found:
            raise EventsError(f"{path}.id", "it is missing. A label that comes alone names its prediction.")
        return
    if "at" not in found:
        raise EventsError(f"{path}.at", "it is missing. Say when, such as 2026-11-01T12:00:00Z.")
    if "features" not in found:
        why = "they are missing. Send the values that went in by column, or a label with an id alone."
        raise EventsError(f"{path}.features", why)


def _at(path: str, value: Any) -> str:
    text = value.upper() if isinstance(value, str) else ""
    try:
        at = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
    except ValueError:
        at = None
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise EventsError(path, f"'{str(value)[:50]}' is no instant. Write RFC 3339, such as 2026-11-01T12:00:00Z.")
    return at.astimezone(UTC).isoformat()


def _id(path: str, value: Any) -> str:
    found = check_text(path, value, MAX_ID)
    if not found:
        raise EventsError(path, "it is empty. Leave it out where there is none.")
    if _OURS.fullmatch(found):
        raise EventsError(path, "ids such as batch:1#2 are given here to events without one. Choose others.")
    return found


def _features(path: str, value: Any) -> Plain:
    if not isinstance(value, Mapping):
        raise EventsError(path, "they are no object. Write values by column.")
    for name in value:
        check_text(path, name, MAX_COLUMN)
    return {name: one if _is_plain(one) else _feature(f"{path}.{name}", one) for name, one in value.items()}


def _is_plain(value: Any) -> bool:
    """Most values are finite numbers: told at once, as a batch has many."""
    return isfinite(value) if isinstance(value, float) else isinstance(value, int) and abs(value) < _FITS


def _feature(path: str, value: Any) -> Any:
    if isinstance(value, str):
        return check_text(path, value)
    if value is None or isinstance(value, bool) or _is_number(value):
        return None if isinstance(value, float) and isnan(value) else value
    if isinstance(value, list) and all(_is_number(part) for part in value):
        return [None if isnan(part) else part for part in value]
    raise EventsError(path, "it is no text, number, true, false or list of numbers. Flatten it into columns.")


def _scalar(path: str, value: Any) -> Level:
    is_one = isinstance(value, bool | str) or (_is_number(value) and isfinite(value))
    if not is_one:
        raise EventsError(path, "it is no text, number, true or false.")
    check_text(path, level_name(value), MAX_VALUE)
    found: Level = value
    return found


def _score(path: str, value: Any) -> float:
    if not _is_number(value) or not isfinite(value):
        raise EventsError(path, "it is no finite number.")
    return float(value)


def _is_number(value: Any) -> bool:
    """Integers that no float holds are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_READ = {"at": _at, "id": _id, "features": _features, "prediction": _scalar, "score": _score, "label": _scalar}
