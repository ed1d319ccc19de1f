"""Puts one person on call instead of whoever the layers have, from one instant to another, and takes that back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from fleetledger.fleet.access import Principal
from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError
from monitoring.alerts.models import Override, Schedule, Swap
from monitoring.alerts.oncall.found import person_on_call
from monitoring.alerts.oncall.loading import load
from monitoring.alerts.oncall.reads import OverrideRow
from monitoring.alerts.oncall.stretches import Stretch
from monitoring.alerts.tenants import may_act, of_team

LONGEST = timedelta(days=366)
FARTHEST = timedelta(days=5 * 365)
MAX_REASON = 300
REFUSAL = "You may hand over your own shifts, and no others. Ask a lead of the team, or an SRE."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be on call from when until when. What begins in the past begins now: it was as it was."""

    person: str
    from_at: datetime
    until_at: datetime
    reason: str = ""


@transaction.atomic
def make(schedule: Schedule, wanted: Wanted, by: Principal) -> Override:
    """Raises AlertsError for times or people that cannot be, PermissionDenied where `by` may not."""
    now = clock.now()
    begin, end = checked_times(wanted.from_at, wanted.until_at, now)
    locked(schedule)
    check_may_change(schedule, begin, end, by)
    person = checked_person(schedule, wanted.person)
    return store(schedule, person, (begin, end), by, reason=wanted.reason)


def store(
    schedule: Schedule,
    person: User,
    times: tuple[datetime, datetime],
    by: Principal,
    *,
    reason: str,
    swap: Swap | None = None,
) -> Override:
    """The override itself; whether it may be was looked at before."""
    return Override.objects.create(
        schedule=schedule,
        person=person,
        from_at=times[0],
        until_at=times[1],
        reason=plain(reason),
        created_by=by.username,
        created_at=clock.now(),
        swap=swap,
    )


@transaction.atomic
def cancel(schedule: Schedule, override_id: int, by: Principal) -> Override:
    """What has not begun never was; what has begun ends now. Raises NotFoundError, ConflictError, PermissionDenied."""
    locked(schedule)
    row = Override.objects.select_related("person").filter(schedule=schedule, pk=override_id).first()
    if row is None:
        raise NotFoundError(f"The schedule has no override with the number {override_id}.")
    if not may_cancel(schedule, row, by):
        raise PermissionDenied("You may take back overrides that you made. Ask a lead of the team, or an SRE.")
    now = clock.now()
    if row.cancelled_at is not None or row.until_at <= now:
        raise ConflictError("This override has ended already.")
    if row.from_at < now:
        row.until_at = now
    else:
        row.cancelled_at = now
    row.save(update_fields=["until_at", "cancelled_at"])
    return row


def may_cancel(schedule: Schedule, row: OverrideRow | Override, by: Principal, *, acts: bool | None = None) -> bool:
    """Who may act for the schedule's team (`acts`, where that is known); and who made it, but for a swap of two."""
    is_by_swap = row.swap_id is not None if isinstance(row, Override) else row.is_by_swap
    is_mine = isinstance(by, User) and row.created_by == by.username and not is_by_swap
    return is_mine or (may_act(by, of_team(schedule.team)) if acts is None else acts)


def check_may_change(schedule: Schedule, from_at: datetime, until_at: datetime, by: Principal) -> None:
    """Who may act for the schedule's team; else a person for what is their own shift throughout."""
    if may_act(by, of_team(schedule.team)):
        return
    if not isinstance(by, User):
        raise PermissionDenied(REFUSAL)
    if not is_whole_shift_of(by, stretches(schedule, from_at, until_at)):
        raise PermissionDenied(REFUSAL)


def is_whole_shift_of(person: User, found: tuple[Stretch, ...]) -> bool:
    """Whether nobody else is on call in these stretches; who shares a shift cannot give it away for both."""
    return all(stretch.people == (person.username,) for stretch in found)


def stretches(schedule: Schedule, from_at: datetime, until_at: datetime) -> tuple[Stretch, ...]:
    return load([schedule], from_at, until_at).plans[schedule.pk].shifts(from_at, until_at)


def checked_times(from_at: datetime, until_at: datetime, now: datetime) -> tuple[datetime, datetime]:
    if until_at <= from_at:
        raise AlertsError("It ends before it starts. Give a later end.")
    if until_at <= now:
        raise AlertsError("It has ended already. Give a later end.")
    if until_at - from_at > LONGEST:
        raise AlertsError(f"It lasts {LONGEST.days} days at most. Change the schedule's layers for longer.")
    if from_at > now + FARTHEST:
        raise AlertsError("It begins more than five years ahead. Give an earlier day.")
    return max(from_at, now), until_at


def checked_person(schedule: Schedule, username: str) -> User:
    person = person_on_call(schedule, username)
    if person is None:
        raise AlertsError(
            f"'{username[:64]}' cannot be on call here. Name somebody of its layers, of its team, or an SRE."
        )
    return person


def locked(schedule: Schedule) -> None:
    """Changes of one schedule come one after the other."""
    Schedule.objects.select_for_update().get(pk=schedule.pk)


def plain(text: str) -> str:
    """As the database takes it."""
    return " ".join(text.replace("\x00", "").split())[:MAX_REASON]
