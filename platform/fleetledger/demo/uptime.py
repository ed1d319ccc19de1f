"""Fills the past of probes with what they would have seen: intervals in bulk, for 90 days have millions of samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from fleetledger.demo import steadiness
from fleetledger.demo.inventory import Cluster
from fleetledger.demo.selector import parse
from fleetledger.demo.signals import Segment
from fleetledger.demo.work import GRID_S
from fleetledger.demo.world import World
from fleetledger.lib.buckets import DAY, floor, from_us, to_us
from monitoring.availability.asking import FIRST_LOOK
from monitoring.availability.ingest import key_of
from monitoring.availability.models import Probe, ProbeKind, Series, StateInterval
from monitoring.availability.slots import SECOND_US, Seen, Stretch
from monitoring.availability.sources.promql import NO_TRAFFIC, PromqlTerms
from monitoring.availability.states import State

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Past:
    """What one series has said since `first_us`."""

    probe: Probe
    labels: Mapping[str, str]
    stretches: Sequence[Stretch]


def fill(world: World, now: datetime, days: int) -> int:
    """Write what probes lack of the last `days`, but for what they read themselves; gives the number of intervals."""
    until = datetime.fromtimestamp(int(now.timestamp()) // GRID_S * GRID_S, UTC)
    written = 0
    for probe in waiting(now).select_related("source__cluster").order_by("pk"):
        since = probe.read_until_at or floor(now, DAY) - timedelta(days=days)
        with transaction.atomic():
            for past in _pasts(world, probe, since, until):
                written += _write(past)
            Probe.objects.filter(pk=probe.pk).update(read_until_at=until, due_at=now)
    return written


def waiting(now: datetime) -> QuerySet[Probe]:
    """Those that see the simulated fleet and have not looked for longer than they look back."""
    rows = Probe.objects.filter(kind=ProbeKind.PROMQL, removed_at=None, interval_s=GRID_S)
    late = Q(read_until_at=None) | Q(read_until_at__lte=now - FIRST_LOOK)
    return rows.filter(late, source__name__startswith="prom-")


def missing_since(now: datetime, days: int) -> datetime | None:
    """From when on anything is missing; None: nothing is."""
    known = list(waiting(now).values_list("read_until_at", flat=True))
    oldest = floor(now, DAY) - timedelta(days=days)
    return min(at or oldest for at in known) if known else None


def _pasts(world: World, probe: Probe, since: datetime, until: datetime) -> Iterator[Past]:
    terms = PromqlTerms.of(probe.spec)
    start, end = (int(at.timestamp()) for at in (since, until))
    cluster = _cluster(world, probe)
    asked = _lines(world, cluster, terms.traffic, start, end) if terms.traffic else None
    for labels, segments in _lines(world, cluster, terms.expr, start, end).items():
        busy = None if asked is None else asked.get(labels, ())
        found = list(_stretches(terms, segments, busy))
        if found:
            yield Past(probe, dict(labels), found)


def _cluster(world: World, probe: Probe) -> Cluster:
    """The one that its Prometheus scrapes."""
    name = probe.source.cluster.name if probe.source and probe.source.cluster else ""
    return next(one for one in world.clusters if one.name == name)


def _lines(
    world: World, cluster: Cluster, expr: str, start: int, end: int
) -> Mapping[tuple[tuple[str, str], ...], Sequence[Segment]]:
    """By labels without the name."""
    return {labels[1:]: found for labels, found in steadiness.lines(world, cluster, parse(expr), start, end)}


def _stretches(terms: PromqlTerms, segments: Sequence[Segment], busy: Sequence[Segment] | None) -> Iterator[Stretch]:
    """As samples of each slot would join. Faults of a process are the same for all that it says."""
    last: Stretch | None = None
    for segment in segments:
        seen = _seen(terms, segment, busy)
        if seen is None:
            continue
        first_us, until_us = segment.start * SECOND_US, segment.end * SECOND_US
        if last is not None and last.until_us == first_us and last.state is seen.state:
            last = Stretch(last.from_us, until_us, last.state, last.detail or seen.detail)
            continue
        if last is not None:
            yield last
        last = Stretch(first_us, until_us, seen.state, seen.detail)
    if last is not None:
        yield last


def _seen(terms: PromqlTerms, segment: Segment, busy: Sequence[Segment] | None) -> Seen | None:
    value = segment.value(segment.start)
    if value is None:
        return None
    if busy is not None and not _is_busy(busy, segment.start):
        return Seen(State.IDLE, NO_TRAFFIC)
    return terms.conditions.judge(float(value))


def _is_busy(busy: Sequence[Segment], at: int) -> bool:
    found = next((one.value(at) for one in busy if one.start <= at < one.end), None)
    return found is not None and float(found) > 0


def _write(past: Past) -> int:
    """A series that is there goes on; a new one begins with its first sample."""
    first, last = past.stretches[0], past.stretches[-1]
    last_at = from_us(last.until_us - GRID_S * SECOND_US)
    row, is_new = Series.objects.get_or_create(
        probe=past.probe,
        key=key_of(past.labels),
        ended_at=None,
        defaults={
            "labels": dict(past.labels), "interval_s": GRID_S, "first_at": from_us(first.from_us),
            "last_at": last_at, "state": last.state, "detail": last.detail,
        },
    )  # fmt: skip
    known_us = 0 if is_new else to_us(row.last_at) + GRID_S * SECOND_US
    rows = [
        StateInterval(
            series=row,
            from_at=from_us(max(one.from_us, known_us)),
            until_at=from_us(one.until_us),
            state=one.state,
            detail=one.detail,
        )
        for one in past.stretches
        if one.until_us > known_us
    ]
    StateInterval.objects.bulk_create(rows, batch_size=BATCH)
    Series.objects.filter(pk=row.pk, last_at__lt=last_at).update(last_at=last_at, state=last.state, detail=last.detail)
    return len(rows)
