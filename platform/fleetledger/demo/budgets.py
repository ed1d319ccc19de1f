"""Counts the demo's objectives for the time before they were there, and finds when their budgets burned."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from fleetledger.demo.outages import Written
from fleetledger.lib.buckets import DAY, HOUR, floor, from_us, to_us
from monitoring.availability import loading
from monitoring.availability.models import Slo, SloState
from monitoring.availability.slo import burn, counting, points, verdicts
from monitoring.availability.slo.points import Hour
from monitoring.availability.slots import SECOND_US
from monitoring.availability.tree import Tree

LOOKS_EVERY = timedelta(minutes=2)
LOOKS_FOR = timedelta(hours=1)
LATE_LOOKS_EVERY = timedelta(minutes=15)
LATE_LOOKS_FOR = timedelta(hours=7)


def fill(now: datetime, days: int) -> int:
    """Hours of each objective on time that has none yet; gives how many objectives."""
    tree = loading.tree()
    rows = Slo.objects.filter(kind=burn.Unit.TIME, removed_at=None, state__counted_until=None).order_by("pk")
    for slo in rows:
        _count(slo, tree, floor(now, DAY) - timedelta(days=days), floor(now, HOUR))
    return len(rows)


@transaction.atomic
def _count(slo: Slo, tree: Tree, since: datetime, until: datetime) -> None:
    state = SloState.objects.select_for_update().get(slo=slo)
    while since < until:
        hours = list(_hours(since, min(since + DAY, until)))
        points.keep(slo, state, hours, counting.of_time(slo, points.asks(hours), tree, until))
        since += DAY
    state.save()


def _hours(start: datetime, end: datetime) -> Iterator[Hour]:
    while start < end:
        yield Hour(start, start + HOUR)
        start += HOUR


def judge(slo: Slo, outage: Written, now: datetime, days: int) -> None:
    """What its pairs of windows said while it happened, and until they were calm again."""
    terms, tree = counting.terms(slo), loading.tree()
    pairs = burn.pairs(terms.period_days)
    for one in outage.within(int((now - timedelta(days=days)).timestamp()), int(now.timestamp())):
        for at in _looks(from_us(one.start * SECOND_US), now):
            until = to_us(at) // SECOND_US
            answers = counting.of_time(slo, verdicts.asks(pairs, until), tree, at)
            with transaction.atomic():
                verdicts.keep(slo, verdicts.judged(pairs, answers, until, terms), terms, at)


def _looks(start: datetime, now: datetime) -> Iterator[datetime]:
    at = start
    while at < min(start + LATE_LOOKS_FOR, now):
        yield at
        at += LOOKS_EVERY if at < start + LOOKS_FOR else LATE_LOOKS_EVERY
