"""Reads the instants of rows: timestamps, RFC 3339 texts, seconds or milliseconds since 1970. Without a zone: UTC."""

from datetime import UTC, datetime
from typing import Any

MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138


def instants(column: Any) -> list[datetime | None]:
    """None for what is none."""
    return [instant(value) for value in column.to_pylist()]


def instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) >= MILLISECONDS_FROM else value, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    return None
