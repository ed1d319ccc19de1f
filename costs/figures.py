"""What the costs pages show: statements with their shares, key figures, and how it all adds up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from costs.reads import ChargeRow, PeriodSummary, PeriodTotal, StatementRow
from fleetledger.lib import money
from fleetledger.lib.buckets import Month
from fleetledger.web import words
from fleetledger.web.charts import Figure, Series, stacked_bars
from fleetledger.web.kpis import Delta, Kpi, Share, change_in_percent

TEAM, IDLE, UNALLOCATED = "team", "idle", "unallocated"
DRAFT = "draft"
NAMED_SHARES = 8
COLORS = ("k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8")
CHART_COLORS = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8")
CHART_COLOR_OF_KIND = {IDLE: "idle", UNALLOCATED: "unknown"}
COLOR_OF_KIND = {IDLE: "k-idle", UNALLOCATED: "k-unknown"}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement in its month's table. `share` is its percentage of all that the reader sees in this currency."""

    row: StatementRow
    url: str
    share: float
    change: Delta | None


@dataclass(frozen=True, slots=True)
class AddsUp:
    """Whether the statements are the bill. `tone` is good or bad; `text` says it with both sums."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class MonthLink:
    """A month to go to; `url` is empty where there is nothing to see."""

    label: str
    url: str
    is_current: bool = False


def month_label(period: str) -> str:
    """2026-10 as October 2026."""
    return f"{Month.parse(period).start:%B %Y}"


def statement_url(row: StatementRow) -> str:
    return f"/chargeback/{row.period}/{quote(row.account, safe='():-')}/?currency={row.currency}"


def currencies(rows: Iterable[StatementRow], summary: PeriodSummary | None) -> tuple[str, ...]:
    """The currencies of a month, the one with most money first."""
    weights: dict[str, Decimal] = {}
    for total in summary.totals if summary else ():
        weights[total.currency] = abs(total.billed)
    for row in rows:
        weights[row.currency] = weights.get(row.currency, ZERO) + abs(row.amount)
    return tuple(sorted(weights, key=lambda code: (-weights[code], code)))


def statement_views(rows: Sequence[StatementRow]) -> tuple[StatementView, ...]:
    """Rows of one currency with their part of the whole; refunds and credits count by their size."""
    whole = sum((abs(row.amount) for row in rows), ZERO)
    return tuple(
        StatementView(
            row=row,
            url=statement_url(row),
            share=float(abs(row.amount) / whole * 100) if whole else 0.0,
            change=change(row.amount, row.previous_amount, up_is_good=_judged(rows)),
        )
        for row in rows
    )


def _judged(rows: Sequence[StatementRow]) -> bool | None:
    """Less is good; a draft's change is neither, for its month may still be running."""
    return None if any(row.status == DRAFT for row in rows) else False


def change(now: Decimal, before: Decimal | None, *, up_is_good: bool | None = False) -> Delta | None:
    """Against the month before; None where there was nothing."""
    return change_in_percent(float(now), float(before), up_is_good=up_is_good) if before else None


def summed(rows: Iterable[StatementRow], *kinds: str) -> Decimal:
    """The rounded amounts of these kinds, all of them where none is named."""
    return money.total([row.amount for row in rows if not kinds or row.kind in kinds])


def fleet_cards(
    total: PeriodTotal, rows: Sequence[StatementRow], before: Sequence[StatementRow], days: Sequence[ChargeRow]
) -> tuple[Kpi, ...]:
    """Billed, charged to teams, idle, unallocated: against the month before."""
    currency = total.currency
    everything = summed(rows)
    spark = tuple(float(day.exact) for day in days)
    note = "vs the month before" if before else _rows_note(total)
    cards = [
        Kpi(
            "Billed",
            words.money(total.billed, currency, whole=True),
            spark=spark,
            delta=change(everything, summed(before), up_is_good=_judged(rows)),
            note=note,
        )
    ]
    parts = (
        ("Charged to teams", TEAM, "k2", None),
        ("Idle", IDLE, "k3", False),
        ("Unallocated", UNALLOCATED, "k4", False),
    )
    for label, kind, color, up_is_good in parts:
        amount = summed(rows, kind)
        delta = change(amount, summed(before, kind), up_is_good=up_is_good if _judged(rows) is not None else None)
        part = f"{_percent(amount, everything)} of the bill"
        cards.append(Kpi(label, words.money(amount, currency, whole=True), color=color, delta=delta, note=part))
    return tuple(cards)


