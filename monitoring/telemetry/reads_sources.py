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
LONGEST_SILENCE = timedelta(days=14)  # a source that is behind for longer has no facts left to judge


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
class KnownShare:
    """What of its GPUs' existence a source knew, in GPU-microseconds, until `until_at`."""

    source: str
    cluster: str
    until_at: datetime
    observed_us: int
    existence_us: int

    @property
    def share(self) -> float:
        return self.observed_us / self.existence_us


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


def sources_status(*, teams: TeamScope, at: datetime | None = None) -> tuple[SourceStatus, ...]:
    """Every telemetry source as of `at` (else now), by name; fleet scope only."""
    if not teams.fleet:
        return ()
    now = at or timezone.now()
    seen = _last_day(now)
    sources = Source.objects.exclude(kind=SourceKind.BILL).select_related("cluster").prefetch_related("notes")
    return tuple(_status(source, now, seen.get(source.pk, (0, None))) for source in sources.order_by("name"))


def known_shares(at: datetime, width: timedelta, *, teams: TeamScope) -> tuple[KnownShare, ...]:
    """How much of its GPUs' last `width` each source could tell, until its watermark; fleet scope only."""
    if not teams.fleet:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.name, coalesce(c.name, ''), least(s.watermark_at, %(at)s), sum(r.observed_us)::bigint,"
            " sum(r.existence_us)::bigint FROM fleet_source s LEFT JOIN fleet_cluster c ON c.id = s.cluster_id"
            " JOIN telemetry_reading r ON r.source_id = s.id AND r.bucket < least(s.watermark_at, %(at)s)"
            " AND r.bucket >= least(s.watermark_at, %(at)s) - %(width_s)s * interval '1 second'"
            " WHERE s.enabled AND s.kind <> 'bill' AND r.bucket >= %(oldest)s"
            " GROUP BY 1, 2, 3 HAVING sum(r.existence_us) > 0 ORDER BY 1",
            {"at": at, "width_s": width.total_seconds(), "oldest": at - LONGEST_SILENCE},
        )
        return tuple(KnownShare(*row) for row in cursor.fetchall())


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
