"""Brings availability's past into the demo: planned work, what probes saw, changes, days, and objectives' hours."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from fleetledger.demo import budgets, changes, uptime
from fleetledger.demo.counters import cycle_start
from fleetledger.demo.outages import CYCLE_S, FULL_OUTAGE, PLANNED_S
from fleetledger.demo.world import World
from fleetledger.lib.buckets import DAY, floor, from_us
from monitoring.availability import rollup
from monitoring.availability.models import Component, MaintenanceWindow, Slo, SloState
from monitoring.availability.slots import SECOND_US

HOLD = timedelta(minutes=10)
"""So long probes and objectives wait for their past, should it never be written."""
ANNOUNCED = timedelta(days=3)
WORKED_ON = "feature-db"
WORK = "PostgreSQL gets a new version"
PLANNED_BY = "priya"
BURNED = "chat-available"
Say = Callable[[str], None]


def hold(now: datetime) -> None:
    """Nobody looks or counts before the past is there; within the caller's transaction."""
    uptime.waiting(now).update(due_at=now + HOLD)
    _uncounted().update(due_at=now + HOLD)


def write_probes(world: World, now: datetime, days: int, say: Say) -> None:
    """What was seen, all at once: whoever looks meanwhile sees nothing or everything."""
    started = time.monotonic()
    since = uptime.missing_since(now, days)
    if since is None:
        say("Components know their past already.")
        return
    with transaction.atomic():
        _plan(since, now)
        intervals = uptime.fill(world, now, days)
        changed = changes.write(since, now)
    for day in _days(since, now):
        rollup.roll_up(day.date(), now)
    taken = time.monotonic() - started
    say(f"Components know {intervals} intervals and {changed} changes since {since:%Y-%m-%d} ({taken:.1f} s).")


def count_objectives(now: datetime, days: int, say: Say) -> None:
    """The hours of those that have none, and when the chat service's budget burned."""
    started = time.monotonic()
    fresh = list(_uncounted().values_list("slo__name", flat=True))
    if not fresh:
        return
    budgets.fill(now, days)
    slo = Slo.objects.filter(name=BURNED).first()
    if slo is not None and BURNED in fresh:
        budgets.judge(slo, FULL_OUTAGE, now, days)
    SloState.objects.filter(slo__name__in=fresh).update(due_at=now)
    say(f"{len(fresh)} objectives are counted ({time.monotonic() - started:.1f} s).")


def _plan(since: datetime, now: datetime) -> None:
    """Planned work of the past, and the next."""
    component = Component.objects.filter(name=WORKED_ON, removed_at=None).first()
    at = cycle_start(int(since.timestamp()))
    while component is not None and at <= now.timestamp() + CYCLE_S:
        start, end = (from_us((at + second) * SECOND_US) for second in PLANNED_S)
        MaintenanceWindow.objects.get_or_create(
            component=component,
            from_at=start,
            defaults={"until_at": end, "reason": WORK, "created_by": PLANNED_BY, "created_at": start - ANNOUNCED},
        )
        at += CYCLE_S


def _days(since: datetime, now: datetime) -> list[datetime]:
    """The newest first: pages show them first."""
    first, last = floor(since, DAY), floor(now, DAY)
    return [last - DAY * number for number in range((last - first) // DAY + 1)]


def _uncounted() -> QuerySet[SloState]:
    return SloState.objects.filter(counted_until=None, slo__removed_at=None)
