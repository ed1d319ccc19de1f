"""Keeps up with sources: what is new, what came late, and scrapes of those without a memory of their own."""

from datetime import datetime, timedelta

import structlog
from django.db.models import QuerySet

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import BUCKET, HOUR, Window, floor, to_us
from monitoring.telemetry import scrapes
from monitoring.telemetry.errors import SourceBusyError, TelemetryError
from monitoring.telemetry.ingest import ingest, record_failure, telemetry_source, watermark
from monitoring.telemetry.opening import open_scraper, scrape_interval
from monitoring.telemetry.sources.errors import SourceError

FIRST_LOOK = HOUR
LONGEST_STEP = timedelta(hours=6)  # of catching up in one task: the rest follows a minute later
WITHOUT_MEMORY = (SourceKind.EXPORTERS, SourceKind.NVML)
LOST = "The database did not answer while this source was read. It is being read again."
log = structlog.get_logger(__name__)


def enabled_sources() -> list[str]:
    return list(_enabled().values_list("name", flat=True))


def catch_up(name: str, now: datetime, *, is_again: bool = False) -> str:
    """Read from the watermark on; a failure stands on the source, and what is missing is read next time.

    `is_again`: the last try lost the database, which the source says until this one is through.
    """
    source = telemetry_source(name)
    until = watermark(source, now)
    start = source.watermark_at or until - FIRST_LOOK
    window = Window(floor(start, BUCKET), min(until, floor(start, BUCKET) + LONGEST_STEP)) if start < until else None
    if window is None:
        return f"{name}: nothing new before {until:%H:%M}Z."
    if is_again:
        record_failure(source, LOST)
    return _read(source, window)


def reread(span: timedelta, now: datetime) -> str:
    """Every source's last `span` again, up to its watermark."""
    said = []
    for source in _enabled().filter(watermark_at__isnull=False):
        end = source.watermark_at or now
        said.append(_read(source, Window(floor(end - span, BUCKET), end)))
    return " ".join(said) or "No source has been read yet."


def reread_window(window: Window) -> str:
    """Every source's `window` again, as far as it was read."""
    said = []
    for source in _enabled().filter(watermark_at__gt=window.start):
        end = min(window.end, source.watermark_at or window.end)
        said.append(_read(source, Window(window.start, end)))
    return " ".join(said) or "No source reaches back so far."


def scrape_all(now: datetime) -> str:
    """One scrape of each exporters and NVML source whose interval has passed, on its grid."""
    said = []
    for source in _enabled().filter(kind__in=WITHOUT_MEMORY):
        at = floor(now, scrape_interval(source))
        said.append(_scrape(source, at))
    return " ".join(said) or "No source needs scraping."


def _enabled() -> QuerySet[Source]:
    return Source.objects.filter(enabled=True).exclude(kind=SourceKind.BILL).select_related("cluster")


def _scrape(source: Source, at: datetime) -> str:
    try:
        batch = open_scraper(source).scrape(to_us(at))
    except SourceError as error:
        record_failure(source, str(error))
        return f"{source.name}: {error}"
    scrapes.keep(source, at, batch)
    if batch.missing:
        record_failure(source, " ".join(batch.missing))
    return f"{source.name}: {len(batch.devices)} GPUs at {at:%H:%M:%S}Z."


def _read(source: Source, window: Window) -> str:
    try:
        outcomes = ingest(source, window)
    except SourceBusyError as error:
        return str(error)
    except (SourceError, TelemetryError) as error:
        record_failure(source, str(error))
        log.warning("source could not be read", source=source.name, error=str(error))
        return f"{source.name}: {error}"
    return f"{source.name}: {sum(outcome.facts for outcome in outcomes)} facts until {window.end:%H:%M}Z."
