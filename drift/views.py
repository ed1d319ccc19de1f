"""The pages about models: all of them at a glance, and one with its trend, its heat map and its reports."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from drift import figures, reads, reads_findings, reads_reports, views_native
from drift.models import FindingSeverity
from drift.reads import LastReport, ModelRow, State
from drift.sending import may_send, may_send_some
from drift.wording import STATES
from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import Team, User
from fleetledger.lib.keyset import Cut
from fleetledger.lib.money import plain
from fleetledger.lib.numbers import whole
from fleetledger.web import words
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.kpis import Kpi
from fleetledger.web.tables import Column, build_table
from monitoring.alerts import clock

PER_PAGE = 25
UNDATED_SHOWN = 20
FINDINGS_SHOWN = 10
CSV_REPORTS = 10_000
WORST_FIRST = (State.DRIFTED, State.LATE, State.SOME, State.UNKNOWN, State.EMPTY, State.STEADY)
MODEL_HEADER = (
    "name", "owner", "state", "is_production", "importance", "pool", "reports", "undated", "window_from", "window_to",
    "share", "columns", "drifted_columns", "is_drifted", "last_received_at", "open_findings", "worst_finding",
    "mitigations", "mitigations_estimated", "mitigations_counted", "currency", "estimated", "actual",
)  # fmt: skip
REPORT_HEADER = (
    "id", "model", "state", "generation", "tool", "tool_version", "window_from", "window_to", "dated_by", "received_at",
    "received_by", "share", "drift_share", "is_drifted", "columns", "drifted_columns", "file_name", "note",
)  # fmt: skip
HEAT_HEADER = (
    "column", "report", "window_from", "window_to", "method", "value", "threshold", "direction", "is_drifted",
)  # fmt: skip


def _share(row: ModelRow) -> tuple[float, int] | None:
    return None if row.last is None else (row.last.share or 0.0, row.last.drifted_columns)


def _findings(row: ModelRow) -> tuple[int, int] | None:
    """The worst first, then the most."""
    return (FindingSeverity.values.index(row.worst), row.open_findings) if row.worst else None


def _cost(row: ModelRow) -> tuple[str, Decimal] | None:
    """What it was, else what it was to be; currencies stay apart."""
    first = next(iter(row.costs.spent), None)
    amount = (first.estimated if first.actual is None else first.actual) if first else None
    return (first.currency, amount) if first and amount is not None else None


COLUMNS: tuple[Column[ModelRow], ...] = (
    Column("name", "Model", lambda row: row.name.casefold()),
    Column("state", "State", lambda row: (WORST_FIRST.index(row.state), -row.importance, row.name.casefold())),
    Column("drifted", "Drifted columns", _share, first_descending=True),
    Column("findings", "Open findings", _findings, first_descending=True),
    Column("trend", "Last reports"),
    Column("importance", "Importance", lambda row: row.importance, align="right", first_descending=True),
    Column("cost", "Cost, 90 days", _cost, align="right", first_descending=True),
    Column("window", "Last window", lambda row: row.last.window_to if row.last else None, first_descending=True),
    Column("received", "Received", lambda row: row.last_received_at, align="right", first_descending=True),
)


@require_safe
def models(request: HttpRequest) -> HttpResponseBase:
    """Every model with its state, its last report and its trend."""
    found = reads.models(teams=teams_visible_to(request.user), at=clock.now())
    state = request.GET.get("state", "")
    kept = [row for row in found if state in ("", row.state) or state not in STATES]
    is_download = wants_csv(request)
    table = build_table(kept, COLUMNS, request.GET, text=_text, default_sort="state", everything=is_download)
    if is_download:
        return csv_response("models", MODEL_HEADER, map(_cells, table.rows))
    context = {
        "table": table,
        "state": state if state in STATES else "",
        "states": [(one, STATES[one][0], sum(row.state == one for row in found)) for one in WORST_FIRST],
        "total": len(found),
        "may_send": may_send_some(request.user) if isinstance(request.user, User) else False,
    }
    return render(request, "drift/models.html", context)


@require_safe
def model(request: HttpRequest, name: str) -> HttpResponseBase:
    """One model: how it stands, its trend, columns by reports, and the reports themselves."""
    teams = teams_visible_to(request.user)
    row = _found(request, name)
    if wants_csv(request):
        everything = reads_reports.reports(teams=teams, model=row.name, cut=Cut(CSV_REPORTS))
        return csv_response(
            f"drift-{row.name}", REPORT_HEADER, ([getattr(one, key) for key in REPORT_HEADER] for one in everything)
        )
    before = whole(request.GET.get("before", ""), 0)
    found = reads_reports.reports(teams=teams, model=row.name, cut=Cut(PER_PAGE), beside=before or None)
    shown = found[:PER_PAGE]
    columns = reads_reports.heat_columns(row.id, teams=teams)
    live = reads_findings.Wanted(model=row.name, state="live")
    context = {
        "model": row,
        "findings": reads_findings.page(live, Cut(FINDINGS_SHOWN), teams=teams)[:FINDINGS_SHOWN],
        "cards": _cards(row),
        "reports": shown,
        "next_before": shown[-1].id if len(found) > PER_PAGE else None,
        "is_first": not before,
        "undated": reads_reports.reports(teams=teams, model=row.name, dated=False, cut=Cut(UNDATED_SHOWN)),
        "heat_columns": columns,
        "heat_hidden": max(0, columns - reads_reports.HEAT_COLUMNS),
        "heat_size": _size(columns),
        "may_send": _may_send(request, row),
        "is_waiting": any(one.state != "imported" for one in shown),
        "native": views_native.of_model(row, teams),
    }
    return render(request, "drift/model.html", context)


@require_safe
def trend_figure(request: HttpRequest, name: str) -> HttpResponseBase:
    row = _found(request, name)
    return figure_response(request, figures.trend(row), f"drift-trend-{row.name}")


@require_safe
def heat_figure(request: HttpRequest, name: str) -> HttpResponseBase:
    row = _found(request, name)
    found = reads_reports.heat_map(row.id, teams=teams_visible_to(request.user))
    if wants_csv(request):
        return csv_response(f"drift-scores-{row.name}", HEAT_HEADER, figures.heat_rows(found))
    urls = [reverse("drift-report", args=[report.id]) for report in found.reports]
    return figure_response(request, figures.heat(found, urls))


def _found(request: HttpRequest, name: str) -> ModelRow:
    row = reads.model(name, teams=teams_visible_to(request.user), at=clock.now())
    if row is None:
        raise Http404("There is no such model among those you may see.")
    return row


def _may_send(request: HttpRequest, row: ModelRow) -> bool:
    owner = Team.objects.filter(slug=row.owner).first()
    return (
        isinstance(request.user, User)
        and owner is not None
        and row.state is not State.REMOVED
        and may_send(request.user, owner)
    )


def _cards(row: ModelRow) -> Sequence[Kpi]:
    last = row.last
    if last is None:
        return ()
    share = words.NOTHING if last.share is None else f"{100 * last.share:.0f}"
    limit = "" if last.drift_share is None else f"the data set drifts from {100 * last.drift_share:.0f}%"
    return (
        Kpi("Drifted columns", *_counted(last), note="in the last dated report"),
        Kpi("Share", share, unit="%" if last.share is not None else "", spark=row.trend, color="k1", note=limit),
        Kpi("Reports", str(row.reports), note=f"and {row.undated} undated" if row.undated else "all dated"),
    )


def _counted(last: LastReport) -> tuple[str, str]:
    """How many drifted, and of how many; a report of estimates alone has none."""
    return (f"{last.drifted_columns} of {last.columns}", "") if last.columns else (words.NOTHING, "no drift scores")


def _size(columns: int) -> str:
    """How tall the heat map is."""
    for most, size in ((6, "chart-m"), (12, "chart-heat-s"), (24, "chart-heat-m")):
        if columns <= most:
            return size
    return "chart-heat-l"


def _text(row: ModelRow) -> str:
    return f"{row.name} {row.owner} {row.owner_name} {row.description} {row.pool}"


def _cells(row: ModelRow) -> list[Any]:
    last = row.last
    said = (
        [last.window_from, last.window_to, last.share, last.columns, last.drifted_columns, last.is_drifted]
        if last
        else [None] * 6
    )
    return [
        row.name, row.owner, row.state.value, row.is_production, row.importance, row.pool, row.reports, row.undated,
        *said, row.last_received_at, row.open_findings, row.worst, *_costs(row),
    ]  # fmt: skip


def _costs(row: ModelRow) -> list[Any]:
    """Several currencies stand in one cell each, in one order; a part of which nothing is known is empty."""
    costs, spent = row.costs, row.costs.spent
    words = [
        ";".join("" if amount is None else plain(amount) for amount in amounts)
        for amounts in ([one.estimated for one in spent], [one.actual for one in spent])
    ]
    currencies = ";".join(one.currency for one in spent)
    return [costs.mitigations, costs.estimates, costs.actuals, currencies, *words]