def team_cards(
    rows: Sequence[StatementRow], before: Sequence[StatementRow], days: Sequence[ChargeRow]
) -> tuple[Kpi, ...]:
    """What the reader's own teams bear, and how much of it they held without using it."""
    if not rows:
        return ()
    currency = rows[0].currency
    cost = money.total([day.exact for day in days])
    idle = money.total([day.idle for day in days])
    spark = tuple(float(day.exact) for day in days)
    name = rows[0].label if len(rows) == 1 else words.plural(len(rows), "team")
    amount = summed(rows)
    return (
        Kpi(
            "Charged",
            words.money(amount, currency, whole=True),
            spark=spark,
            delta=change(amount, summed(before), up_is_good=_judged(rows)),
            note="vs the month before" if before else name,
        ),
        Kpi(
            "Held but idle",
            words.money(idle, currency, whole=True),
            spark=tuple(float(day.idle) for day in days),
            color="k3",
            note=f"{_percent(idle, cost)} of the cost",
        ),
        *_per_day(cost, currency, days),
    )


def adds_up(total: PeriodTotal, rows: Sequence[StatementRow]) -> AddsUp:
    """Compares exact sums: every statement of the currency against what the bills say on the basis they are read by."""
    bases = {part.basis for row in rows for part in row.sources}
    said = words.money(total.allocated, total.currency)
    exact = money.total([row.exact for row in rows])
    if exact != total.exact:
        gap = words.exact_money(total.exact - exact, total.currency)
        return AddsUp("bad", f"The statements miss {gap}. Run: fleetledger allocate {rows[0].period}")
    if total.exact == total.billed:
        return AddsUp("good", f"Adds up to the bill of {said}")
    billed = words.money(total.billed, total.currency)
    if total.exact == total.effective:
        return AddsUp("good", f"Adds up to the effective cost of {said}; the bill says {billed}")
    if bases == {"billed", "effective"}:
        return AddsUp("good", f"Adds up to {said}, each source by its own basis; the bills say {billed}")
    return AddsUp("bad", f"The statements say {said}, the bills {billed}. Run: fleetledger allocate {rows[0].period}")


def where_it_went(views: Sequence[StatementView]) -> tuple[Share, ...]:
    """The largest teams, the other ones together, then idle and what nobody bears."""
    teams = sorted((view for view in views if view.row.kind == TEAM), key=lambda view: -view.row.amount)
    others = [view for view in views if view.row.kind != TEAM]
    named = [
        _share(view, color) for view, color in zip(teams[:NAMED_SHARES], COLORS, strict=False) if view.row.amount > 0
    ]
    rest = teams[NAMED_SHARES:]
    if rest:
        amount = summed(view.row for view in rest)
        label = words.plural(len(rest), "other team")
        share = sum(view.share for view in rest)
        named.append(Share(label, float(amount), "k-other", words.money(amount, rest[0].row.currency), f"{share:.1f}%"))
    kinds = [
        _kind_share(kind, [view for view in others if view.row.kind == kind])
        for kind in dict.fromkeys(view.row.kind for view in others)
    ]
    return (*named, *kinds)


