"""Looks at what our parts leave in the database, and at the database itself."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Max

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.durations import parse_duration
from monitoring.alerts.models import IntakeSpan
from monitoring.availability.own import backup, ticks
from monitoring.availability.own.seen import SILENCE_S, PartSeen, degraded, down, unknown, up
from monitoring.availability.sources.answers import Fact

TIMETABLE_LATE_S, TIMETABLE_DOWN_S = 30.0, 300.0
OUTBOX_LATE_S, OUTBOX_DOWN_S = 60.0, 300.0
CONNECTIONS_FULL = 0.9
DISK_LOW, DISK_FULL = 0.10, 0.03
SCRAPED = (SourceKind.EXPORTERS, SourceKind.NVML)
_STORE = """
SELECT count(*), current_setting('max_connections')::int, pg_database_size(current_database())
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM %(now)s - min(due_at)), 0)
FROM alerts_outboxmessage WHERE state = 'queued' AND due_at <= %(now)s
"""


def look(now: datetime) -> Iterator[PartSeen]:
    """Everything that the database knows; raises where it does not answer."""
    yield up("notifier", "Notifier")
    yield _postgres()
    yield _web(now)
    yield _timetable(now)
    yield _outbox(now)
    yield _disk()
    yield backup.look(now)
    yield from _scraped(now)


def _postgres() -> PartSeen:
    with connection.cursor() as cursor:
        cursor.execute(_STORE)
        count, limit, size = cursor.fetchone() or (0, 1, 0)
    facts = (Fact("connections", count), Fact("connections_limit", limit), Fact("bytes", size, unit="B"))
    if count >= limit * CONNECTIONS_FULL:
        return degraded("postgresql", "PostgreSQL", f"{count} of {limit} connections are in use.", *facts)
    return up("postgresql", "PostgreSQL", *facts)


def _web(now: datetime) -> PartSeen:
    last = IntakeSpan.objects.aggregate(at=Max("until_at"))["at"]
    living = IntakeSpan.objects.filter(until_at__gte=now - timedelta(seconds=SILENCE_S))
    count = living.values("instance").distinct().count()
    facts = (Fact("processes", count),)
    if last is None:
        return unknown("web", "Web", "No web process has ever left word.")
    return up("web", "Web", *facts) if count else down("web", "Web", _silent("No web process has", last, now), *facts)


def _timetable(now: datetime) -> PartSeen:
    """Not only that beat lives: that what it asks for goes through the broker and a worker to the database."""
    at = ticks.seen(ticks.TIMETABLE).get("")
    part, title = "timetable", "Timetable"
    if at is None:
        return unknown(part, title, "No task of the timetable has ever run.")
    age_s = (now - at).total_seconds()
    why = f"No task of the timetable has run for {age_s:.0f} s, since {at:%H:%M:%S}Z."
    if age_s > TIMETABLE_DOWN_S:
        return down(part, title, why, Fact("age_s", age_s, unit="s"))
    if age_s > TIMETABLE_LATE_S:
        return degraded(part, title, why, Fact("age_s", age_s, unit="s"))
    return up(part, title, Fact("age_s", age_s, unit="s"))


def _outbox(now: datetime) -> PartSeen:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"now": now})
        count, oldest_s = cursor.fetchone() or (0, 0)
    oldest = float(oldest_s)
    facts = (Fact("waiting", count), Fact("oldest_s", oldest, unit="s"))
    why = f"{count} messages wait to be delivered, the oldest for {oldest:.0f} s."
    if oldest > OUTBOX_DOWN_S:
        return down("outbox", "Outbox", why, *facts)
    return degraded("outbox", "Outbox", why, *facts) if oldest > OUTBOX_LATE_S else up("outbox", "Outbox", *facts)


def _disk() -> PartSeen:
    """Where the state directory lies, else where we run."""
    place = Path(settings.STATE_DIR or ".")
    try:
        usage = shutil.disk_usage(place)
    except OSError as error:
        return unknown("disk", "Disk", f"The disk of {place} cannot be read ({error.strerror}).")
    share = usage.free / usage.total if usage.total else 1.0
    facts = (Fact("free_bytes", usage.free, unit="B"), Fact("free_share", round(share, 4)))
    why = f"{share:.1%} of the disk is free ({usage.free / 1e9:.1f} GB)."
    if share < DISK_FULL:
        return down("disk", "Disk", why, *facts)
    return degraded("disk", "Disk", why, *facts) if share < DISK_LOW else up("disk", "Disk", *facts)


def _scraped(now: datetime) -> Iterator[PartSeen]:
    """Sources that we scrape ourselves: their last word is that of the last scrape."""
    for source in Source.objects.filter(enabled=True, kind__in=SCRAPED).order_by("name"):
        part, title = f"source-{source.name}", f"Source {source.name}"
        interval = parse_duration(str(source.config.get("scrape_interval", "30s")))
        last = source.last_success_at
        facts = (Fact("last_word_age_s", (now - last).total_seconds(), unit="s"),) if last else ()
        if source.last_error:
            yield down(part, title, source.last_error, *facts)
        elif last is None or now - last > 2.5 * max(interval, timedelta(seconds=30)):
            yield unknown(part, title, f"No word from it since {last:%Y-%m-%d %H:%M:%S}Z." if last else "Never read.")
        else:
            yield up(part, title, *facts)


def _silent(who: str, last: datetime, now: datetime) -> str:
    return f"{who} left word for {(now - last).total_seconds():.0f} s, since {last:%Y-%m-%d %H:%M:%S}Z."
