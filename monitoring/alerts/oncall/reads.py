"""What people ask of schedules: who is on call now and next, shifts, gaps, overrides and swaps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import User
from fleetledger.lib.keyset import Cut
from monitoring.alerts.models import Override, Schedule, Swap, SwapState
from monitoring.alerts.oncall import found
from monitoring.alerts.oncall.loading import Loaded, OnCallPerson, load
from monitoring.alerts.oncall.plans import LOOK_AHEAD, Plan
from monitoring.alerts.oncall.stretches import GAP, Stretch
from monitoring.alerts.reads import newest_first

GAPS_AHEAD = timedelta(weeks=4)
MINE_AHEAD = (timedelta(weeks=2), timedelta(weeks=8), timedelta(weeks=26))  # no farther than ten shifts need
MOST_MINE = 10
MOST_OPEN = 200


@dataclass(frozen=True, slots=True)
class Shift:
    """[from_at, until_at); `until_at` None: it has no end within a year. Without people it is a gap."""

    from_at: datetime
    until_at: datetime | None
    people: tuple[OnCallPerson, ...]
    source: str

    @property
    def is_gap(self) -> bool:
        return not self.people


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule with who is on call now and next. `team` None is the platform's own; `next_gap` within four weeks."""

    id: int
    name: str
    team_id: int | None
    team: str | None
    team_name: str
    description: str
    time_zone: str
    fallback: dict[str, Any]
    layers: tuple[str, ...]
    now: Shift
    next: Shift | None
    next_gap: Shift | None


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """`cancelled_at`: it never counted. `is_by_swap`: two people agreed to it."""

    id: int
    person: OnCallPerson
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    cancelled_at: datetime | None
    is_by_swap: bool


@dataclass(frozen=True, slots=True)
class SwapRow:
    """`asked_of` None: anybody. `state`: open, taken, declined, cancelled."""

    id: int
    schedule_id: int
    schedule: str
    asked_by: OnCallPerson
    asked_of: OnCallPerson | None
    from_at: datetime
    until_at: datetime
    back_from_at: datetime | None
    back_until_at: datetime | None
    reason: str
    state: str
    created_at: datetime
    decided_at: datetime | None
    taken_by: OnCallPerson | None


@dataclass(frozen=True, slots=True)
class OwnShift:
    schedule: str
    time_zone: str
    shift: Shift


def schedules(*, teams: TeamScope, at: datetime) -> tuple[ScheduleRow, ...]:
    """All that may be seen, by name; as many statements for many as for one."""
    rows = found.schedules(teams=teams)
    loaded = load(rows, at, at + LOOK_AHEAD)
    return tuple(_row(row, loaded, at) for row in rows)


def schedule(name: str, *, teams: TeamScope, at: datetime) -> ScheduleRow:
    """Raises NotFoundError."""
    row = found.schedule(name, teams=teams)
    return _row(row, load([row], at, at + LOOK_AHEAD), at)


def shifts(schedule: Schedule, from_at: datetime, until_at: datetime) -> tuple[Shift, ...]:
    """Who is on call throughout, gaps included."""
    loaded = load([schedule], from_at, until_at)
    return tuple(_shift(one, loaded) for one in loaded.plans[schedule.pk].shifts(from_at, until_at))


def gaps(schedule: Schedule, from_at: datetime, until_at: datetime) -> tuple[Shift, ...]:
    return tuple(one for one in shifts(schedule, from_at, until_at) if one.is_gap)


def gaps_ahead(schedule: Schedule, at: datetime) -> tuple[Shift, ...]:
    """Those that begin within the next weeks, each to its own end."""
    loaded = load([schedule], at, at + LOOK_AHEAD)
    plan = loaded.plans[schedule.pk]
    until = at + GAPS_AHEAD
    found_gaps = [one for one in plan.shifts(at, until) if one.source == GAP]
    shown = [_shift(one, loaded) for one in found_gaps]
    if found_gaps and found_gaps[-1].until_at == until:
        whole, following = plan.now_and_next(found_gaps[-1].from_at)
        shown[-1] = _shift(whole, loaded, has_end=following is not None)
    return tuple(shown)


def own_shifts(person: User, *, teams: TeamScope, at: datetime, most: int = MOST_MINE) -> tuple[OwnShift, ...]:
    """The next shifts of a person in all schedules that they may see, within half a year."""
    rows = found.schedules(teams=teams)
    loaded = load(rows, at, at + MINE_AHEAD[-1])
    mine: list[OwnShift] = []
    for ahead in MINE_AHEAD:
        mine = sorted(_mine(person, rows, loaded, at, at + ahead), key=lambda own: (own.shift.from_at, own.schedule))
        if len(mine) >= most and all(own.shift.until_at != at + ahead for own in mine[:most]):
            break
    return tuple(mine[:most])


