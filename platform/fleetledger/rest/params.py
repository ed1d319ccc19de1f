"""Reads query parameters; what cannot be read is a 422 that names the parameter and what would be right."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from django.db.models import TextChoices
from rest_framework.request import Request

from fleetledger.lib.buckets import BUCKET, Month, PeriodError, Window, ceil, floor
from fleetledger.rest.problems import ProblemError

E = TypeVar("E", bound=StrEnum | TextChoices)
ALWAYS_KNOWN = frozenset({"format", "limit", "cursor"})
MAX_TEXT = 300
FIRST_YEAR, LAST_YEAR = 1970, 9998
_EPOCH = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TRUE, _FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})


def only(request: Request, *names: str) -> None:
    """Refuse parameters that the endpoint does not know: a misspelt filter would quietly give everything."""
    known = ALWAYS_KNOWN | set(names)
    for name in request.query_params:
        if name not in known:
            shown = ", ".join(sorted(known))
            raise ProblemError(f"No parameter is called '{name[:60]}'. Known: {shown}.", parameter=name[:60])


def text(request: Request, name: str, default: str = "") -> str:
    """A word or name, at most 300 characters."""
    value: str = request.query_params.get(name, default)
    if len(value) > MAX_TEXT or "\x00" in value:
        raise ProblemError(f"'{name}' is a text of at most {MAX_TEXT} characters.", parameter=name)
    return value


def choice(request: Request, name: str, choices: type[E], default: E | None = None) -> E:
    """One of an enumeration's values; without a default the parameter is needed."""
    value = request.query_params.get(name)
    if value is None and default is not None:
        return default
    try:
        return choices(value or "")
    except ValueError as error:
        known = ", ".join(str(item.value) for item in choices)
        raise ProblemError(f"'{name}' is one of {known}.", parameter=name) from error


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ProblemError(f"'{name}' is true or false.", parameter=name)


def instant(request: Request, name: str, default: datetime | None = None) -> datetime:
    """RFC 3339 with a time zone, or seconds since 1970; without a default the parameter is needed."""
    value = request.query_params.get(name)
    if value is None and default is not None:
        return default
    at = _instant(value.replace(" ", "+") if value and "T" in value.upper() else value or "")
    if at is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ProblemError(
            f"'{name}' is an instant such as 2026-11-01T00:00:00Z, or seconds since 1970.", parameter=name
        )
    return at


def window(
    request: Request, *, step: timedelta = BUCKET, longest: timedelta | None = None, default: Window | None = None
) -> Window:
    """[from, to), both aligned to `step`; raises ProblemError naming the nearest instants that are."""
    start = instant(request, "from", default.start if default else None)
    end = instant(request, "to", default.end if default else None)
    aligned(start, step, "from")
    aligned(end, step, "to")
    if end <= start:
        raise ProblemError("'to' comes after 'from'.", parameter="to")
    if longest is not None and end - start > longest:
        raise ProblemError(f"Ask for at most {longest.days} days at a time.", parameter="to")
    return Window(start, end)


def aligned(at: datetime, step: timedelta, name: str) -> datetime:
    """`at`, where it lies on a multiple of `step`."""
    if floor(at, step) == at:
        return at
    nearest = [_rfc3339(floor(at, step)), _rfc3339(ceil(at, step))]
    minutes = int(step.total_seconds() // 60)
    unit = "a full hour" if minutes == 60 else f"{minutes} minutes"  # noqa: PLR2004 minutes of an hour
    raise ProblemError(
        f"'{name}' is aligned to {unit} in UTC. Nearest: {nearest[0]} and {nearest[1]}.",
        parameter=name,
        nearest=nearest,
    )


def month(request: Request, name: str = "period", default: Month | None = None) -> Month:
    """A billing period, written YYYY-MM."""
    value = request.query_params.get(name)
    if value is None and default is not None:
        return default
    try:
        return Month.parse(value or "")
    except PeriodError as error:
        raise ProblemError(f"'{name}': {error}", parameter=name) from error


def day(request: Request, name: str) -> date | None:
    """A day written 2026-01-01, or None where none is given."""
    value = request.query_params.get(name)
    if value is None:
        return None
    try:
        if _DAY.fullmatch(value) and value.isascii():
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ProblemError(f"'{name}' is a day such as 2026-11-01.", parameter=name)


def one_of(request: Request, name: str, known: Iterable[str], default: str) -> str:
    """One of the given words."""
    value = request.query_params.get(name, default)
    words = list(known)
    if value not in words:
        raise ProblemError(f"'{name}' is one of {', '.join(words)}.", parameter=name)
    return value


def _instant(value: str) -> datetime | None:
    try:
        if value.isascii() and _EPOCH.fullmatch(value):
            seconds, _, fraction = value.partition(".")
            sign = -1 if value.startswith("-") else 1
            micros = sign * int(fraction.ljust(6, "0") or 0)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds), microseconds=micros)
        if value.isascii() and _RFC3339.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
