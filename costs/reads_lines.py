"""What lies behind a statement: its lines, the bill rows they divide with their raw text, and the proof of a period."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class LineRow:
    """One account's part of one bill row on a day: amount = row_amount x numerator / denominator."""

    id: int
    bill_row_id: int
    source: str
    file_name: str
    line: int
    account: str
    label: str
    day: str
    charge_start_at: datetime
    charge_end_at: datetime
    service: str
    description: str
    category: str
    resource_id: str
    resource_name: str
    node: str
    gpu_model: str
    workload: str
    unit: str
    numerator: Decimal
    denominator: Decimal
    row_amount: Decimal
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class LinePage:
    """Lines in the order of the bill; `next_after` is the id to go on after, None at the end."""

    lines: tuple[LineRow, ...]
    total_count: int
    total_exact: Decimal | None
    next_after: int | None


@dataclass(frozen=True, slots=True)
class BillRowDetail:
    """A bill row as it came: `values` are its columns in the file's order, `lines` what the caller may see of it."""

    id: int
    delivery_id: int
    source: str
    file_name: str
    line: int
    period: str
    currency: str
    basis: str
    billed: Decimal
    effective: Decimal | None
    copies: int
    live: bool
    raw: str
    values: tuple[tuple[str, str], ...]
    lines: tuple[LineRow, ...]


@dataclass(frozen=True, slots=True)
class ProofNode:
    """One part of the proof; its children sum to it exactly, `amount` is the rounded money where it was rounded."""

    key: str
    label: str
    exact: Decimal
    amount: Decimal | None
    children: tuple["ProofNode", ...] = ()


@dataclass(frozen=True, slots=True)
class ProofSet:
    """The tree of one rounding set from the bill's total to every account, with what the run was made of."""

    source: str
    period: str
    currency: str
    basis: str
    state: str
    inputs_hash: str
    result_hash: str
    row_count: int
    line_count: int
    difference: Decimal
    root: ProofNode
