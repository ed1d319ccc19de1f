"""The pages about who pays: a month's chargeback, one statement, one bill row."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from costs import figures, reads, reads_lines
from costs.errors import UnknownAccountError
from costs.figures import StatementView
from costs.fractions import line_views
from costs.reads import ChargeGroup, PeriodSummary, StatementRow
from fleetledger.fleet.access import Capability, TeamScope, can, teams_visible_to
from fleetledger.lib import money
from fleetledger.lib.buckets import Month, PeriodError
from fleetledger.lib.numbers import whole
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.kpis import Share
from fleetledger.web.tables import Column, build_table

LINES_PER_PAGE = 50
CSV_LINES = 1000  # read at a time while a download streams
STATEMENT_COLUMNS: tuple[Column[StatementView], ...] = (
    Column("team", "Team", lambda view: view.row.label.casefold()),
    Column("amount", "Amount", lambda view: view.row.amount, align="right", first_descending=True),
    Column("share", "Share", lambda view: view.share, first_descending=True),
    Column("before", "Month before", lambda view: view.row.previous_amount, align="right", first_descending=True),
    Column("change", "Change", lambda view: _difference(view.row), align="right", first_descending=True),
    Column("state", "State", align="right"),
)
STATEMENT_HEADER = (
    "period", "account", "kind", "label", "cost_center", "currency", "amount", "exact", "previous_amount",
    "status", "number",
)  # fmt: skip
LINE_HEADER = (
    "source", "file_name", "line", "bill_row_id", "day", "service", "description", "category", "resource_id", "node",
    "gpu_model", "workload", "unit", "numerator", "denominator", "row_amount", "amount", "currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: the month, its summary, its statements in one currency."""

    month: Month
    summary: PeriodSummary | None
    currencies: tuple[str, ...]
    currency: str
    rows: tuple[StatementRow, ...]
    before: tuple[StatementRow, ...]


@require_safe
def chargeback(request: HttpRequest) -> HttpResponseBase:
    """A month's statements: who pays what, what is idle or unallocated, and that it adds up to the bill."""
    teams = teams_visible_to(request.user)
    known = reads.periods(teams=teams)
    asked = _asked(request, known, teams)
    if asked is None:
        words = {"may_import": can(request.user, Capability.IMPORT_BILLS), "sees_fleet": teams.fleet}
        return render(request, "costs/no_bills.html", words)
    if wants_csv(request):
        every = reads.statements(asked.month, teams=teams)
        return csv_response(f"chargeback-{asked.month}", STATEMENT_HEADER, (_statement_cells(row) for row in every))
    return render(request, "costs/chargeback.html", _chargeback_words(request, asked, known, teams))


@require_safe
def days_figure(request: HttpRequest, period: str) -> HttpResponseBase:
    """The month's cost by day, the largest accounts apart."""
    teams = teams_visible_to(request.user)
    month = _month(period)
    currency = request.GET.get("currency", "")
    rows = [row for row in reads.statements(month, teams=teams) if row.currency == currency]
    largest = sorted(sorted(rows, key=lambda row: -abs(row.amount))[: figures.NAMED_SHARES], key=_teams_first)
    parts = [(row, reads.charges(month, teams=teams, team=row.account, group_by=ChargeGroup.DAY)) for row in largest]
    whole = reads.charges(month, teams=teams, group_by=ChargeGroup.DAY)
    figure = figures.cost_by_day(month, currency, parts, [row for row in whole if row.currency == currency])
    return figure_response(request, figure, f"cost-by-day-{month}")


@require_safe
def statement(request: HttpRequest, period: str, account: str) -> HttpResponseBase:
    """One account's month with the lines that sum to it. Another team's is no page."""
    teams = teams_visible_to(request.user)
    month = _month(period)
    try:
        rows = reads.statement(month, account, teams=teams)
    except UnknownAccountError as error:
        raise Http404(str(error)) from error
    row = next((row for row in rows if row.currency == request.GET.get("currency", row.currency)), None)
    if row is None:
        raise Http404(f"There is no statement of {figures.month_label(period)} here.")
    if wants_csv(request):
        name = f"statement-{month}-{row.account}-{row.currency}"
        return csv_response(name, LINE_HEADER, _all_lines(month, row, teams))
    return render(request, "costs/statement.html", _statement_words(request, month, row, rows, teams))


@require_safe
def bill_row(request: HttpRequest, row_id: int) -> HttpResponseBase:
    """A bill row as it came, with the lines that divide it."""
    teams = teams_visible_to(request.user)
    found = reads_lines.bill_row(row_id, teams=teams)
    if found is None:
        raise Http404("There is no such bill row among those you may see.")
    if wants_csv(request):
        rows = ([getattr(line, name) for name in LINE_HEADER] for line in found.lines)
        return csv_response(f"bill-row-{row_id}", LINE_HEADER, rows)
    basis = found.effective if found.basis == "effective" and found.effective is not None else found.billed
    words = {
        "row": found,
        "amount": basis,
        "lines": line_views(found.lines),
        "sum": money.total([line.amount for line in found.lines]),
        "sees_fleet": teams.fleet,
    }
    return render(request, "costs/bill_row.html", words)


