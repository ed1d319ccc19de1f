"""What was delivered: bill imports with their counts, totals, difference, quarantine and conformance."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


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
