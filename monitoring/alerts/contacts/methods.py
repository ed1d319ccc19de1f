"""Adds, orders, renames and removes a person's contact methods, each with the one destination that it is told by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.contacts.entries import LABELS, MAX_NAME, Entry, entry
from monitoring.alerts.contacts.errors import ContactError, UnknownMethodError
from monitoring.alerts.errors import ConflictError
from monitoring.alerts.models import ContactMethod, Destination, PersonalRule

MOST = 20


def live(person: User) -> list[ContactMethod]:
    """In the person's order."""
    return list(ContactMethod.objects.filter(user=person, removed_at=None).order_by("position", "pk"))


def own(person: User, method_id: int) -> ContactMethod:
    """Raises UnknownMethodError, for another person's as well."""
    row = ContactMethod.objects.filter(user=person, pk=method_id, removed_at=None).select_related("user").first()
    if row is None:
        raise UnknownMethodError
    return row


@transaction.atomic
def add(person: User, kind: str, given: Mapping[str, Any], label: str = "", *, vouched_by: str = "") -> ContactMethod:
    """The last of the person's methods, not used before it is verified or vouched for. Raises ContactError."""
    return store(person, entry(kind, given), label, vouched_by=vouched_by)


@transaction.atomic
def store(person: User, made: Entry, label: str, *, vouched_by: str = "") -> ContactMethod:
    """As `add`, for an entry that was read."""
    hold(person)
    known = live(person)
    if len(known) >= MOST:
        raise ConflictError(f"A person has at most {MOST} contact methods. Remove one first.")
    now = clock.now()
    row = ContactMethod.objects.create(
        user=person,
        kind=made.kind,
        label=_free_label(label, made.kind, known),
        shown=made.shown,
        config=made.config,
        position=1 + (ContactMethod.objects.filter(user=person).aggregate(last=Max("position"))["last"] or 0),
        created_at=now,
        verified_at=now if vouched_by else None,
        vouched_by=vouched_by,
    )
    Destination.objects.create(contact=row, receiver=person.username, kind=row.kind, config=row.config)
    return row


@transaction.atomic
def rename(person: User, method_id: int, label: str) -> ContactMethod:
    hold(person)
    row = own(person, method_id)
    others = [other for other in live(person) if other.pk != row.pk]
    row.label = _free_label(label, row.kind, others)
    row.save(update_fields=["label"])
    return row


@transaction.atomic
def remove(person: User, method_id: int) -> None:
    """It is used no more from now on, not even by pages that wait: the fallback is told of those."""
    hold(person)
    row = own(person, method_id)
    now = clock.now()
    PersonalRule.objects.filter(method=row).delete()
    ContactMethod.objects.filter(pk=row.pk).update(removed_at=now)
    Destination.objects.filter(contact=row).update(removed_at=now)


@transaction.atomic
def reorder(person: User, method_ids: Sequence[int]) -> None:
    """Raises ContactError unless it is each of the person's methods once."""
    hold(person)
    known = live(person)
    if sorted(method_ids) != sorted(row.pk for row in known):
        shown = ", ".join(str(row.pk) for row in known) or "none"
        raise ContactError(f"Give each contact method once. They are: {shown}.", "order")
    place(known, method_ids)


def place(rows: Iterable[ContactMethod], method_ids: Sequence[int]) -> None:
    """Bring the rows to this order; those that it does not name keep their positions."""
    known = {row.pk: row for row in rows}
    positions = sorted(known[pk].position for pk in method_ids)
    for pk, position in zip(method_ids, positions, strict=True):
        known[pk].position = position
    ContactMethod.objects.bulk_update([known[pk] for pk in method_ids], ["position"])


def hold(person: User) -> None:
    """One change of a person's methods at a time."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _free_label(label: str, kind: str, known: Sequence[ContactMethod]) -> str:
    """What was given, else the kind's name with a number where it is taken. Raises ContactError."""
    label = " ".join(label.split())
    taken = {row.label for row in known}
    if len(label) > MAX_NAME or not label.isprintable():
        raise ContactError(f"A name is a text of at most {MAX_NAME} characters.", "label")
    if not label:
        names = (LABELS[kind] if number == 1 else f"{LABELS[kind]} {number}" for number in range(1, MOST + 2))
        return next(name for name in names if name not in taken)
    if label in taken:
        raise ContactError(f"You have a contact method called '{label}' already. Give this one another name.", "label")
    return label
