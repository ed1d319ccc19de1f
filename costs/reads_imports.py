"""What was delivered: bill imports with their counts, totals, difference, quarantine and conformance."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch, QuerySet, Sum

from costs.models import Delivery, DeliveryPart, IdenticalRows, QuarantinedRow, SnapshotDifference
from fleetledger.fleet.access import TeamScope

QUARANTINE_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ImportTotal:
    """Rows and money of one billing period and currency of a delivery; `live` until a later snapshot replaced it."""

    period: str
    currency: str
    row_count: int
    billed: Decimal
    effective: Decimal
    live: bool


@dataclass(frozen=True, slots=True)
class ImportDifference:
    """What the delivery changed against the snapshot it replaced, as a multiset difference."""

    period: str
    currency: str
    unchanged_rows: int
    added_rows: int
    added_billed: Decimal
    removed_rows: int
    removed_billed: Decimal


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """One delivered file. `state` is received, imported or refused; `error` says why it was refused."""

    id: int
    source: str
    file_name: str
    sha256: str
    size_bytes: int
    mode: str
    state: str
    error: str
    row_count: int
    quarantined_count: int
    received_by: str
    received_at: datetime
    imported_at: datetime | None
    job_id: uuid.UUID | None
    totals: tuple[ImportTotal, ...]
    differences: tuple[ImportDifference, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    line: int
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A departure from FOCUS; `severity` is error, warning or note."""

    check_id: str
    column: str
    severity: str
    row_count: int
    first_line: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportDetail:
    summary: ImportSummary
    columns: tuple[str, ...]
    line_count: int
    findings: tuple[Finding, ...]
    quarantine: tuple[Quarantined, ...]
    identical_rows: int


def imports(
    *, teams: TeamScope, source: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[ImportSummary, ...]:
    """Deliveries, the latest first, `limit` older than the delivery `before`; none without fleet scope."""
    if not teams.fleet:
        return ()
    found = _deliveries().order_by("-pk")
    if source is not None:
        found = found.filter(source__name=source)
    if before is not None:
        found = found.filter(pk__lt=before)
    return tuple(_summary(delivery) for delivery in found[:limit])


def bill_import(delivery_id: int, *, teams: TeamScope) -> ImportDetail | None:
    """One delivery with its conformance report and the first rows of its quarantine; None without fleet scope."""
    delivery = _deliveries().filter(pk=delivery_id).first() if teams.fleet else None
    if delivery is None:
        return None
    return ImportDetail(
        summary=_summary(delivery),
        columns=tuple(delivery.columns),
        line_count=delivery.line_count,
        findings=tuple(
            Finding(each.check_id, each.column, each.severity, each.row_count, each.first_line, each.sentence)
            for each in delivery.findings.all()
        ),
        quarantine=quarantine(delivery_id, teams=teams, limit=QUARANTINE_SHOWN),
        identical_rows=IdenticalRows.objects.filter(delivery=delivery).aggregate(n=Sum("copies"))["n"] or 0,
    )


def quarantine(
    delivery_id: int, *, teams: TeamScope, after_line: int = 0, limit: int = QUARANTINE_SHOWN
) -> tuple[Quarantined, ...]:
    """Lines that could not be read, in order, `limit` after a line; none without fleet scope."""
    if not teams.fleet:
        return ()
    found = QuarantinedRow.objects.filter(delivery=delivery_id, line__gt=after_line).order_by("line")
    return tuple(Quarantined(row.line, row.raw, row.reason) for row in found[:limit])


def state(delivery_id: int) -> str:
    """A delivery's state, which moves before the ledger's version does; empty where there is none."""
    return Delivery.objects.filter(pk=delivery_id).values_list("state", flat=True).first() or ""


def _deliveries() -> QuerySet[Delivery]:
    parts = DeliveryPart.objects.order_by("period", "currency")
    differences = SnapshotDifference.objects.order_by("period", "currency")
    return Delivery.objects.select_related("source", "received_by").prefetch_related(
        Prefetch("parts", queryset=parts), Prefetch("differences", queryset=differences)
    )


def _summary(delivery: Delivery) -> ImportSummary:
    return ImportSummary(
        id=delivery.pk,
        source=delivery.source.name,
        file_name=delivery.file_name,
        sha256=delivery.sha256,
        size_bytes=delivery.size_bytes,
        mode=delivery.mode,
        state=delivery.state,
        error=delivery.error,
        row_count=delivery.row_count,
        quarantined_count=delivery.quarantined_count,
        received_by=delivery.received_by.username if delivery.received_by else "",
        received_at=delivery.received_at,
        imported_at=delivery.imported_at,
        job_id=delivery.job_id,
        totals=tuple(
            ImportTotal(
                f"{part.period:%Y-%m}", part.currency, part.row_count, part.billed, part.effective,
                live=part.superseded_by_id is None,
            )
            for part in delivery.parts.all()
        ),
        differences=tuple(
            ImportDifference(
                f"{each.period:%Y-%m}", each.currency, each.unchanged_rows, each.added_rows, each.added_billed,
                each.removed_rows, each.removed_billed,
            )
            for each in delivery.differences.all()
        ),
    )  # fmt: skip
