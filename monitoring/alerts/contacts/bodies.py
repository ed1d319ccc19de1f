"""Reads what programs and pages send about rules and quiet hours."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from fleetledger.lib.durations import DurationError, parse_duration
from monitoring.alerts.contacts.errors import ContactError
from monitoring.alerts.contacts.preferences import MOST_RULES, WEEK, Quiet, Rule
from monitoring.alerts.oncall.documents import DAYS

MOST_ID = 2**62


def rules(value: Any) -> list[Rule]:
    """A list of {method: NUMBER, after: 5m}; raises ContactError."""
    if not isinstance(value, list) or len(value) > MOST_RULES:
        raise ContactError(f"'rules' is a list of {{method: NUMBER, after: 5m}}, at most {MOST_RULES}.", "rules")
    return [_rule(item) for item in value]


def quiet(data: Mapping[str, Any], *keys: str) -> Quiet:
    """{from: "22:00", until: "07:00", days: [mon, tue]}; all days unless given. Raises ContactError.

    `keys`: what the file's `from` and `until` are called here.
    """
    begin, end = keys or ("from", "until")
    return Quiet(_clock(data, begin), _clock(data, end), days(data.get("days")))


def days(value: Any) -> tuple[int, ...]:
    if value is None:
        return WEEK
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(item in DAYS for item in value):
        raise ContactError(f"'days' is a list of {', '.join(DAYS)}.", "days")
    return tuple(sorted({DAYS.index(item) for item in value}))


def after_s(text: Any) -> int:
    """0s, 30s, 5m, 1h in seconds; raises ContactError."""
    try:
        return int(parse_duration(text if isinstance(text, str) else "", may_be_zero=True).total_seconds())
    except DurationError as error:
        raise ContactError("'after' is a duration such as 0s, 5m or 1h.", "after") from error


def clock_time(text: Any) -> time | None:
    """HH:MM, else None."""
    try:
        return time.fromisoformat(text) if isinstance(text, str) and len(text) == len("22:00") else None
    except ValueError:
        return None


def _rule(item: Any) -> Rule:
    if not isinstance(item, Mapping) or not set(item) <= {"method", "after"}:
        raise ContactError("A rule is {method: NUMBER, after: 5m}.", "rules")
    method = item.get("method")
    if not isinstance(method, int) or isinstance(method, bool) or not 0 < method < MOST_ID:
        raise ContactError("A rule's 'method' is the number of a contact method.", "rules")
    return Rule(method, after_s(item.get("after", "0s")))


def _clock(data: Mapping[str, Any], key: str) -> time:
    found = clock_time(data.get(key))
    if found is None:
        raise ContactError(f"'{key}' is a time of day such as 22:00.", key)
    return found
