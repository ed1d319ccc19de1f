"""Fills an empty installation with the demo: configuration, people, the past of its fleet, and the bills for it."""

import io
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q, QuerySet

from costs import allocate, importing, ingest
from costs.errors import CostsError
from fleetledger.demo import bills, drift_reports, filling, game_days, past_incidents, service_past
from fleetledger.demo.inventory import Cluster
from fleetledger.demo.world import World
from fleetledger.fleet import jobs
from fleetledger.fleet.config.service import apply
from fleetledger.fleet.models import Job, JobState, Source, SourceKind
from fleetledger.lib.buckets import DAY, HOUR, Month, Window, floor

CONFIGURATION = Path(__file__).with_name("fleet.yaml")
DEFAULT_PORT = 9464
MOST_DAYS = 110
JOB_KIND = "demo-history"
LIVE = timedelta(hours=3)  # the last hours come through the Prometheus source, like real data
AWAY = timedelta(hours=3)  # what pulls catch up with besides; after a longer sleep hours are filled in
Say = Callable[[str], None]


def configure(port: int, now: datetime) -> None:
    """Apply the demo's file. Sources wait until the past is there: no worker reads what is still to be written."""
    text = CONFIGURATION.read_text(encoding="utf-8").replace(f":{DEFAULT_PORT}/", f":{port}/")
    with transaction.atomic():
        apply([(CONFIGURATION.name, text)])
        late = Q(watermark_at__isnull=True) | Q(watermark_at__lt=floor(now - LIVE, HOUR) - AWAY)
        _telemetry().filter(late if _has_its_past() else Q()).update(enabled=False)
        service_past.hold(now)


def fill_history(now: datetime, days: int, say: Say) -> None:
    """Write what is missing of the last `days`, newest first; what is there is left alone.

    What probes saw follows as soon as the sources are let in, and reaches to that instant: so nothing is missed.
    """
    world, started = World(), time.monotonic()

    def write_services() -> None:
        passed = timedelta(seconds=time.monotonic() - started)
        service_past.write_probes(world, now + passed, days, say)

    _fill_usage(world, now, days, say, write_services)
    service_past.count_objectives(now, days, say)
    told, played = past_incidents.write(now, days), game_days.write(now)
    say(f"{told} incidents and {played} game days are told.")
    say(f"{drift_reports.write(now, days)} drift reports are taken in.")


def _fill_usage(world: World, now: datetime, days: int, say: Say, let_in: Callable[[], None]) -> None:
    """`let_in` is called once sources are read like any other."""
    handover = floor(now - LIVE, HOUR)
    whole = Window(floor(now, DAY) - timedelta(days=days), handover)
    parts = _slept(handover) if _has_its_past() else list(filling.stretches(whole))
    if not parts:
        say("History is there already.")
        let_in()
        return
    Job.objects.filter(kind=JOB_KIND, state=JobState.RUNNING).update(
        state=JobState.FAILED, error="The demo was stopped before its history was written.", finished_at=now
    )
    total = sum((part.end - part.start) // HOUR for part in parts) * len(world.clusters)
    with jobs.running(JOB_KIND, total=total) as progress:
        done = 0
        for part in parts:
            for cluster in world.clusters:
                _fill_one(world, cluster, part)
                done += (part.end - part.start) // HOUR
                progress.progress(done, total, f"{cluster.name} since {part.start:%d %b}")
            say(f"History since {part.start:%Y-%m-%d} is written ({100 * done // total} %).")
            if part is parts[0]:
                _let_in(handover)
                let_in()


def import_bills(now: datetime, days: int, say: Say) -> None:
    """Bring in each provider's bills through the ledger's own import, then allocate their months."""
    start, until = (floor(now, DAY) - timedelta(days=days)).date(), floor(now, DAY).date()
    month, months = Month.of(start), []
    while month.start.date() < until:
        months.append(month)
        month = month.next
    for month in months:
        for provider in bills.PROVIDERS:
            text = bills.bill(provider, month, start, until)
            if text is not None:
                received = ingest.receive(provider, f"{provider}-{month}.csv", io.BytesIO(text.encode()))
                say(importing.run(received.delivery_id))
    for month in months:
        _allocate(month, say)


def _allocate(month: Month, say: Say) -> None:
    try:
        outcomes = allocate.allocate(month)
    except CostsError as error:
        say(f"{month} is not allocated: {error}")
        return
    say(f"{month} is allocated: {len(outcomes)} bills.")


def _fill_one(world: World, cluster: Cluster, window: Window) -> None:
    source = Source.objects.get(cluster__name=cluster.name, kind=SourceKind.PROMETHEUS)
    filling.fill(world, cluster, source, window, lambda *_: None)


def _has_its_past() -> bool:
    return Job.objects.filter(kind=JOB_KIND, state=JobState.DONE).exists()


def _slept(handover: datetime) -> list[Window]:
    """What passed while the demo was off, where it is more than pulls catch up with."""
    marks = [mark for mark in _telemetry().values_list("watermark_at", flat=True) if mark is not None]
    since = floor(min(marks), HOUR) if marks else handover
    return list(filling.stretches(Window(since, handover))) if handover - since > AWAY else []


def _let_in(handover: datetime) -> None:
    """From here on the sources are read like any other."""
    for source in _telemetry():
        source.watermark_at = max(handover, source.watermark_at or handover)
        source.enabled = True
        source.save(update_fields=["watermark_at", "enabled"])


def _telemetry() -> QuerySet[Source]:
    return Source.objects.filter(kind=SourceKind.PROMETHEUS, name__startswith="prom-")
