"""The one door by which facts are written: reads a source's window, replaces what was there, adds nothing twice."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import BUCKET, HOUR, Window, ceil, floor, from_us, to_us
from monitoring.telemetry import findings, partitions, rollup, storage
from monitoring.telemetry.assemble import GpuBucket, GpuTerms, assemble
from monitoring.telemetry.energy import Counter
from monitoring.telemetry.errors import IncompleteError, SourceBusyError, UnknownSourceError, WindowError
from monitoring.telemetry.inventory import Inventory
from monitoring.telemetry.models import XidEvent
from monitoring.telemetry.opening import SourceReader, bridge, open_source, scrape_interval
from monitoring.telemetry.sources.readings import Batch

CHUNK = HOUR
MIN_LAG = timedelta(seconds=90)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one window of one source came to."""

    source: str
    window: Window
    gpus: int
    samples: int
    facts: int
    rejected_samples: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.source}: {self.window.start:%Y-%m-%dT%H:%MZ} to {self.window.end:%Y-%m-%dT%H:%MZ}, "
            f"{self.samples} samples of {self.gpus} GPUs, {self.facts} facts, {self.rejected_samples} samples rejected"
        )


def telemetry_source(name: str) -> Source:
    """The source of that name that gives telemetry; raises UnknownSourceError."""
    sources = Source.objects.exclude(kind=SourceKind.BILL).select_related("cluster")
    found = sources.filter(name=name).first()
    if found is None:
        raise UnknownSourceError(name, sorted(sources.values_list("name", flat=True)))
    return found


def watermark(source: Source, now: datetime) -> datetime:
    """Until when a source's samples can be expected to be there, on a bucket's edge."""
    return floor(now - max(2 * scrape_interval(source), MIN_LAG), BUCKET)


def ingest(
    source: Source,
    window: Window,
    *,
    progress: Callable[[Outcome], None] | None = None,
    reader: SourceReader | None = None,
) -> list[Outcome]:
    """Read `window` (aligned to five minutes) in chunks of up to an hour; safe to run again, by anybody."""
    if window.start != floor(window.start, BUCKET) or window.end != ceil(window.end, BUCKET):
        raise WindowError(f"A window is aligned to five minutes: try {floor(window.start, BUCKET):%Y-%m-%dT%H:%MZ}.")
    outcomes = []
    window = _with_whole_hours(window)
    with _alone(source):
        own = reader or open_source(source)
        for hour in window.steps(CHUNK):
            chunk = hour.cut(window)
            if chunk is not None:
                outcomes.append(_ingest_chunk(source, chunk, own))
                if progress is not None:
                    progress(outcomes[-1])
    return outcomes


def _with_whole_hours(window: Window) -> Window:
    """`window`, made wider where an hour at its edge is all that is left: a part of it would replace the whole."""
    first, last = floor(window.start, HOUR), floor(window.end, HOUR)
    start = first if first < window.start and _is_only_hours(first) else window.start
    end = last + HOUR if last < window.end and _is_only_hours(last) else window.end
    return Window(start, end)


def _is_only_hours(hour: datetime) -> bool:
    """Whether an hour was rolled up and its facts are gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM telemetry_gpuhour WHERE bucket = %s)"
            " AND NOT EXISTS (SELECT 1 FROM telemetry_fact WHERE bucket >= %s AND bucket < %s)",
            [hour, hour, hour + HOUR],
        )
        return bool(cursor.fetchone()[0])


def record_failure(source: Source, error: str) -> None:
    """Show on the source why it could not be read; what is missing stays missing."""
    now = timezone.now()
    Source.objects.filter(pk=source.pk).update(last_attempt_at=now, last_error=error, last_error_at=now)


def _ingest_chunk(source: Source, window: Window, reader: SourceReader) -> Outcome:
    cap_us = 2 * to_us_span(scrape_interval(source))
    margin_us = cap_us + to_us_span(bridge(source))
    batch = reader.pull(to_us(window.start), to_us(window.end), before_us=margin_us, after_us=margin_us)
    if batch.missing:  # writing what came would turn the rest into unknown time that a good read had known
        raise IncompleteError(source.name, batch.missing)
    with transaction.atomic():
        inventory = Inventory.load(source)
        inventory.learn(batch)
        found = list(_assembled(source, window, batch, inventory))
        facts = storage.replace(window, [bucket for bucket, _ in found], inventory)
        settled = storage.settle_energy(window, _first_buckets(found), inventory)
        hours = {floor(bucket.at, HOUR) for bucket, _ in found} | settled
        rollup.roll_up(hours, gpu_ids={inventory.gpus[bucket.uuid].pk for bucket, _ in found})
        _keep_findings(window, batch, inventory)
        _note(source, window, batch)
    return Outcome(
        source=source.name,
        window=window,
        gpus=len(batch.devices),
        samples=sum(len(one.times) for one in batch.series),
        facts=facts,
        rejected_samples=sum(bucket.reading.rejected_samples for bucket, _ in found),
        notes=tuple(batch.notes),
    )


def _assembled(
    source: Source, window: Window, batch: Batch, inventory: Inventory
) -> Iterator[tuple[GpuBucket, Counter]]:
    counters = storage.counters_around(window, [gpu.pk for gpu in inventory.gpus.values()])
    terms = [
        GpuTerms(
            uuid=gpu.uuid,
            model=gpu.model,
            total_slices=gpu.slices,
            first_us=to_us(gpu.first_sample_at),
            until_us=to_us(gpu.retired_at) if gpu.retired_at else None,
            slices=inventory.known_slices(gpu.uuid, window.end),
            counter=counters.before.get(gpu.pk),
            counter_after=counters.after.get(gpu.pk),
        )
        for gpu in sorted(inventory.gpus.values(), key=lambda gpu: gpu.uuid)
        if gpu.first_sample_at is not None
    ]
    return assemble(
        window, terms, batch.series, scrape_us=to_us_span(scrape_interval(source)), bridge_us=to_us_span(bridge(source))
    )


def _first_buckets(found: Sequence[tuple[GpuBucket, Counter]]) -> Iterable[tuple[str, Counter]]:
    """Each GPU of the window once, with its counter."""
    return {bucket.uuid: counter for bucket, counter in found}.items()


def _keep_findings(window: Window, batch: Batch, inventory: Inventory) -> None:
    changes = findings.xid_changes(batch, to_us(window.start), to_us(window.end))
    XidEvent.objects.bulk_create(
        [XidEvent(gpu=inventory.gpus[uuid], at=from_us(at), code=code) for uuid, at, code in changes],
        ignore_conflicts=True,
    )
    batch.notes += findings.suspect_activity(batch)


def _note(source: Source, window: Window, batch: Batch) -> None:
    now = timezone.now()
    storage.keep_notes(source, batch.notes, now)
    reached = max(window.end, source.watermark_at or window.end)
    Source.objects.filter(pk=source.pk).update(
        watermark_at=reached, last_attempt_at=now, last_success_at=now, last_error="", last_error_at=None
    )
    source.watermark_at = reached


@contextmanager
def _alone(source: Source) -> Iterator[None]:
    """One reader per source at a time, by a lock of the database that dies with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('fleetledger.ingest'), %s)", [source.pk])
        if not cursor.fetchone()[0]:
            raise SourceBusyError(source.name)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('fleetledger.ingest'), %s)", [source.pk])


def to_us_span(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


__all__ = ["from_us", "ingest", "partitions", "record_failure", "telemetry_source", "watermark"]