def overrides(schedule: Schedule, cut: Cut, before: int | None) -> tuple[OverrideRow, ...]:
    """The newest first, cancelled ones too; at most one more than the cut asks for, in its direction."""
    rows = Override.objects.filter(schedule=schedule).select_related("person")
    return tuple(_override(row) for row in newest_first(rows, cut, before))


def overrides_within(schedule: Schedule, from_at: datetime, until_at: datetime) -> tuple[OverrideRow, ...]:
    """Those that count and touch [from_at, until_at), by when they begin."""
    rows = Override.objects.filter(schedule=schedule, cancelled_at=None, until_at__gt=from_at, from_at__lt=until_at)
    return tuple(_override(row) for row in rows.select_related("person").order_by("from_at", "pk"))


def swaps(schedule: Schedule, cut: Cut, before: int | None) -> tuple[SwapRow, ...]:
    """The newest first, in whatever state; at most one more than the cut asks for, in its direction."""
    rows = _swaps().filter(schedule=schedule)
    return tuple(_swap(row) for row in newest_first(rows, cut, before))


def open_swaps(*, teams: TeamScope, at: datetime, schedule: Schedule | None = None) -> tuple[SwapRow, ...]:
    """Those of shifts that are not over, what begins first."""
    rows = _swaps().filter(found.seen(teams, "schedule__team"), state=SwapState.OPEN, until_at__gt=at)
    rows = rows.filter(schedule=schedule) if schedule is not None else rows
    return tuple(_swap(row) for row in rows.order_by("from_at", "pk")[:MOST_OPEN])


def override(row: Override) -> OverrideRow:
    return _override(row)


def swap(row: Swap) -> SwapRow:
    return _swap(row)


def _mine(
    person: User, rows: Iterable[Schedule], loaded: Loaded, from_at: datetime, until_at: datetime
) -> Iterator[OwnShift]:
    for row in rows:
        for one in loaded.plans[row.pk].shifts(from_at, until_at):
            if person.username in one.people:
                yield OwnShift(row.name, row.time_zone, _shift(one, loaded))


def _row(row: Schedule, loaded: Loaded, at: datetime) -> ScheduleRow:
    plan = loaded.plans[row.pk]
    now, following = plan.now_and_next(at)
    return ScheduleRow(
        id=row.pk,
        name=row.name,
        team_id=row.team_id,
        team=row.team.slug if row.team else None,
        team_name=row.team.name if row.team else "Platform",
        description=row.description,
        time_zone=row.time_zone,
        fallback=dict(row.fallback),
        layers=tuple(str(layer["name"]) for layer in row.layers),
        now=_shift(now, loaded, has_end=following is not None),
        next=_shift(following, loaded) if following else None,
        next_gap=_next_gap(plan, (now, following), loaded, at),
    )


def _next_gap(plan: Plan, known: Iterable[Stretch | None], loaded: Loaded, at: datetime) -> Shift | None:
    """The first gap of the next weeks; the two stretches that are known already spare looking further."""
    until = at + GAPS_AHEAD
    for stretch in known:
        if stretch is not None and stretch.source == GAP and stretch.from_at < until:
            return _shift(stretch, loaded)
    first = next((one for one in plan.shifts(at, until) if one.source == GAP), None)
    return _shift(first, loaded) if first else None


def _shift(stretch: Stretch, loaded: Loaded, *, has_end: bool = True) -> Shift:
    until_at = stretch.until_at if has_end else None
    return Shift(stretch.from_at, until_at, loaded.persons(stretch.people), stretch.source)


def _swaps() -> Any:
    return Swap.objects.select_related("schedule", "asked_by", "asked_of", "taken_by")


def _override(row: Override) -> OverrideRow:
    return OverrideRow(
        id=row.pk,
        person=_person(row.person),
        from_at=row.from_at,
        until_at=row.until_at,
        reason=row.reason,
        created_by=row.created_by,
        created_at=row.created_at,
        cancelled_at=row.cancelled_at,
        is_by_swap=row.swap_id is not None,
    )


def _swap(row: Swap) -> SwapRow:
    return SwapRow(
        id=row.pk,
        schedule_id=row.schedule_id,
        schedule=row.schedule.name,
        asked_by=_person(row.asked_by),
        asked_of=_person(row.asked_of) if row.asked_of else None,
        from_at=row.from_at,
        until_at=row.until_at,
        back_from_at=row.back_from_at,
        back_until_at=row.back_until_at,
        reason=row.reason,
        state=row.state,
        created_at=row.created_at,
        decided_at=row.decided_at,
        taken_by=_person(row.taken_by) if row.taken_by else None,
    )


def _person(user: User) -> OnCallPerson:
    return OnCallPerson(user.pk, user.username, user.get_full_name() or user.username)
