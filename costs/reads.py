"""What periods and statements say: the ledger's answers for pages and the API, each within the caller's teams."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet, Sum

from costs.errors import UnknownAccountError
from costs.models import (
    Account,
    AccountKind,
    AllocationLine,
    AllocationRun,
    CostDay,
    DeliveryPart,
    DeliveryState,
    LedgerVersion,
    Posting,
    QuarantinedRow,
    Statement,
)
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Team
from fleetledger.lib import money
from fleetledger.lib.buckets import Month


@dataclass(frozen=True, slots=True)
class PeriodTotal:
    """A billing period's money in one currency. `allocated` is the statements' sum, `billed` what the bills say."""

    currency: str
    billed: Decimal
    effective: Decimal
    exact: Decimal
    allocated: Decimal
    row_count: int


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """A billing period with its totals per currency; `totals` is empty for callers without fleet scope."""

    period: str
    status: str
    totals: tuple[PeriodTotal, ...]
    sources: tuple[str, ...]
    quarantined_rows: int
    allocated_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class StatementSource:
    """What one source put on a statement: exact, then rounded with its rounding set."""

    source: str
    basis: str
    exact: Decimal
    amount: Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class StatementRow:
    """What an account bears in a period and currency. `account` is the team's slug or `(idle)` and the like."""

    period: str
    account: str
    kind: str
    reason: str
    label: str
    team: str | None
    cost_center: str
    currency: str
    exact: Decimal
    amount: Decimal
    previous_amount: Decimal | None
    status: str
    number: str | None
    content_hash: str | None
    sources: tuple[StatementSource, ...]


class ChargeGroup(StrEnum):
    TEAM = "team"
    DAY = "day"
    GPU_MODEL = "gpu_model"
    SOURCE = "source"
    WORKLOAD = "workload"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """Exact cost of a group; `idle` is the part of it that was held and not busy."""

    group: str
    label: str
    currency: str
    exact: Decimal
    idle: Decimal


_GROUP_FIELDS: dict[ChargeGroup, tuple[str, ...]] = {
    ChargeGroup.TEAM: ("account",),
    ChargeGroup.DAY: ("day",),
    ChargeGroup.GPU_MODEL: ("gpu_model",),
    ChargeGroup.SOURCE: ("run__source__name",),
    ChargeGroup.WORKLOAD: ("workload__namespace", "workload__name"),
    ChargeGroup.SERVICE: ("row__charge__service_name",),
}


def version() -> int:
    """Counts the ledger's changes; equal versions give equal answers."""
    return LedgerVersion.objects.filter(pk=1).values_list("version", flat=True).first() or 0


def visible_accounts(teams: TeamScope) -> Q:
    """The accounts a caller may see, as a filter on `account`: all for the fleet, own teams' otherwise."""
    return Q() if teams.fleet else Q(account__kind=AccountKind.TEAM, account__team_id__in=teams.team_ids)


def account(key: str, *, teams: TeamScope) -> Account:
    """The account a key names; raises UnknownAccountError also where the caller may not see it."""
    found = Account.objects.select_related("team")
    if key.startswith("("):
        kind, _, reason = key.strip("()").partition(":")
        candidate = found.filter(kind=kind, reason=reason, team=None).first() if teams.fleet else None
    else:
        candidate = found.filter(kind=AccountKind.TEAM, team__slug=key).first()
    if candidate is None or not (teams.fleet or teams.allows(candidate.team_id)):
        raise UnknownAccountError(key)
    return candidate


def periods(*, teams: TeamScope) -> tuple[PeriodSummary, ...]:
    """Every billing period with rows or statements, the newest first."""
    if not teams.fleet:
        own = Statement.objects.filter(visible_accounts(teams)).values_list("period", flat=True).distinct()
        return tuple(_summary(on, totals=(), sources=(), quarantined=0) for on in sorted(own, reverse=True))
    billed: dict[date, list[DeliveryPart]] = {}
    for part in _live_parts():
        billed.setdefault(part.period, []).append(part)
    return tuple(_fleet_summary(on, billed[on]) for on in sorted(billed, reverse=True))


def period(month: Month, *, teams: TeamScope) -> PeriodSummary | None:
    """One billing period, or None where the caller can see nothing of it."""
    name = str(month)
    return next((summary for summary in periods(teams=teams) if summary.period == name), None)


def statements(month: Month, *, teams: TeamScope, source: str | None = None) -> tuple[StatementRow, ...]:
    """A period's statements, teams by name first, then idle and what is unallocated; `source` narrows the amounts."""
    found = _statements_of(month, teams)
    previous = {
        (row.account_id, row.currency): money.from_minor(row.amount_minor, row.currency)
        for row in Statement.objects.filter(visible_accounts(teams), period=month.previous.start.date())
    }
    rows = [_statement_row(row, previous.get((row.account_id, row.currency)), source) for row in found]
    kept = [row for row in rows if source is None or row.sources]
    return tuple(sorted(kept, key=_statement_order))


def statement(month: Month, key: str, currency: str | None = None, *, teams: TeamScope) -> tuple[StatementRow, ...]:
    """An account's statements of a period, one per currency; empty where it has none."""
    wanted = account(key, teams=teams)
    rows = statements(month, teams=teams)
    return tuple(row for row in rows if row.account == wanted.key and currency in (None, row.currency))


