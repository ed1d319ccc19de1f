"""What alerting is told about money: what of the latest month's bill no team bears."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from costs import reads
from costs.models import AccountKind, CostDay, Reason, Statement
from costs.reads import StatementRow
from fleetledger.fleet.access import TeamScope
from fleetledger.lib import money
from fleetledger.lib.buckets import Month
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found

EVERYTHING = TeamScope.everything()


@dataclass(frozen=True, slots=True)
class Options:
    """An alert needs both: an amount above `above`, in the bill's currency, and `share` of the month's bill or more."""

    above: Decimal = Decimal(100)
    share: float = 0.01


def look(question: Question) -> Sequence[Found]:
    """A result per reason and currency of the latest month with statements; its value is the amount."""
    options: Options = question.options
    on = question.at.date()
    period = Statement.objects.filter(period__lte=on).order_by("-period").values_list("period", flat=True).first()
    if period is None:
        return []
    month = Month.of(period)
    rows = reads.statements(month, teams=EVERYTHING)
    return [
        _found(row, month, _total(rows, row.currency))
        for row in rows
        if row.kind == AccountKind.UNALLOCATED and _is_too_much(row, _total(rows, row.currency), options)
    ]


def _total(rows: Sequence[StatementRow], currency: str) -> Decimal:
    return money.total([row.amount for row in rows if row.currency == currency])


def _is_too_much(row: StatementRow, total: Decimal, options: Options) -> bool:
    return row.amount > options.above and row.amount >= Decimal(str(options.share)) * abs(total)


def _found(row: StatementRow, month: Month, total: Decimal) -> Found:
    labels = {"reason": row.reason, "currency": row.currency, "period": str(month)}
    share = f"{row.amount / total:.1%}" if total else "all"
    amount = f"{money.plain(row.amount)} {row.currency}"
    told = {
        "summary": f"{amount} of {month} is borne by no team: {Reason(row.reason).label}",
        "description": f"That is {share} of the month's bill. Its rows are on the costs page under {row.account}.",
        "impact_per_day": money.plain(_per_day(row, month)),
        "impact_currency": row.currency,
    }
    return Found(labels, float(row.amount), None, told)


def _per_day(row: StatementRow, month: Month) -> Decimal:
    """The mean of the days that cost something, in the currency's minor units."""
    account = reads.account(row.account, teams=EVERYTHING)
    days = CostDay.objects.filter(account=account, run__period=month.start.date(), run__currency=row.currency)
    count = days.exclude(cost=0).values("day").distinct().count()
    minor = money.rounded_minor(money.EXACT.divide(row.amount, Decimal(max(1, count))), row.currency)
    return money.from_minor(minor, row.currency)


FACT = Fact("unallocated_money", look, Options, "Money of the latest month that no team bears, by its reason.")
