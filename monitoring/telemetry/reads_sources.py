"""How well sources tell: lag, errors, rejected samples, coverage; and whether time adds up day by day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry import models

BEHIND = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source now. `coverage`: known share of its GPUs' last 24 hours. `state`: ok, behind, failing or never."""

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
    state: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """One day: allocated + unallocated + unknown against existence. `difference_us` 0 is right."""

    on: date
    gpus: int
    gpu_us: int
    allocated_us: int
    unallocated_us: int
    unknown_us: int
    difference_us: int
    checked_at: datetime | None


def sources_status(*, teams: TeamScope) -> tuple[SourceStatus, ...]:
    """Every telemetry source in order of name; three queries. Nothing for callers without fleet scope."""
    if not teams.fleet:
        return ()
    now = timezone.now()
    told = _told(now)
    notes: dict[int, list[str]] = {}
    for source_id, text in models.SourceNote.objects.order_by("-last_at").values_list("source_id", "text"):
        notes.setdefault(source_id, []).append(text)
    sources = Source.objects.exclude(kind=SourceKind.BILL).select_related("cluster").order_by("name")
    return tuple(_status(source, now, told.get(source.pk), tuple(notes.get(source.pk, ()))) for source in sources)


def identity(window: Window, *, teams: TeamScope) -> tuple[IdentityCheck, ...]:
    """Every day of `window` that has facts, newest first; two queries."""
    if not teams.fleet:
        return ()
    checks = {
        check.day: check
        for check in models.IdentityCheck.objects.filter(day__gte=window.start.date(), day__lte=window.end.date())
    }
    return tuple(_day(row, checks.get(row[0].date())) for row in _days(window))


def _status(
    source: Source, now: datetime, told: tuple[int, float | None] | None, notes: tuple[str, ...]
) -> SourceStatus:
    lag = now - source.watermark_at if source.watermark_at else None
    rejected, known = told or (0, None)
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
        rejected=rejected,
        coverage=known,
        state=_state(source, lag),
        notes=notes,
    )


def _state(source: Source, lag: timedelta | None) -> str:
    if source.last_error:
        return "failing"
    if lag is None:
        return "never"
    return "behind" if lag > BEHIND else "ok"


def _told(now: datetime) -> dict[int, tuple[int, float | None]]:
    """Rejected samples and the known share by source, over the last 24 hours."""
    end = floor(now, HOUR) + HOUR
    rows = _all(
        "SELECT g.source_id, sum(f.rejected_samples), sum(f.allocated_us + f.unallocated_us), sum(f.unknown_us)"
        " FROM telemetry_gpuhour f JOIN fleet_gpu g ON g.id = f.gpu_id"
        " WHERE f.bucket >= %s AND f.bucket < %s AND g.source_id IS NOT NULL GROUP BY 1",
        [end - DAY, end],
    )
    return {
        source_id: (int(rejected), float(known / (known + unknown)) if known + unknown else None)
        for source_id, rejected, known, unknown in rows
    }


def _days(window: Window) -> list[tuple[Any, ...]]:
    return _all(
        "SELECT bucket, count(DISTINCT gpu_id), sum(allocated_us), sum(unallocated_us), sum(unknown_us)"
        " FROM telemetry_gpuday WHERE bucket >= %s AND bucket < %s GROUP BY 1 ORDER BY 1 DESC",
        [floor(window.start, DAY), window.end],
    )


def _day(row: tuple[Any, ...], check: models.IdentityCheck | None) -> IdentityCheck:
    at, gpus, held, free, unknown = row[0], *(int(value) for value in row[1:])
    counted = held + free + unknown
    return IdentityCheck(
        on=at.date(),
        gpus=gpus,
        gpu_us=check.existence_us if check else counted,
        allocated_us=held,
        unallocated_us=free,
        unknown_us=unknown,
        difference_us=_difference(check) if check else 0,
        checked_at=check.checked_at if check else None,
    )


def _difference(check: models.IdentityCheck) -> int:
    return check.allocated_us + check.unallocated_us + check.unknown_us - check.existence_us


def _all(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
