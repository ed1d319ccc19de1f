"""What is stored about one component beside its series: probes, facts, changes, days and planned work."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fleetledger.lib.buckets import Window
from monitoring.availability import sql
from monitoring.availability.figures import Tally
from monitoring.availability.models import ProbeKind
from monitoring.availability.reads import exact
from monitoring.availability.states import State
from monitoring.availability.tiles import SHORTEST_S, STALE_AFTER

MOST_LINES = 200
_PROBES = """
SELECT p.id, p.name, p.kind, coalesce(s.name, ''),
    CASE WHEN p.kind = %(heartbeat)s THEN coalesce((p.spec->>'every_s')::numeric::int, p.interval_s)
        ELSE p.interval_s END,
    p.timeout_s, p.asked_at, p.answered_at, p.failure, p.detail, p.beat_at
FROM availability_probe p LEFT JOIN fleet_source s ON s.id = p.source_id
WHERE p.component_id = %(component)s AND p.removed_at IS NULL ORDER BY p.name
"""
_FACTS = """
SELECT key, value, text, unit, at, interval_s FROM availability_evidence WHERE component_id = %(component)s ORDER BY key
"""
_CHANGES = """
SELECT at, from_state, to_state, why FROM availability_transition
WHERE component_id = %(component)s AND at >= %(start)s AND at < %(end)s ORDER BY at DESC, id DESC LIMIT %(limit)s
"""
_NEW_FACTS = """
SELECT key, at, before, after FROM availability_factchange
WHERE component_id = %(component)s AND at >= %(start)s AND at < %(end)s ORDER BY at DESC, id DESC LIMIT %(limit)s
"""
_DAYS = """
SELECT day, up_s, degraded_s, down_s, maintenance_s, idle_s, unknown_s FROM availability_componentday
WHERE component_id = %(component)s AND day >= %(first)s AND day <= %(last)s ORDER BY day
"""
_WORK = """
SELECT id, from_at, until_at, reason, created_by FROM availability_maintenancewindow
WHERE component_id = %(component)s AND until_at >= %(start)s ORDER BY from_at LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """`failure`: why the last asking gave nothing; `address`: where a heartbeat calls, for those who may know."""

    id: int
    name: str
    kind: str
    source: str
    interval_s: int
    timeout_s: float
    asked_at: datetime | None
    answered_at: datetime | None
    failure: str
    detail: str
    beat_at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A fact. Not `is_fresh`: it is the last that was known, and nobody knows whether it still holds."""

    key: str
    value: float | None
    text: str
    unit: str
    at: datetime
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    from_state: State
    to_state: State
    why: str


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact in words that became another: a new leader, say."""

    key: str
    at: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DayRow:
    day: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Work:
    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str


def probes(component_id: int) -> tuple[ProbeRow, ...]:
    found = sql.rows(_PROBES, {"component": component_id, "heartbeat": ProbeKind.HEARTBEAT.value})
    return tuple(ProbeRow(*row) for row in found)


def evidence(component_id: int, at: datetime) -> tuple[EvidenceRow, ...]:
    """`at` is now."""
    found = sql.rows(_FACTS, {"component": component_id})
    return tuple(
        EvidenceRow(key, value, text, unit, said_at, is_fresh=at <= _stale_at(said_at, every_s))
        for key, value, text, unit, said_at, every_s in found
    )


def changes(component_id: int, window: Window, limit: int = MOST_LINES) -> tuple[Change, ...]:
    """The latest first."""
    found = sql.rows(_CHANGES, _within(component_id, window, limit))
    return tuple(Change(at, State(before), State(after), why) for at, before, after, why in found)


def new_facts(component_id: int, window: Window, limit: int = MOST_LINES) -> tuple[NewFact, ...]:
    """The latest first."""
    return tuple(NewFact(*row) for row in sql.rows(_NEW_FACTS, _within(component_id, window, limit)))


def days(component_id: int, window: Window) -> tuple[DayRow, ...]:
    first, last = (at.astimezone(UTC).date() for at in (window.start, window.end))
    found = sql.rows(_DAYS, {"component": component_id, "first": first, "last": last})
    return tuple(DayRow(day, Tally(*map(exact, seconds))) for day, *seconds in found)


def work(component_id: int, window: Window) -> tuple[Work, ...]:
    """What touches the window, and all that is to come."""
    return tuple(Work(*row) for row in sql.rows(_WORK, _within(component_id, window, MOST_LINES)))


def _within(component_id: int, window: Window, limit: int) -> dict[str, object]:
    return {"component": component_id, "start": window.start, "end": window.end, "limit": limit}


def _stale_at(said_at: datetime, every_s: int) -> datetime:
    return said_at + STALE_AFTER * timedelta(seconds=max(every_s, SHORTEST_S))
