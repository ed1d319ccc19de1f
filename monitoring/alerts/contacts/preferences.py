"""How a person wants to be paged: by which method after how long, and when only by what is critical."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import time

from django.db import transaction

from fleetledger.fleet.models import User
from monitoring.alerts.contacts import methods
from monitoring.alerts.contacts.errors import ContactError
from monitoring.alerts.models import PersonalRule, QuietHours

MOST_RULES = 50
LATEST_S = 24 * 3600
WEEK = tuple(range(7))
USUAL_FROM, USUAL_UNTIL = time(22), time(7)  # what a page offers


@dataclass(frozen=True, slots=True)
class Rule:
    """By this contact method, so long after the page began."""

    method_id: int
    after_s: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one wall time to another in the person's own zone; `days` are those on which it begins, 0 for Monday."""

    from_time: time
    until_time: time
    days: tuple[int, ...] = WEEK


@transaction.atomic
def set_rules(person: User, rules: Sequence[Rule]) -> None:
    """Exactly these; none: by each verified method in order, five minutes apart. Raises ContactError."""
    methods.hold(person)
    known = {row.pk for row in methods.live(person)}
    wanted = sorted(set(rules), key=lambda rule: (rule.after_s, rule.method_id))
    if len(wanted) > MOST_RULES:
        raise ContactError(f"At most {MOST_RULES} rules.", "rules")
    for rule in wanted:
        if rule.method_id not in known:
            raise ContactError(f"You have no contact method with the number {rule.method_id}.", "rules")
        if not 0 <= rule.after_s <= LATEST_S:
            raise ContactError("A rule pages at once or within a day, such as after 5m.", "rules")
    PersonalRule.objects.filter(user=person).delete()
    PersonalRule.objects.bulk_create(
        PersonalRule(user=person, method_id=rule.method_id, after_s=rule.after_s) for rule in wanted
    )


@transaction.atomic
def set_quiet(person: User, quiet: Quiet) -> None:
    """Raises ContactError."""
    methods.hold(person)
    if quiet.from_time == quiet.until_time:
        raise ContactError("Quiet hours end at another time than they begin.", "until")
    days = _checked_days(quiet.days)
    values = {"from_time": quiet.from_time, "until_time": quiet.until_time, "days": days}
    QuietHours.objects.update_or_create(user=person, defaults=values)


def clear_quiet(person: User) -> None:
    QuietHours.objects.filter(user=person).delete()


def _checked_days(days: Collection[int]) -> list[int]:
    found = sorted(set(days))
    if not found or not set(found) <= set(WEEK):
        raise ContactError("Quiet hours begin on at least one day of the week.", "days")
    return found
