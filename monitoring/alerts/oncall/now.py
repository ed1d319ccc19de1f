"""Who is on call at an instant."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall.loading import OnCallPerson, load
from monitoring.alerts.oncall.plans import LOOK_AHEAD

__all__ = ["OnCall", "OnCallPerson", "on_call"]


@dataclass(frozen=True, slots=True)
class OnCall:
    """`source` is "override", "layer NAME" or "gap"; in a gap there are no people, and the schedule's fallback counts.

    `until_at`: when that changes; None where it does not within a year.
    """

    people: tuple[OnCallPerson, ...]
    source: str
    until_at: datetime | None


def on_call(schedule: Schedule, at: datetime) -> OnCall:
    """Who is on call at `at`: never somebody who is gone. Three statements at most, however old the rotation."""
    loaded = load([schedule], at, at + LOOK_AHEAD)
    now, following = loaded.plans[schedule.pk].now_and_next(at)
    return OnCall(loaded.persons(now.people), now.source, now.until_at if following else None)
