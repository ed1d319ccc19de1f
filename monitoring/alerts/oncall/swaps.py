"""Asks others to take a shift, and hands it over when somebody does.

1. A person asks somebody, or anybody, to take a shift that is theirs; maybe for another shift in return: open.
2. Who was asked takes it, declines it, or the asker takes it back: each once, whoever comes first.
3. Taking looks again at whose shifts these are, and makes the overrides in the same transaction.
4. The one who is asked is told, and the asker what became of it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from fleetledger.fleet.access import Principal
from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError
from monitoring.alerts.models import Schedule, Swap, SwapState
from monitoring.alerts.oncall import notices, overrides
from monitoring.alerts.oncall.found import person_on_call
from monitoring.alerts.tenants import may_act, of_team

Times = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The shift to be taken; `asked_of`: a user name, empty for anybody; `back`: the shift that is taken in return."""

    from_at: datetime
    until_at: datetime
    asked_of: str = ""
    back: Times | None = None
    reason: str = ""


@transaction.atomic
def ask(schedule: Schedule, wanted: Wanted, by: Principal) -> Swap:
    """Raises AlertsError for what cannot be swapped, PermissionDenied for a program."""
    asker, now = _person(by), clock.now()
    times = overrides.checked_times(wanted.from_at, wanted.until_at, now)
    back = overrides.checked_times(*wanted.back, now) if wanted.back else None
    overrides.locked(schedule)
    if not _is_of(asker, schedule, times):
        raise AlertsError("That is not your shift alone, from beginning to end. Ask for one of your own.")
    other = overrides.checked_person(schedule, wanted.asked_of) if wanted.asked_of else None
    if other == asker:
        raise AlertsError("You are asking yourself. Name somebody else, or nobody for anybody.")
    _check_back(schedule, times, back, other)
    made = Swap.objects.create(
        schedule=schedule,
        asked_by=asker,
        asked_of=other,
        from_at=times[0],
        until_at=times[1],
        back_from_at=back[0] if back else None,
        back_until_at=back[1] if back else None,
        reason=overrides.plain(wanted.reason),
        created_at=now,
    )
    notices.asked(made, now)
    return made


@transaction.atomic
def take(schedule: Schedule, swap_id: int, by: Principal) -> Swap:
    """The shift is the taker's now. Raises ConflictError where somebody was first, or the shift changed hands."""
    taker, now = _person(by), clock.now()
    overrides.locked(schedule)
    swap = _open(schedule, swap_id)
    _check_asked(schedule, swap, taker)
    if swap.until_at <= now:
        raise ConflictError("That shift is over.")
    times = (max(swap.from_at, now), swap.until_at)
    if not _is_of(swap.asked_by, schedule, times):
        raise ConflictError(f"That is {_name(swap.asked_by)}'s shift no more: the schedule has changed.")
    back = _back(swap, now)
    if back is not None and not _is_of(taker, schedule, back):
        raise ConflictError("The shift in return is not yours alone. Ask for another swap.")
    _decide(swap, SwapState.TAKEN, now, taker, taker=taker)
    overrides.store(schedule, taker, times, taker, reason=swap.reason, swap=swap)
    if back is not None:
        overrides.store(schedule, swap.asked_by, back, taker, reason=swap.reason, swap=swap)
    return swap


@transaction.atomic
def decline(schedule: Schedule, swap_id: int, by: Principal) -> Swap:
    """Who was asked says no; where anybody was asked, nobody can."""
    person = _person(by)
    swap = _open(schedule, swap_id)
    if swap.asked_of_id != person.pk:
        raise PermissionDenied("Only the person who was asked can decline.")
    _decide(swap, SwapState.DECLINED, clock.now(), person)
    return swap


@transaction.atomic
def take_back(schedule: Schedule, swap_id: int, by: Principal) -> Swap:
    """The asker, or who may act for the schedule's team, ends the question."""
    swap = _open(schedule, swap_id)
    is_mine = isinstance(by, User) and swap.asked_by_id == by.pk
    if not is_mine and not may_act(by, of_team(schedule.team)):
        raise PermissionDenied("Only the person who asked can take it back. Ask a lead of the team, or an SRE.")
    _decide(swap, SwapState.CANCELLED, clock.now(), by)
    return swap


def _person(by: Principal) -> User:
    if not isinstance(by, User):
        raise PermissionDenied("A swap is between people: sign in as one.")
    return by


def _open(schedule: Schedule, swap_id: int) -> Swap:
    known = Swap.objects.select_related("schedule", "asked_by", "asked_of", "taken_by")
    row = known.filter(schedule=schedule, pk=swap_id).first()
    if row is None:
        raise NotFoundError(f"The schedule has no swap with the number {swap_id}.")
    if row.state != SwapState.OPEN:
        raise _decided(row)
    return row


def _decide(swap: Swap, state: SwapState, now: datetime, by: Principal, *, taker: User | None = None) -> None:
    """Once, whoever comes first; the others are told."""
    mine = Swap.objects.filter(pk=swap.pk, state=SwapState.OPEN)
    if not mine.update(state=state, decided_at=now, taken_by=taker):
        raise _decided(Swap.objects.select_related("taken_by").get(pk=swap.pk))
    swap.state, swap.decided_at, swap.taken_by = state, now, taker
    notices.decided(swap, by, now)


def _decided(swap: Swap) -> ConflictError:
    said = {
        SwapState.TAKEN: f"{_name(swap.taken_by)} has taken that shift already.",
        SwapState.DECLINED: "That was declined already.",
        SwapState.CANCELLED: "That was taken back.",
    }
    return ConflictError(said[SwapState(swap.state)])


def _check_asked(schedule: Schedule, swap: Swap, taker: User) -> None:
    if taker.pk == swap.asked_by_id:
        raise ConflictError("You asked for this swap yourself. Take it back instead.")
    if swap.asked_of_id not in (None, taker.pk):
        raise PermissionDenied("Somebody else was asked to take this shift.")
    if swap.asked_of_id is None and person_on_call(schedule, taker.username) is None:
        raise PermissionDenied("You cannot be on call here: you are not of its layers, nor of its team, nor an SRE.")


def _check_back(schedule: Schedule, times: Times, back: Times | None, other: User | None) -> None:
    if back is None:
        return
    if back[0] < times[1] and times[0] < back[1]:
        raise AlertsError("The shift in return overlaps the one that you give. Name another one.")
    if other is not None and not _is_of(other, schedule, back):
        raise AlertsError(f"The shift in return is not {_name(other)}'s alone, from beginning to end.")


def _back(swap: Swap, now: datetime) -> Times | None:
    """What of the shift in return is left."""
    if swap.back_from_at is None or swap.back_until_at is None:
        return None
    if swap.back_until_at <= now:
        raise ConflictError("The shift in return is over. Ask for another swap.")
    return max(swap.back_from_at, now), swap.back_until_at


def _is_of(person: User, schedule: Schedule, times: Times) -> bool:
    return overrides.is_whole_shift_of(person, overrides.stretches(schedule, *times))


def _name(person: User | None) -> str:
    return (person.get_full_name() or person.username) if person else "Somebody"
