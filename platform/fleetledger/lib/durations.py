"""Durations as Prometheus writes them: 30s, 5m, 1h30m, 7d."""

import re
from datetime import timedelta

PATTERN = r"^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"
_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PART = re.compile(r"(\d+)(ms|[wdhms])")
_MAX_MS = 100 * 365 * 86_400_000
_MAX_CHARACTERS = 100


class DurationError(ValueError):
    """A text that is no duration."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text[:_MAX_CHARACTERS]}' is no duration. Write it as 30s, 5m, 1h30m or 7d.")


def parse_duration(text: str, *, may_be_zero: bool = False) -> timedelta:
    """`text` as a duration above zero, or zero where that makes sense, and at most a century; raises DurationError."""
    if len(text) > _MAX_CHARACTERS or not re.fullmatch(PATTERN, text) or not text.isascii():
        raise DurationError(text)
    total = sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(text))
    if not (0 if may_be_zero else 1) <= total <= _MAX_MS:
        raise DurationError(text)
    return timedelta(milliseconds=total)


def duration_text(span: timedelta) -> str:
    """`span` as parse_duration reads it, in the largest units that fit: 1h30m; a part below a millisecond is lost."""
    left = span // timedelta(milliseconds=1)
    parts = []
    for unit, size in _UNITS_MS.items():
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