def charges(
    month: Month, *, teams: TeamScope, team: str | None = None, group_by: ChargeGroup = ChargeGroup.TEAM
) -> tuple[ChargeRow, ...]:
    """A period's exact costs by one of the groups, the costliest first; currencies stay apart.

    By service the sums come from the lines themselves, which takes longer than the others.
    """
    period_on = month.start.date()
    wanted = None if team is None else account(team, teams=teams)
    found: QuerySet[Any]
    if group_by is ChargeGroup.SERVICE:
        found = AllocationLine.objects.filter(
            visible_accounts(teams), run__in=AllocationRun.objects.filter(period=period_on)
        )
        sums = {"exact": Sum("amount"), "idle_cost": Sum(F("amount") * F("idle_numerator") / F("numerator"))}
    else:
        found = CostDay.objects.filter(visible_accounts(teams), run__period=period_on)
        sums = {"exact": Sum("cost"), "idle_cost": Sum("idle")}
    if wanted is not None:
        found = found.filter(account=wanted)
    found = found.values(*_GROUP_FIELDS[group_by], "run__currency").annotate(**sums).order_by()
    groups = list(found)
    accounts = _accounts({group["account"] for group in groups}) if group_by is ChargeGroup.TEAM else {}
    rows = [_charge_row(group, group_by, accounts) for group in groups]
    if group_by is ChargeGroup.DAY:
        return tuple(sorted(rows, key=lambda row: (row.currency, row.group)))
    return tuple(sorted(rows, key=lambda row: (row.currency, -row.exact, row.group)))


def _statements_of(month: Month, teams: TeamScope) -> QuerySet[Statement]:
    postings = Posting.objects.select_related("run__source").order_by("run__source__name", "pk")
    return (
        Statement.objects.filter(visible_accounts(teams), period=month.start.date())
        .select_related("account__team")
        .prefetch_related(Prefetch("postings", queryset=postings))
    )


def _statement_row(row: Statement, previous: Decimal | None, source: str | None) -> StatementRow:
    parts = tuple(
        StatementSource(
            source=posting.run.source.name,
            basis=posting.run.basis,
            exact=posting.exact,
            amount=money.from_minor(posting.amount_minor, row.currency),
            kind=posting.kind,
        )
        for posting in row.postings.all()
        if source in (None, posting.run.source.name)
    )
    narrowed = source is not None
    team: Team | None = row.account.team
    zero = money.from_minor(0, row.currency)
    return StatementRow(
        period=f"{row.period:%Y-%m}",
        account=row.account.key,
        kind=row.account.kind,
        reason=row.account.reason,
        label=row.account.label,
        team=team.slug if team else None,
        cost_center=team.cost_center if team else "",
        currency=row.currency,
        exact=money.total([part.exact for part in parts]) if narrowed else row.exact,
        amount=sum((part.amount for part in parts), zero)
        if narrowed
        else money.from_minor(row.amount_minor, row.currency),
        previous_amount=previous,
        status=row.state,
        number=row.number or None,
        content_hash=row.content_hash or None,
        sources=parts,
    )


def _statement_order(row: StatementRow) -> tuple[str, int, str]:
    return row.currency, list(AccountKind.values).index(row.kind), row.label


def _live_parts() -> QuerySet[DeliveryPart]:
    return DeliveryPart.objects.filter(superseded_by=None, delivery__state=DeliveryState.IMPORTED).select_related(
        "delivery__source"
    )


def _fleet_summary(on: date, parts: Sequence[DeliveryPart]) -> PeriodSummary:
    runs = list(AllocationRun.objects.filter(period=on))
    totals = tuple(_period_total(currency, parts, runs) for currency in sorted({part.currency for part in parts}))
    quarantined = QuarantinedRow.objects.filter(delivery__in={part.delivery_id for part in parts}).count()
    allocated = {delivery for run in runs for delivery in run.inputs.get("deliveries", [])}
    return _summary(
        on,
        totals=totals,
        sources=tuple(sorted({part.delivery.source.name for part in parts})),
        quarantined=quarantined,
        allocated_at=max((run.finished_at for run in runs if run.finished_at), default=None),
        stale=bool(runs) and {part.delivery.sha256 for part in parts} != allocated,
    )


def _period_total(currency: str, parts: Sequence[DeliveryPart], runs: Sequence[AllocationRun]) -> PeriodTotal:
    own = [part for part in parts if part.currency == currency]
    done = [run for run in runs if run.currency == currency]
    return PeriodTotal(
        currency=currency,
        billed=money.total([part.billed for part in own]),
        effective=money.total([part.effective for part in own]),
        exact=money.total([run.exact for run in done]),
        allocated=money.from_minor(sum(run.amount_minor for run in done), currency),
        row_count=sum(part.row_count for part in own),
    )


def _summary(
    on: date,
    *,
    totals: tuple[PeriodTotal, ...],
    sources: tuple[str, ...],
    quarantined: int,
    allocated_at: datetime | None = None,
    stale: bool = False,
) -> PeriodSummary:
    return PeriodSummary(
        period=f"{on:%Y-%m}",
        status="draft",
        totals=totals,
        sources=sources,
        quarantined_rows=quarantined,
        allocated_at=allocated_at,
        stale=stale,
    )


def _accounts(ids: set[int]) -> dict[int, Account]:
    return {found.pk: found for found in Account.objects.filter(pk__in=ids).select_related("team")}


def _charge_row(group: dict[str, Any], group_by: ChargeGroup, accounts: dict[int, Account]) -> ChargeRow:
    texts = [group[field] for field in _GROUP_FIELDS[group_by]]
    named = accounts.get(texts[0]) if group_by is ChargeGroup.TEAM else None
    name = "/".join(str(text) for text in texts if text)
    return ChargeRow(
        group=named.key if named else name,
        label=named.label if named else name,
        currency=group["run__currency"],
        exact=group["exact"],
        idle=group["idle_cost"],
    )
