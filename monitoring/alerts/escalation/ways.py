"""By which ways a person is paged: verified methods only, by the person's rules, else one every five minutes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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


@dataclass(frozen=True, slots=True)
class _Place:
    destination_id: int
    method_id: int
    label: str


def ways_to(person: User, severity: str, at: datetime) -> Ways:
    """None at all: the person cannot be told. What is critical is not held back."""
    return ways_to_all([person], severity, at)[person.pk]


def ways_to_all(people: Collection[User], severity: str, at: datetime) -> dict[int, Ways]:
    """The same for many, by their ids; three statements however many they are."""
    places, rules = _places(people), _rules(people)
    quiet = {} if severities.is_critical(severity) else _quiet_hours(people)
    return {
        person.pk: Ways(
            _chosen(places[person.pk], rules[person.pk]),
            _quiet_until(quiet[person.pk], person, at) if person.pk in quiet else None,
        )
        for person in people
    }


def is_reachable(person: User) -> bool:
    """Whether there is a verified way to them."""
    return person.is_active and bool(_places([person])[person.pk])


def _places(people: Collection[User]) -> Mapping[int, list[_Place]]:
    """Where each can be told, in their own order."""
    rows = Destination.objects.filter(
        contact__user__in=people, contact__verified_at__isnull=False, contact__removed_at=None, removed_at=None
    ).order_by("contact__position", "contact_id")
    found: dict[int, list[_Place]] = defaultdict(list)
    for user_id, pk, method_id, label in rows.values_list("contact__user", "pk", "contact_id", "contact__label"):
        found[user_id].append(_Place(pk, method_id, label))
    return found


def _rules(people: Collection[User]) -> Mapping[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = PersonalRule.objects.filter(user__in=people).order_by("after_s", "pk")
    for user_id, method_id, after_s in rows.values_list("user", "method", "after_s"):
        found[user_id].append((method_id, after_s))
    return found


def _quiet_hours(people: Collection[User]) -> dict[int, QuietHours]:
    return {row.user_id: row for row in QuietHours.objects.filter(user__in=people)}


def _chosen(places: Sequence[_Place], rules: Iterable[tuple[int, int]]) -> tuple[Way, ...]:
    """By the rules about methods that can be used; by all of them in order where there are none."""
    of_method = {place.method_id: place for place in places}
    chosen = [(of_method[method_id], after_s) for method_id, after_s in rules if method_id in of_method]
    chosen = chosen or [(place, number * BETWEEN_S) for number, place in enumerate(places)]
    return tuple(Way(place.destination_id, place.label, after_s) for place, after_s in chosen)


def _quiet_until(hours: QuietHours, person: User, at: datetime) -> datetime | None:
    zone = ZoneInfo(person.time_zone)
    for days_back in (0, 1):
        day = wall(at, zone).date() - timedelta(days=days_back)
        begin = datetime.combine(day, hours.from_time)
        over_midnight = hours.until_time <= hours.from_time
        end = datetime.combine(day + timedelta(days=over_midnight), hours.until_time)
        if day.weekday() in hours.days and instant(begin, zone) <= at < instant(end, zone):
            return instant(end, zone)
    return None
