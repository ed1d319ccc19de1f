"""By which ways a person is paged: verified methods only, by the person's rules, else one every five minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from fleetledger.fleet.models import User
from monitoring.alerts import severities
from monitoring.alerts.models import Destination, PersonalRule, QuietHours
from monitoring.alerts.oncall.wall import instant, wall

BETWEEN_S = 300


@dataclass(frozen=True, slots=True)
class Way:
    """`after_s`: so long after the page began."""

    destination_id: int
    label: str
    after_s: int


@dataclass(frozen=True, slots=True)
class Ways:
    """In the order in which they are used. `quiet_until_at`: the end of quiet hours that hold this page back."""

    methods: tuple[Way, ...]
    quiet_until_at: datetime | None


def ways_to(person: User, severity: str, at: datetime) -> Ways:
    """None at all: the person cannot be told. What is critical is not held back."""
    rows = list(
        Destination.objects.filter(
            contact__user=person,
            contact__verified_at__isnull=False,
            contact__removed_at=None,
            removed_at=None,
        )
        .annotate(label=F("contact__label"))
        .order_by("contact__position", "contact_id")
    )
    of_method = {row.contact_id: row for row in rows}
    rules = PersonalRule.objects.filter(user=person, method__in=of_method).order_by("after_s", "pk")
    chosen = [(of_method[rule.method_id], rule.after_s) for rule in rules]
    chosen = chosen or [(row, place * BETWEEN_S) for place, row in enumerate(rows)]
    methods = tuple(Way(row.pk, row.label, after_s) for row, after_s in chosen)
    return Ways(methods, None if severities.is_critical(severity) else _quiet_until(person, at))


def _quiet_until(person: User, at: datetime) -> datetime | None:
    hours = QuietHours.objects.filter(user=person).first()
    if hours is None:
        return None
    zone = ZoneInfo(person.time_zone)
    for days_back in (0, 1):
        day = wall(at, zone).date() - timedelta(days=days_back)
        begin = datetime.combine(day, hours.from_time)
        over_midnight = hours.until_time <= hours.from_time
        end = datetime.combine(day + timedelta(days=over_midnight), hours.until_time)
        if day.weekday() in hours.days and instant(begin, zone) <= at < instant(end, zone):
            return instant(end, zone)
    return None
