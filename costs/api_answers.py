"""The shapes of the ledger's API answers: money as decimal strings, never a float."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from costs.reads import ChargeRow, PeriodSummary, StatementRow, StatementSource
from costs.reads_imports import Finding, ImportDetail, ImportDifference, ImportSummary, ImportTotal, Quarantined
from costs.reads_lines import LineRow, ProofNode, ProofSet
from fleetledger.lib import money


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    source: str
    basis: str
    exact: str
    total: str


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """What an account bears. `team` is null for idle and unallocated; a draft has no number and no hash."""

    team: str | None
    account: str
    label: str
    cost_center: str
    period: str
    currency: str
    total: str
    exact: str
    status: str
    number: str | None
    hash: str | None
    sources: tuple[SourceAnswer, ...]

    @classmethod
    def of(cls, row: StatementRow) -> "StatementAnswer":
        return cls(
            team=row.team,
            account=row.account,
            label=row.label,
            cost_center=row.cost_center,
            period=row.period,
            currency=row.currency,
            total=money.plain(row.amount),
            exact=money.plain(row.exact),
            status=row.status,
            number=row.number,
            hash=row.content_hash,
            sources=tuple(_source(part) for part in row.sources),
        )


@dataclass(frozen=True, slots=True)
class ChargeAnswer:
    """Exact cost of a group; `idle` is the part that was held and not busy."""

    group: str
    label: str
    period: str
    currency: str
    amount: str
    idle: str

    @classmethod
    def of(cls, row: ChargeRow, period: str) -> "ChargeAnswer":
        return cls(row.group, row.label, period, row.currency, money.plain(row.exact), money.plain(row.idle))


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """One part of one bill row: amount = row_amount x numerator / denominator."""

    id: int
    bill_row: int
    source: str
    file: str
    line: int
    account: str
    day: str
    from_: datetime
    to: datetime
    service: str
    description: str
    category: str
    resource_id: str
    node: str
    gpu_model: str
    workload: str
    unit: str
    numerator: str
    denominator: str
    row_amount: str
    amount: str
    currency: str


def line(row: LineRow) -> dict[str, object]:
    return {
        "id": row.id,
        "bill_row": row.bill_row_id,
        "source": row.source,
        "file": row.file_name,
        "line": row.line,
        "account": row.account,
        "day": row.day,
        "from": row.charge_start_at,
        "to": row.charge_end_at,
        "service": row.service,
        "description": row.description,
        "category": row.category,
        "resource_id": row.resource_id,
        "node": row.node,
        "gpu_model": row.gpu_model,
        "workload": row.workload,
        "unit": row.unit,
        "numerator": money.plain(row.numerator),
        "denominator": money.plain(row.denominator),
        "row_amount": money.plain(row.row_amount),
        "amount": money.plain(row.amount),
        "currency": row.currency,
    }


@dataclass(frozen=True, slots=True)
class PeriodTotalAnswer:
    currency: str
    billed: str
    effective: str
    exact: str
    total: str
    rows: int


@dataclass(frozen=True, slots=True)
class PeriodAnswer:
    """A billing period; `stale` says that bills came after it was allocated."""

    period: str
    status: str
    totals: tuple[PeriodTotalAnswer, ...]
    sources: tuple[str, ...]
    quarantined_rows: int
    allocated_at: datetime | None
    stale: bool

    @classmethod
    def of(cls, row: PeriodSummary) -> "PeriodAnswer":
        totals = tuple(
            PeriodTotalAnswer(
                each.currency,
                money.plain(each.billed),
                money.plain(each.effective),
                money.plain(each.exact),
                money.plain(each.allocated),
                each.row_count,
            )
            for each in row.totals
        )
        return cls(row.period, row.status, totals, row.sources, row.quarantined_rows, row.allocated_at, row.stale)


@dataclass(frozen=True, slots=True)
class ProofAnswer:
    """A tree per source and currency: every node's children sum to it; `difference` to the bill is 0."""

    period: str
    sets: tuple[dict[str, object], ...]


def proof_set(found: ProofSet) -> dict[str, object]:
    return {
        "source": found.source,
        "currency": found.currency,
        "basis": found.basis,
        "status": found.state,
        "rows": found.row_count,
        "lines": found.line_count,
        "inputs_hash": found.inputs_hash,
        "hash": found.result_hash,
        "difference": money.plain(found.difference),
        "billed": _node(found.root),
    }


@dataclass(frozen=True, slots=True)
class ImportTotalAnswer:
    period: str
    currency: str
    rows: int
    billed: str
    effective: str
    live: bool


@dataclass(frozen=True, slots=True)
class ImportDifferenceAnswer:
    period: str
    currency: str
    unchanged_rows: int
    added_rows: int
    added_billed: str
    removed_rows: int
    removed_billed: str


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """One delivered file; `job` is where its progress is told."""

    id: int
    source: str
    file: str
    sha256: str
    bytes: int
    mode: str
    state: str
    error: str
    rows: int
    quarantined: int
    received_by: str
    received_at: datetime
    imported_at: datetime | None
    job: str | None
    totals: tuple[ImportTotalAnswer, ...]
    difference: tuple[ImportDifferenceAnswer, ...]

    @classmethod
    def of(cls, row: ImportSummary) -> "ImportAnswer":
        return cls(
            id=row.id,
            source=row.source,
            file=row.file_name,
            sha256=row.sha256,
            bytes=row.size_bytes,
            mode=row.mode,
            state=row.state,
            error=row.error,
            rows=row.row_count,
            quarantined=row.quarantined_count,
            received_by=row.received_by,
            received_at=row.received_at,
            imported_at=row.imported_at,
            job=str(row.job_id) if row.job_id else None,
            totals=tuple(_import_total(each) for each in row.totals),
            difference=tuple(_import_difference(each) for each in row.differences),
        )


@dataclass(frozen=True, slots=True)
class ImportDetailAnswer:
    """A delivery with its conformance report and the first of its quarantine."""

    delivery: ImportAnswer
    columns: tuple[str, ...]
    lines: int
    identical_rows: int
    conformance: tuple[Finding, ...]
    quarantine: tuple[Quarantined, ...]

    @classmethod
    def of(cls, found: ImportDetail) -> "ImportDetailAnswer":
        return cls(
            delivery=ImportAnswer.of(found.summary),
            columns=found.columns,
            lines=found.line_count,
            identical_rows=found.identical_rows,
            conformance=found.findings,
            quarantine=found.quarantine,
        )


def _source(part: StatementSource) -> SourceAnswer:
    return SourceAnswer(part.source, part.basis, money.plain(part.exact), money.plain(part.amount))


def _import_total(each: ImportTotal) -> ImportTotalAnswer:
    billed, effective = money.plain(each.billed), money.plain(each.effective)
    return ImportTotalAnswer(each.period, each.currency, each.row_count, billed, effective, each.live)


def _import_difference(each: ImportDifference) -> ImportDifferenceAnswer:
    return ImportDifferenceAnswer(
        each.period,
        each.currency,
        each.unchanged_rows,
        each.added_rows,
        money.plain(each.added_billed),
        each.removed_rows,
        money.plain(each.removed_billed),
    )


def _node(node: ProofNode) -> dict[str, object]:
    amount: Decimal | None = node.amount
    return {
        "key": node.key,
        "label": node.label,
        "exact": money.plain(node.exact),
        "total": None if amount is None else money.plain(amount),
        "children": [_node(child) for child in node.children],
    }
