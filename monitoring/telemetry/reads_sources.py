"""How fresh and complete the numbers are: each source's state, and whether every day's time adds up."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import Window
from monitoring.telemetry import models
from monitoring.telemetry.ingest import watermark

BEHIND = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source now. `lag` is how far its facts are behind what can be expected; `coverage` the last day's known"
    " share.
    """

    name: str
    kind: str
    cluster: str
    enabled: bool
    watermark_at: datetime | None
    lag: timedelta | None
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    rejected: int
    coverage: float | None
    state: str  # ok, behind, failing, never or disabled
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """One day: the GPUs' existence against what was counted; `difference_us` is what is missing from it."""

    on: date
    gpus: int
    gpu_us: int
    allocated_us: int
    unallocated_us: int
    unknown_us: int
    difference_us: int
    checked_at: datetime | None


def sources_status(*, teams: TeamScope) -> tuple[SourceStatus, ...]:
    """Every telemetry source, by name; fleet scope only."""
    if not teams.fleet:
        return ()
    now = timezone.now()
    seen = _last_day(now)
    sources = Source.objects.exclude(kind=SourceKind.BILL).select_related("cluster").prefetch_related("notes")
    return tuple(_status(source, now, seen.get(source.pk, (0, None))) for source in sources.order_by("name"))


def identity(window: Window, *, teams: TeamScope) -> tuple[IdentityCheck, ...]:
    """The daily checks of a window, newest first; fleet scope only."""
    if not teams.fleet:
        return ()
    rows = models.IdentityCheck.objects.filter(day__gte=window.start.date(), day__lte=window.end.date())
    return tuple(_check(row) for row in rows.order_by("-day"))


def _check(row: models.IdentityCheck) -> IdentityCheck:
    counted = row.allocated_us + row.unallocated_us + row.unknown_us
    return IdentityCheck(
        on=row.day,
        gpus=row.gpus,
        gpu_us=row.existence_us,
        allocated_us=row.allocated_us,
        unallocated_us=row.unallocated_us,
        unknown_us=row.unknown_us,
        difference_us=row.existence_us - counted,
        checked_at=row.checked_at,
    )


def _last_day(now: datetime) -> dict[int, tuple[int, float | None]]:
    """Rejected samples and known share of the last 24 hours by source."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, sum(rejected_samples)::bigint, sum(observed_us)::float8 / nullif(sum(existence_us), 0)"
            " FROM telemetry_reading WHERE bucket >= %s AND bucket < %s GROUP BY 1",
            [now - timedelta(days=1), now],
        )
        return {source_id: (rejected, share) for source_id, rejected, share in cursor.fetchall()}


def _status(source: Source, now: datetime, seen: tuple[int, float | None]) -> SourceStatus:
    lag = max(timedelta(), watermark(source, now) - source.watermark_at) if source.watermark_at else None
    notes: Any = getattr(source, "notes")  # noqa: B009 a reverse relation of this app, unknown to the fleet's types
    return SourceStatus(
        name=source.name,
        kind=source.kind,
        cluster=source.cluster.name if source.cluster else "",
        enabled=source.enabled,
        watermark_at=source.watermark_at,
        lag=lag,
        last_success_at=source.last_success_at,
        last_attempt_at=source.last_attempt_at,
        last_error=source.last_error,
        last_error_at=source.last_error_at,
        rejected=seen[0],
        coverage=seen[1],
        state=_state(source, lag),
        notes=tuple(note.text for note in notes.all()),
    )


def _state(source: Source, lag: timedelta | None) -> str:
    if not source.enabled:
        return "disabled"
    if source.last_error:
        return "failing"
    if lag is None:
        return "never"
    return "behind" if lag > BEHIND else "ok"
