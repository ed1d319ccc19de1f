"""The one writer of a component's days: sums that pages read instead of a year of intervals."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from fleetledger.lib.buckets import DAY, Window, floor
from monitoring.availability import loading
from monitoring.availability.figures import Seconds, Tally
from monitoring.availability.ingest import Kept
from monitoring.availability.models import ComponentDay
from monitoring.availability.tree import Past, Tree

FIELDS = ("up_s", "degraded_s", "down_s", "maintenance_s", "idle_s", "unknown_s", "expected_s")
MOST_DAYS = 400
"""Samples older than this change no day any more: nobody looks at them."""


def roll_up(day: date, now: datetime, component_ids: Collection[int] | None = None) -> int:
    """Count a day anew for all components, or for some and those above them; gives how many have anything on it."""
    tree = loading.tree()
    wanted = _with_ancestors(tree, tree.nodes if component_ids is None else component_ids)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with transaction.atomic():
        past = loading.past(tree, wanted, Window(start, start + DAY), now)
        rows = [row for pk in sorted(wanted) if (row := _row(pk, day, past)) is not None]
        ComponentDay.objects.filter(day=day, component__in=wanted - {row.component_id for row in rows}).delete()
        ComponentDay.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["component", "day"], update_fields=FIELDS, batch_size=1000
        )
    return len(rows)


def roll_up_recent(now: datetime) -> str:
    """Today and yesterday, whose end may have come late."""
    today = now.astimezone(UTC).date()
    counts = [roll_up(day, now) for day in (today - timedelta(days=1), today)]
    return f"{counts[0]} components yesterday, {counts[1]} today."


def follow(kept: Kept, now: datetime) -> None:
    """Count again what samples from before today have changed."""
    today = floor(now, DAY)
    late = {pk: floor(at, DAY) for pk, at in kept.earliest.items() if at < today}
    if not late:
        return
    day = max(min(late.values()), today - DAY * MOST_DAYS)
    while day < today:
        roll_up(day.date(), now, [pk for pk, first in late.items() if first <= day])
        day += DAY


def tally_of(row: ComponentDay) -> Tally:
    return Tally(*(Fraction(getattr(row, name)) for name in FIELDS[:-1]))


def _with_ancestors(tree: Tree, component_ids: Iterable[int]) -> set[int]:
    known = [pk for pk in component_ids if pk in tree.nodes]
    return set(known) | {above for pk in known for above in tree.ancestors(pk)}


def _row(component_id: int, day: date, past: Past) -> ComponentDay | None:
    tally = past.tally(component_id)
    if tally == Tally():
        return None
    values = {name: _decimal(getattr(tally, name)) for name in FIELDS}
    return ComponentDay(component_id=component_id, day=day, **values)


def _decimal(seconds: Seconds) -> Decimal:
    """Exact: all seconds are whole microseconds."""
    exact = Fraction(seconds)
    return Decimal(exact.numerator) / Decimal(exact.denominator)
