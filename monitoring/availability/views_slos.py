"""The pages about objectives: all of them as they stand or by month, and one in full."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.lib.buckets import Month, PeriodError, Window
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import Cell, csv_response, wants_csv
from fleetledger.web.periods import HOURS_UP_TO, Period, parse_period
from monitoring.alerts import clock, tenants
from monitoring.availability import charts
from monitoring.availability.slo import reads, reads_history, reads_report
from monitoring.availability.slo.reads import Health, SloRow, Wanted
from monitoring.availability.slo.reads_history import Step
from monitoring.availability.slo.reads_report import MonthRow

LONGEST = timedelta(days=400)
MONTHS = 12
NOW_HEADER = (
    "name", "title", "team", "component", "objective", "period_days", "state", "sentence", "attained", "coverage",
    "lower", "upper", "budget_left", "burn_rate", "evaluated_at",
)  # fmt: skip
MONTH_HEADER = (
    "month", "name", "title", "team", "component", "objective", "attained", "coverage", "lower", "upper", "budget_left",
    "is_met", "pages", "tickets", "worst_day", "is_complete",
)  # fmt: skip
EXAMPLE = """\
slos:
  - name: inference-api
    component: api
    objective: 99.9
    window: 30d
    source: prom1
    good: 'http_requests_total{code!~"5.."}'
    total: http_requests_total
"""


@require_safe
def slo_list(request: HttpRequest) -> HttpResponseBase:
    """As they stand now; `?month=2026-10` as they stood in a month."""
    person = person_of(request)
    teams = teams_visible_to(person)
    at = clock.now()
    month, error = _month(request, at)
    team = request.GET.get("team", "")[:64].replace("\x00", "")
    context: dict[str, Any] = {
        "team": team,
        "tenants": tenants.visible_to(person),
        "months": _months(at),
        "month": month,
        "error": error,
        "example": EXAMPLE,
        "now": at,
    }
    if month is not None:
        rows = [row for row in reads_report.month(month, teams=teams, at=at) if team in ("", row.team or "platform")]
        if wants_csv(request):
            return csv_response(f"slos-{month}", MONTH_HEADER, map(_month_cells, rows))
        return render(request, "availability/slo_month.html", context | {"rows": rows})
    return _now(request, context, teams, at)


@require_safe
def slo(request: HttpRequest, name: str) -> HttpResponseBase:
    """One objective with its budget over a range; `?format=csv` is its history."""
    teams = teams_visible_to(person_of(request))
    at = clock.now()
    found = reads.slo(name, teams=teams, at=at)
    if found is None:
        raise _no_such(name)
    row, definition = found
    period = parse_period(request.GET, at)
    this = Month.of(at)
    context = {
        "slo": row,
        "definition": definition,
        "period": period,
        "burned": reads_history.burns(name, _window(period), teams=teams),
        "reports": [
            report
            for month in (this, this.previous, this.previous.previous)
            for report in reads_report.month(month, teams=teams, at=at, name=name)
        ],
        "now": at,
    }
    return render(request, "availability/slo.html", context)


@require_safe
def budget_figure(request: HttpRequest, name: str) -> HttpResponseBase:
    """What was left of the budget, hour by hour or day by day."""
    teams = teams_visible_to(person_of(request))
    window = _window(parse_period(request.GET, clock.now()))
    step = Step.HOUR if window.duration <= HOURS_UP_TO else Step.DAY
    points = reads_history.points(name, window, step, teams=teams)
    if points is None:
        raise _no_such(name)
    return figure_response(request, charts.budget_left(points, window), f"{name}-budget")


def _now(request: HttpRequest, context: Mapping[str, Any], teams: TeamScope, at: datetime) -> HttpResponseBase:
    every = reads.slos(Wanted(team=context["team"]), teams=teams, at=at)
    health = request.GET.get("state", "")
    health = health if health in Health.values else ""
    rows = [row for row in every if health in ("", row.health.value)]
    if wants_csv(request):
        return csv_response("slos", NOW_HEADER, map(_now_cells, rows))
    counts = Counter(row.health for row in every)
    shown = {
        "rows": rows,
        "all_count": len(every),
        "state": health,
        "chips": [(one, counts[one]) for one in Health if counts[one] or one.value == health],
    }
    return render(request, "availability/slos.html", {**context, **shown})


def _month(request: HttpRequest, at: datetime) -> tuple[Month | None, str]:
    """None: as it stands now."""
    text = request.GET.get("month", "")
    if not text:
        return None, ""
    try:
        return Month.parse(text), ""
    except PeriodError as error:
        return Month.of(at), str(error)


def _months(at: datetime) -> list[tuple[str, datetime]]:
    """The last ones, this one first."""
    found, month = [], Month.of(at)
    for _ in range(MONTHS):
        found.append((str(month), month.start))
        month = month.previous
    return found


def _window(period: Period) -> Window:
    window = period.window
    return window if window.duration <= LONGEST else Window(window.end - LONGEST, window.end)


def _no_such(name: str) -> Http404:
    return Http404(f"No objective is called '{name[:100]}', or none that you may see.")


def _now_cells(row: SloRow) -> Sequence[Cell]:
    values: Mapping[str, Cell] = {
        "team": row.team or tenants.PLATFORM_SLUG,
        "state": row.health.value,
        "burn_rate": None if row.burn_now is None else round(float(row.burn_now), 6),
        **_shares(row),
    }
    return [values[name] if name in values else getattr(row, name) for name in NOW_HEADER]


def _month_cells(row: MonthRow) -> Sequence[Cell]:
    values: Mapping[str, Cell] = {
        "month": str(row.month),
        "team": row.team or tenants.PLATFORM_SLUG,
        "worst_day": row.worst_day.day.isoformat() if row.worst_day else None,
        "is_met": None if row.is_met is None else str(row.is_met).lower(),
        "is_complete": str(row.is_complete).lower(),
        **_shares(row),
    }
    return [values[name] if name in values else getattr(row, name) for name in MONTH_HEADER]


def _shares(row: SloRow | MonthRow) -> Mapping[str, Cell]:
    budget = row.budget
    return {
        "attained": _percent(budget.attained),
        "coverage": _percent(budget.coverage),
        "lower": _percent(budget.lower),
        "upper": _percent(budget.upper),
        "budget_left": _percent(budget.left),
    }


def _percent(share: Any) -> float | None:
    return None if share is None else round(float(share) * 100, 6)