def _asked(request: HttpRequest, known: Sequence[PeriodSummary], teams: TeamScope) -> Asked | None:
    """The month of the address, else the newest; None while there is no month at all."""
    text = request.GET.get("period", "")
    if not text and not known:
        return None
    month = _month(text or known[0].period)
    summary = next((one for one in known if one.period == str(month)), None)
    rows = reads.statements(month, teams=teams)
    codes = figures.currencies(rows, summary)
    currency = request.GET.get("currency", "")
    currency = currency if currency in codes else (codes[0] if codes else "")
    before = reads.statements(month.previous, teams=teams)
    return Asked(
        month=month,
        summary=summary,
        currencies=codes,
        currency=currency,
        rows=tuple(row for row in rows if row.currency == currency),
        before=tuple(row for row in before if row.currency == currency),
    )


def _chargeback_words(
    request: HttpRequest, asked: Asked, known: Sequence[PeriodSummary], teams: TeamScope
) -> dict[str, Any]:
    views = figures.statement_views(asked.rows)
    total = next(
        (one for one in (asked.summary.totals if asked.summary else ()) if one.currency == asked.currency), None
    )
    charges = reads.charges(asked.month, teams=teams, group_by=ChargeGroup.DAY)
    days = [row for row in charges if row.currency == asked.currency]
    teams_only = [view for view in views if view.row.kind == figures.TEAM]
    return {
        "asked": asked,
        "label": figures.month_label(str(asked.month)),
        "period_text": str(asked.month),
        "months": figures.month_links(known, str(asked.month)),
        "older": _neighbour(known, asked.month, step=1),
        "newer": _neighbour(known, asked.month, step=-1),
        "total": total,
        "kpis": figures.fleet_cards(total, asked.rows, asked.before, days)
        if total
        else figures.team_cards(asked.rows, asked.before, days),
        "shares": figures.where_it_went(views) if teams.fleet else _own_models(asked, teams),
        "adds_up": figures.adds_up(total, asked.rows) if total and asked.rows else None,
        "table": build_table(
            teams_only,
            STATEMENT_COLUMNS,
            request.GET,
            text=lambda view: _statement_text(view.row),
            default_sort="-amount",
        ),
        "others": [view for view in views if view.row.kind != figures.TEAM],
        "sum": figures.summed(asked.rows),
        "sum_exact": money.total([row.exact for row in asked.rows]),
        "proofs": [one for one in reads_lines.proof(asked.month, teams=teams) if one.currency == asked.currency]
        if teams.fleet
        else [],
        "sees_fleet": teams.fleet,
        "may_import": can(request.user, Capability.IMPORT_BILLS),
    }


def _own_models(asked: Asked, teams: TeamScope) -> tuple[Share, ...]:
    """Costs by GPU model of all teams that the reader sees."""
    charges = reads.charges(asked.month, teams=teams, group_by=ChargeGroup.GPU_MODEL)
    return figures.model_shares([row for row in charges if row.currency == asked.currency], asked.currency)


def _statement_words(
    request: HttpRequest, month: Month, row: StatementRow, rows: Sequence[StatementRow], teams: TeamScope
) -> dict[str, Any]:
    after = whole(request.GET.get("after", ""), 0)
    page = reads_lines.statement_lines(month, row.account, row.currency, teams=teams, after=after, limit=LINES_PER_PAGE)
    models = [
        one
        for one in reads.charges(month, teams=teams, team=row.account, group_by=ChargeGroup.GPU_MODEL)
        if one.currency == row.currency
    ]
    days = [
        one
        for one in reads.charges(month, teams=teams, team=row.account, group_by=ChargeGroup.DAY)
        if one.currency == row.currency
    ]
    return {
        "row": row,
        "rows": rows,
        "label": figures.month_label(row.period),
        "kpis": figures.statement_cards(row, models, days, page.total_count),
        "models": figures.model_shares(models, row.currency),
        "page": page,
        "lines": line_views(page.lines),
        "is_first": after == 0,
        "sees_fleet": teams.fleet,
    }


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except PeriodError as error:
        raise Http404(str(error)) from error


def _neighbour(known: Sequence[PeriodSummary], month: Month, *, step: int) -> str:
    """The address of the next known month in this direction (they come newest first), or empty."""
    names = [one.period for one in known]
    place = names.index(str(month)) + step if str(month) in names else -1
    return f"/chargeback/?period={names[place]}" if 0 <= place < len(names) else ""


def _all_lines(month: Month, row: StatementRow, teams: TeamScope) -> Any:
    after: int | None = 0
    while after is not None:
        page = reads_lines.statement_lines(month, row.account, row.currency, teams=teams, after=after, limit=CSV_LINES)
        for line in page.lines:
            yield [getattr(line, name) for name in LINE_HEADER]
        after = page.next_after


def _statement_cells(row: StatementRow) -> list[Any]:
    return [getattr(row, name) for name in STATEMENT_HEADER]


def _statement_text(row: StatementRow) -> str:
    return f"{row.label} {row.account} {row.cost_center}"


def _difference(row: StatementRow) -> Decimal | None:
    return None if row.previous_amount is None else row.amount - row.previous_amount


def _teams_first(row: StatementRow) -> bool:
    return row.kind != figures.TEAM