def statement_cards(
    row: StatementRow, models: Sequence[ChargeRow], days: Sequence[ChargeRow], lines: int
) -> tuple[Kpi, ...]:
    """A statement's amount, the same rounded nowhere, what of it was held and not used, and how many lines say so."""
    cost = money.total([model.exact for model in models])
    idle = money.total([model.idle for model in models])
    before = words.money(row.previous_amount, row.currency, whole=True) if row.previous_amount is not None else ""
    cards = [
        Kpi(
            "Amount",
            words.money(row.amount, row.currency),
            spark=tuple(float(day.exact) for day in days),
            delta=change(row.amount, row.previous_amount, up_is_good=_judged([row])),
            note=f"{before} before" if before else "nothing the month before",
        )
    ]
    if row.kind == TEAM:
        part = f"{_percent(idle, cost)} of the cost"
        spark = tuple(float(day.idle) for day in days)
        cards.append(
            Kpi("Held but idle", words.money(idle, row.currency, whole=True), spark=spark, color="k3", note=part)
        )
    cards += _per_day(cost, row.currency, days)
    cards.append(Kpi("Lines", f"{lines:,}", note="which sum to it exactly"))
    return tuple(cards)


def _per_day(cost: Decimal, currency: str, days: Sequence[ChargeRow]) -> list[Kpi]:
    """The mean of the days that cost something; none where no day did."""
    if not days:
        return []
    mean = money.EXACT.divide(cost, Decimal(len(days)))
    return [
        Kpi("A day", words.money(mean, currency, whole=True), note=f"over {words.plural(len(days), 'day')} with cost")
    ]


def model_shares(models: Sequence[ChargeRow], currency: str) -> tuple[Share, ...]:
    """Cost by GPU model; what no GPU stands behind is told as such."""
    whole = money.total([abs(model.exact) for model in models])
    return tuple(
        Share(
            label=words.gpu_model(model.label) or "Not on a GPU",
            amount=float(model.exact),
            color=COLORS[place] if place < len(COLORS) and model.label else "k-other",
            value=words.money(model.exact, currency),
            note=_percent(abs(model.exact), whole),
        )
        for place, model in enumerate(models)
    )


def cost_by_day(
    month: Month, currency: str, parts: Sequence[tuple[StatementRow, Sequence[ChargeRow]]], whole: Sequence[ChargeRow]
) -> Figure:
    """Bars of each day's exact cost; what the named accounts leave over is one more series."""
    days = sorted({row.group for row in whole})
    rest = {row.group: row.exact for row in whole}
    series, colors = [], iter(CHART_COLORS)
    for row, charges in parts:
        own = {charge.group: charge.exact for charge in charges if charge.currency == currency}
        for day, cost in own.items():
            rest[day] = rest.get(day, ZERO) - cost
        color = CHART_COLOR_OF_KIND.get(row.kind) or next(colors)
        series.append(Series(row.label, [float(own.get(day, ZERO)) for day in days], color, statement_url(row)))
    if any(rest.values()):
        series.append(Series("Others", [float(rest[day]) for day in days], "c-other"))
    return stacked_bars(days, series, unit=currency, empty=f"{month} has no cost by day yet")


def month_links(known: Sequence[PeriodSummary], current: str) -> tuple[MonthLink, ...]:
    return tuple(
        MonthLink(month_label(one.period), f"/chargeback/?period={one.period}", one.period == current) for one in known
    )


def _share(view: StatementView, color: str) -> Share:
    row = view.row
    return Share(
        row.label, float(row.amount), color, words.money(row.amount, row.currency), f"{view.share:.1f}%", view.url
    )


def _kind_share(kind: str, views: Sequence[StatementView]) -> Share:
    amount = summed(view.row for view in views)
    label = views[0].row.label if len(views) == 1 else kind.replace("_", " ").capitalize()
    share = sum(view.share for view in views)
    color = COLOR_OF_KIND.get(kind, "k-other")
    url = views[0].url if len(views) == 1 else ""
    return Share(label, float(amount), color, words.money(amount, views[0].row.currency), f"{share:.1f}%", url)


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole * 100:.1f}%" if whole else words.NOTHING


def _rows_note(total: PeriodTotal) -> str:
    return words.plural(total.row_count, "bill row")
