"""The last words of our own parts: written by those that do something, read by those that look at them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from monitoring.alerts import clock
from monitoring.availability.models import PartTick

TIMETABLE, WORKER = "timetable", "worker"


def note_timetable() -> str:
    """A task of the timetable ran."""
    note(TIMETABLE, [""], clock.now())
    return "Noted."


def note(part: str, names: Iterable[str], at: datetime) -> None:
    PartTick.objects.bulk_create(
        [PartTick(part=part, name=name[:200], at=at) for name in sorted(names)],
        update_conflicts=True,
        unique_fields=["part", "name"],
        update_fields=["at"],
    )


def seen(part: str) -> Mapping[str, datetime]:
    """When each of a kind left its last word."""
    return dict(PartTick.objects.filter(part=part).values_list("name", "at"))
