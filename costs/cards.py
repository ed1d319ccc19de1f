"""Shows money on pages that are about more than money: spend of the month so far, what of it was idle, by GPU model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate

from costs.errors import UnknownAccountError
from costs.reads_teams import CostGroup, TeamCost, team_costs
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import DAY, Month, Window
from fleetledger.web import words
from fleetledger.web.kpis import Kpi, Share, change_in_percent

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spend:
    """A month so far in its main currency, by day; `others` are sums in further currencies, never added to it."""

    window: Window
    currency: str
    total: Decimal
    idle: Decimal
    before: Decimal
    idle_before: Decimal
    by_day: tuple[Decimal, ...]
    idle_by_day: tuple[Decimal, ...]
    others: tuple[tuple[str, Decimal], ...]

    @property
    def is_known(self) -> bool:
        return bool(self.currency)


def costs_of(
    window: Window, *, teams: TeamScope, team: str | None = None, group_by: CostGroup = CostGroup.TOTAL
) -> tuple[TeamCost, ...]:
    """As `team_costs`; a team that no bill ever named has cost nothing."""
    try:
        return team_costs(window, teams=teams, team=team, group_by=group_by)
    except UnknownAccountError:
        return ()


def month_to_date(now: datetime, *, teams: TeamScope, team: str | None = None) -> Spend:
    """The current month up to now, against the same days of the month before."""
    month = Month.of(now)
    window = Window(month.start, now)
    days = costs_of(window, teams=teams, team=team, group_by=CostGroup.DAY)
    totals = _totals(days)
    currency = max(totals, key=lambda code: abs(totals[code]), default="")
    own = [row for row in days if row.currency == currency]
    before = costs_of(_before(month, own), teams=teams, team=team, group_by=CostGroup.TOTAL) if own else ()
    earlier = next((row for row in before if row.currency == currency), None)
    return Spend(
        window=window,
        currency=currency,
        total=totals.get(currency, ZERO),
        idle=sum((row.idle for row in own), ZERO),
        before=earlier.cost if earlier else ZERO,
        idle_before=earlier.idle if earlier else ZERO,
        by_day=tuple(row.cost for row in own),
        idle_by_day=tuple(row.idle for row in own),
        others=tuple((code, total) for code, total in sorted(totals.items()) if code != currency),
    )


def spend_card(spend: Spend, href: str = "") -> Kpi:
    """Spend, month to date; its line rises with the days."""
    label = "Spend, month to date"
    if not spend.is_known:
        return Kpi(label, words.NOTHING, note=f"No bill for {spend.window.start:%B} yet", href=href)
    others = ", ".join(words.money(total, code, whole=True) for code, total in spend.others)
    return Kpi(
        label,
        words.money(spend.total, spend.currency, whole=True),
        spark=[float(value) for value in accumulate(spend.by_day)],
        color="k4",
        delta=change_in_percent(float(spend.total), float(spend.before), up_is_good=False),
        note=f"and {others}" if others else "vs same days last month" if spend.before else "",
        href=href,
    )


def idle_card(spend: Spend, href: str = "") -> Kpi:
    """What of the spend was held and did nothing."""
    if not spend.is_known:
        return Kpi("Idle cost", words.NOTHING, note="Needs a bill", color="k2", href=href)
    share = f"{spend.idle / spend.total:.0%} of spend" if spend.total > 0 else ""
    return Kpi(
        "Idle cost",
        words.money(spend.idle, spend.currency, whole=True),
        spark=[float(value) for value in spend.idle_by_day],
        color="k2",
        delta=change_in_percent(float(spend.idle), float(spend.idle_before), up_is_good=False),
        note=share,
        href=href,
    )


def by_model(window: Window, currency: str, *, teams: TeamScope, team: str | None = None, keep: int = 5) -> list[Share]:
    """Cost by GPU model in one currency, the costliest first; what is no GPU's (storage, network) is named so."""
    rows = [
        row
        for row in costs_of(window, teams=teams, team=team, group_by=CostGroup.GPU_MODEL)
        if row.currency == currency and row.cost
    ]
    total = sum((row.cost for row in rows if row.cost > 0), ZERO)
    named = [
        (words.gpu_model(row.group) or "Not on a GPU", row.cost, row.idle, f"k{place}")
        for place, row in enumerate(rows[:keep], 1)
    ]
    rest = rows[keep:]
    if rest:
        sums = (sum((row.cost for row in rest), ZERO), sum((row.idle for row in rest), ZERO))
        named.append((f"Other ({len(rest)})", *sums, "k-other"))
    return [
        Share(label, float(cost), color, words.money(cost, currency, whole=True), _share_note(cost, idle, total))
        for label, cost, idle, color in named
    ]


def _share_note(cost: Decimal, idle: Decimal, total: Decimal) -> str:
    """As in "57% · 12% idle"."""
    if cost <= 0 or total <= 0:
        return ""
    return f"{cost / total:.0%}" + (f" · {idle / cost:.0%} idle" if idle else "")


def _before(month: Month, days: Sequence[TeamCost]) -> Window:
    """As many days of the month before as the bills of this one cover."""
    covered = date.fromisoformat(days[-1].group) - month.start.date() + DAY
    return Window(month.previous.start, min(month.previous.start + covered, month.start))


def _totals(rows: Sequence[TeamCost]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row.currency] = totals.get(row.currency, ZERO) + row.cost
    return totals
