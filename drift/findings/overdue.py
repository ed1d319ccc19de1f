"""When a report is missing: silence is an alert of its own, never green."""

from dataclasses import dataclass
from datetime import datetime, timedelta

GRACE_SHARE = 0.25  # of the rhythm: reports are rarely punctual to the second


@dataclass(frozen=True, slots=True)
class Overdue:
    """Since when a report is missing, and how many would have come by now."""

    since: datetime
    missed: int


def overdue(last: datetime, every: timedelta, now: datetime) -> Overdue | None:
    """None while the next report may still come: up to a quarter of its rhythm late."""
    due = last + every
    if now <= due + every * GRACE_SHARE:
        return None
    return Overdue(due, missed=(now - due) // every + 1)
