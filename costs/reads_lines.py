"""What lies behind a statement: its lines, the bill rows they divide with their raw text, and the proof of a period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from costs.models import (
    AccountKind,
    AllocationLine,
    AllocationRun,
    BillRow,
    DeliveryPart,
    DeliveryState,
    IdenticalRows,
    Posting,
)
from costs.raw_rows import raw_row, values_of
from costs.reads import account, visible_accounts
from costs.sources.values import last_segment
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Node, Workload
from fleetledger.lib import money
from fleetledger.lib.buckets import Month


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


def statement_lines(
    month: Month,
    key: str,
    currency: str | None = None,
    *,
    teams: TeamScope,
    after: int = 0,
    before: int | None = None,
    limit: int = 100,
) -> LinePage:
    """An account's lines of a period in the order of the bill, `limit` after the line `after`.

    With `before` those before it, the nearest first.

    Raises UnknownAccountError where the caller may not see the account.
    """
    wanted = account(key, teams=teams)
    runs = AllocationRun.objects.filter(period=month.start.date())
    if currency is not None:
        runs = runs.filter(currency=currency)
    found = AllocationLine.objects.filter(run__in=runs, account=wanted)
    sums = found.aggregate(total=Sum("amount"))
    wished = (
        found.filter(pk__gt=after).order_by("pk") if before is None else found.filter(pk__lt=before).order_by("-pk")
    )
    page = list(_with_rows(wished)[: limit + 1])
    lines = _line_rows(page[:limit])
    return LinePage(
        lines=lines,
        total_count=found.count(),
        total_exact=sums["total"] if currency is not None or runs.values("currency").distinct().count() == 1 else None,
        next_after=lines[-1].id if len(page) > limit else None,
    )


def bill_row(row_id: int, *, teams: TeamScope) -> BillRowDetail | None:
    """A bill row with its raw text. A team sees a row that it bears a part of, with its own lines only."""
    found = BillRow.objects.filter(pk=row_id).select_related("part__delivery__source").first()
    if found is None:
        return None
    lines = list(_with_rows(AllocationLine.objects.filter(visible_accounts(teams), row_id=row_id).order_by("pk")))
    if not teams.fleet and not lines:
        return None
    part, delivery = found.part, found.part.delivery
    raw = raw_row(delivery, found.line)
    run = AllocationRun.objects.filter(source=delivery.source, period=part.period, currency=part.currency).first()
    identical = IdenticalRows.objects.filter(delivery=delivery, fingerprint=found.fingerprint).first()
    return BillRowDetail(
        id=found.pk,
        delivery_id=delivery.pk,
        source=delivery.source.name,
        file_name=delivery.file_name,
        line=found.line,
        period=f"{part.period:%Y-%m}",
        currency=part.currency,
        basis=run.basis if run else "",
        billed=found.billed,
        effective=found.effective,
        copies=identical.copies if identical else 1,
        live=part.superseded_by_id is None,
        raw=raw,
        values=values_of(delivery, raw),
        lines=_line_rows(lines),
    )


def proof(month: Month, *, teams: TeamScope) -> tuple[ProofSet, ...]:
    """The tree of each rounding set from the bill to every account; empty without fleet scope."""
    if not teams.fleet:
        return ()
    runs = AllocationRun.objects.filter(period=month.start.date()).select_related("source")
    return tuple(_proof_set(run) for run in runs)


def _proof_set(run: AllocationRun) -> ProofSet:
    postings = list(Posting.objects.filter(run=run).select_related("account__team"))
    leaves: dict[str, list[ProofNode]] = {}
    for posting in postings:
        amount = money.from_minor(posting.amount_minor, run.currency)
        leaf = ProofNode(posting.account.key, posting.account.label, posting.exact, amount)
        leaves.setdefault(posting.account.kind, []).append(leaf)
    kinds = tuple(
        _sum_node(kind, str(AccountKind(kind).label), sorted(leaves[kind], key=lambda node: node.key), run.currency)
        for kind in AccountKind.values
        if kind in leaves
    )
    billed = _live_total(run)
    root = _sum_node("billed", "Billed" if run.basis == "billed" else "Effective", kinds, run.currency)
    return ProofSet(
        source=run.source.name,
        period=f"{run.period:%Y-%m}",
        currency=run.currency,
        basis=run.basis,
        state=run.state,
        inputs_hash=run.inputs_hash,
        result_hash=run.result_hash,
        row_count=run.row_count,
        line_count=run.line_count,
        difference=money.EXACT.subtract(billed, root.exact),
        root=root,
    )


def _live_total(run: AllocationRun) -> Decimal:
    parts = DeliveryPart.objects.filter(
        delivery__source=run.source,
        delivery__state=DeliveryState.IMPORTED,
        period=run.period,
        currency=run.currency,
        superseded_by=None,
    )
    return money.total([part.billed if run.basis == "billed" else part.effective for part in parts])


def _sum_node(key: str, label: str, children: Sequence[ProofNode], currency: str) -> ProofNode:
    exact = money.total([child.exact for child in children])
    amount = sum((child.amount for child in children if child.amount is not None), money.from_minor(0, currency))
    return ProofNode(key, label, exact, amount, tuple(children))


def _with_rows(lines: QuerySet[AllocationLine]) -> QuerySet[AllocationLine]:
    return lines.select_related("run__source", "account__team", "row__part__delivery", "row__resource", "row__charge")


def _line_rows(lines: Sequence[AllocationLine]) -> tuple[LineRow, ...]:
    workloads = _names_of_workloads(line.workload_id for line in lines)
    nodes = _names_of_nodes({line.row.resource.segment for line in lines})
    return tuple(_line_row(line, workloads, nodes) for line in lines)


def _line_row(line: AllocationLine, workloads: dict[int, str], nodes: dict[str, str]) -> LineRow:
    row, resource, charge = line.row, line.row.resource, line.row.charge
    is_by_gpu = line.gpu_model != "" or line.denominator > 1
    return LineRow(
        id=line.pk,
        bill_row_id=row.pk,
        source=line.run.source.name,
        file_name=row.part.delivery.file_name,
        line=row.line,
        account=line.account.key,
        label=line.account.label,
        day=str(line.day),
        charge_start_at=row.charge_start_at,
        charge_end_at=row.charge_end_at,
        service=charge.service_name,
        description=charge.charge_description,
        category=charge.charge_category,
        resource_id=resource.resource_id,
        resource_name=resource.resource_name,
        node=nodes.get(resource.segment, "") if is_by_gpu else "",
        gpu_model=line.gpu_model,
        workload=workloads.get(line.workload_id or 0, ""),
        unit=_unit(line, nodes),
        numerator=line.numerator,
        denominator=line.denominator,
        row_amount=row.billed if line.run.basis == "billed" or row.effective is None else row.effective,
        amount=line.amount,
        currency=line.run.currency,
    )


def _unit(line: AllocationLine, nodes: dict[str, str]) -> str:
    """What numerator and denominator count: GPU time of a node, time of a row of several days, or the whole row."""
    if line.row.resource.segment in nodes:
        return "GPU-microseconds"
    return "microseconds" if line.denominator > 1 else "whole"


def _names_of_workloads(ids: Iterable[int | None]) -> dict[int, str]:
    wanted = {pk for pk in ids if pk}
    return {found.pk: str(found) for found in Workload.objects.filter(pk__in=wanted)} if wanted else {}


def _names_of_nodes(segments: set[str]) -> dict[str, str]:
    if not any(segments):
        return {}
    found = Node.objects.exclude(provider_id="").exclude(gpus=0).values_list("provider_id", "name")
    names = {last_segment(provider_id): name for provider_id, name in found}
    return {segment: names[segment] for segment in segments if segment in names}
