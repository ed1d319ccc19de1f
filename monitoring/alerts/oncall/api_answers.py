"""The shapes of the API's answers about schedules."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.alerts.oncall.loading import OnCallPerson
from monitoring.alerts.oncall.problems import Problem
from monitoring.alerts.oncall.reads import OverrideRow, ScheduleRow, Shift, SwapRow


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    username: str
    name: str

    @classmethod
    def of(cls, person: OnCallPerson) -> "PersonAnswer":
        return cls(person.username, person.name)


@dataclass(frozen=True, slots=True)
class ShiftAnswer:
    """[from_at, until_at). `source` is override, layer NAME or gap; in a gap nobody is on call.

    `until_at` null: nothing changes within a year.
    """

    from_at: datetime
    until_at: datetime | None
    people: tuple[PersonAnswer, ...]
    source: str
    gap: bool

    @classmethod
    def of(cls, shift: Shift) -> "ShiftAnswer":
        return cls(shift.from_at, shift.until_at, _people(shift.people), shift.source, shift.is_gap)


@dataclass(frozen=True, slots=True)
class OnCallAnswer:
    """Who is on call at an instant, until when, and who follows. `fallback` is told in a gap."""

    schedule: str
    at: datetime
    people: tuple[PersonAnswer, ...]
    source: str
    until_at: datetime | None
    next: ShiftAnswer | None
    fallback: dict[str, Any]

    @classmethod
    def of(cls, row: ScheduleRow) -> "OnCallAnswer":
        following = ShiftAnswer.of(row.next) if row.next else None
        now = row.now
        return cls(row.name, now.from_at, _people(now.people), now.source, now.until_at, following, row.fallback)


@dataclass(frozen=True, slots=True)
class ScheduleAnswer:
    """A schedule with who is on call now and next. `team` null is the platform's own; `next_gap` within four weeks."""

    name: str
    team: str | None
    description: str
    time_zone: str
    fallback: dict[str, Any]
    layers: tuple[str, ...]
    now: ShiftAnswer
    next: ShiftAnswer | None
    next_gap: ShiftAnswer | None

    @classmethod
    def of(cls, row: ScheduleRow) -> "ScheduleAnswer":
        return cls(
            name=row.name,
            team=row.team,
            description=row.description,
            time_zone=row.time_zone,
            fallback=row.fallback,
            layers=row.layers,
            now=ShiftAnswer.of(row.now),
            next=ShiftAnswer.of(row.next) if row.next else None,
            next_gap=ShiftAnswer.of(row.next_gap) if row.next_gap else None,
        )


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    layer: str
    problem: str

    @classmethod
    def of(cls, problem: Problem) -> "ProblemAnswer":
        return cls(problem.layer, problem.sentence)


@dataclass(frozen=True, slots=True)
class ScheduleDetailAnswer:
    """`problems`: people who are gone, calendars that cannot be read, words in them that mean nobody."""

    schedule: ScheduleAnswer
    problems: tuple[ProblemAnswer, ...]


@dataclass(frozen=True, slots=True)
class OverrideAnswer:
    """One person instead of whoever the layers have. `swap`: two people agreed to it."""

    id: int
    person: PersonAnswer
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    cancelled_at: datetime | None
    swap: bool

    @classmethod
    def of(cls, row: OverrideRow) -> "OverrideAnswer":
        return cls(
            row.id,
            PersonAnswer.of(row.person),
            row.from_at,
            row.until_at,
            row.reason,
            row.created_by,
            row.created_at,
            row.cancelled_at,
            row.is_by_swap,
        )


@dataclass(frozen=True, slots=True)
class SwapAnswer:
    """Somebody asks another (`asked_of` null: anybody) to take a shift. `state`: open, taken, declined, cancelled."""

    id: int
    asked_by: PersonAnswer
    asked_of: PersonAnswer | None
    from_at: datetime
    until_at: datetime
    back_from_at: datetime | None
    back_until_at: datetime | None
    reason: str
    state: str
    created_at: datetime
    decided_at: datetime | None
    taken_by: PersonAnswer | None

    @classmethod
    def of(cls, row: SwapRow) -> "SwapAnswer":
        return cls(
            id=row.id,
            asked_by=PersonAnswer.of(row.asked_by),
            asked_of=PersonAnswer.of(row.asked_of) if row.asked_of else None,
            from_at=row.from_at,
            until_at=row.until_at,
            back_from_at=row.back_from_at,
            back_until_at=row.back_until_at,
            reason=row.reason,
            state=row.state,
            created_at=row.created_at,
            decided_at=row.decided_at,
            taken_by=PersonAnswer.of(row.taken_by) if row.taken_by else None,
        )


def _people(people: tuple[OnCallPerson, ...]) -> tuple[PersonAnswer, ...]:
    return tuple(map(PersonAnswer.of, people))
