"""How old the last backup of our own database is; nobody knows until `fleetledger backup` has written one."""

from datetime import datetime, timedelta

from fleetledger.fleet import ports
from monitoring.alerts import clock
from monitoring.availability.own import ticks
from monitoring.availability.own.seen import PartSeen, degraded, unknown, up
from monitoring.availability.sources.answers import Fact

PART, TITLE = "backup", "Backup"
LATE_AFTER = timedelta(hours=26)
"""A day, and some hours for one that takes long or begins late."""
MEND = "Run each day: fleetledger backup FILE"


def register() -> None:
    """Called from AvailabilityConfig.ready."""
    ports.register_backed_up(note)


def note(took: timedelta) -> None:
    """A backup was written: it holds what was there when it began."""
    ticks.note(PART, [""], clock.now() - took)


def look(now: datetime) -> PartSeen:
    at = ticks.seen(PART).get("")
    if at is None:
        return unknown(PART, TITLE, f"No backup is known. {MEND}")
    age = max(now - at, timedelta())
    fact = Fact("backup_age_s", age.total_seconds(), unit="s")
    if age <= LATE_AFTER:
        return up(PART, TITLE, fact)
    hours = age // timedelta(hours=1)
    return degraded(PART, TITLE, f"The last backup is {hours} h old, of {at:%Y-%m-%d %H:%M}Z. {MEND}", fact)
