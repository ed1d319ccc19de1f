"""Writes what an escalation does into the histories of the alerts that it is about."""

from collections.abc import Iterable
from datetime import datetime

from monitoring.alerts.models import Episode, Event, EventKind


def note(episodes: Iterable[Episode], kind: EventKind, at: datetime, words: str, team_id: int | None) -> None:
    """One line in the history of each of them, all of one tenant."""
    Event.objects.bulk_create(
        Event(team_id=team_id, alert_id=episode.alert_id, episode=episode, at=at, kind=kind, note=words)
        for episode in episodes
    )


def in_a_while(seconds: float) -> str:
    """'now', 'in 5 min', 'in 20 s'."""
    if seconds < 1:
        return "now"
    return f"in {seconds / 60:g} min" if seconds >= 60 and not seconds % 60 else f"in {seconds:g} s"  # noqa: PLR2004


def listed(parts: Iterable[str]) -> str:
    """What was done, one after the other."""
    return "; ".join(part for part in parts if part)
