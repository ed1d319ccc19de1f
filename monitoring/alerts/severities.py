"""The order and colour of severities: nobody fixes their words, so the common ones are known, the rest come last."""

from collections.abc import Iterable

from django.db.models import Case, IntegerField, Value, When

_RANKS = {
    "critical": 0,
    "page": 0,
    "emergency": 0,
    "error": 1,
    "high": 1,
    "major": 1,
    "warning": 2,
    "warn": 2,
    "medium": 2,
    "info": 3,
    "low": 3,
    "notice": 3,
}
OTHER = 4
_TONES = ("bad", "bad", "warn", "note", "")


def tone(severity: str) -> str:
    """bad, warn, note, or nothing for a word that nobody knows."""
    return tone_of_rank(_RANKS.get(severity.lower(), OTHER))


def tone_of_rank(place: int) -> str:
    return _TONES[place]


def rank(field: str = "severity") -> Case:
    """The worst first, for the database to sort by."""
    known = [When(**{f"{field}__iexact": word}, then=Value(place)) for word, place in _RANKS.items()]
    return Case(*known, default=Value(OTHER), output_field=IntegerField())


def worst(severities: Iterable[str]) -> str:
    """The one that comes first in the order; empty where there is none."""
    return min(severities, key=lambda word: _RANKS.get(word.lower(), OTHER), default="")


def is_critical(severity: str) -> bool:
    """Whether nobody's quiet hours hold it back."""
    return _RANKS.get(severity.lower(), OTHER) == 0
