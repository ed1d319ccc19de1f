"""The teams and one team's page: what it held, how busy that was, and what it cost."""

from dataclasses import dataclass
from decimal import Decimal

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import cards
from costs.reads_teams import CostGroup, TeamCost
from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.lib.buckets import DAY, Window
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.kpis import Kpi, change_in_percent, change_in_points
from fleetledger.web.periods import Period, parse_period
from fleetledger.web.tables import Column, build_table
from monitoring.telemetry import figures, reads, reads_pages
from monitoring.telemetry.reads import GroupBy, Step
from monitoring.telemetry.reads_pages import TeamSummary, WorkloadUse

US_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team in the list, with its cost in the currency where it spends most."""

    team: TeamSummary
    cost: Decimal | None
    idle: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """A workload of a team with its cost in the range."""

    use: WorkloadUse
    cost: Decimal | None
    idle: Decimal | None
    currency: str


TEAM_COLUMNS: tuple[Column[TeamRow], ...] = (
    Column("name", "Team", lambda row: row.team.name.casefold()),
    Column("gpus", "GPUs", lambda row: row.team.gpus, "right", first_descending=True),
    Column("held", "GPU-hours", lambda row: row.team.allocated_us, "right", first_descending=True),
    Column("utilisation", "Utilisation", lambda row: row.team.mean_utilization, first_descending=True),
    Column("trend", "Trend"),
    Column("cost", "Cost", lambda row: row.cost, "right", first_descending=True),
    Column("idle", "Idle cost", lambda row: row.idle, "right", first_descending=True),
)
WORKLOAD_COLUMNS: tuple[Column[WorkloadRow], ...] = (
    Column("name", "Workload", lambda row: row.use.name.casefold()),
    Column("owner", "Owner", lambda row: row.use.owner.casefold() or None),
    Column("gpus", "GPUs", lambda row: sum(number for _, number in row.use.gpu_models) or None, first_descending=True),
    Column("utilisation", "Utilisation", lambda row: utilisation(row.use), first_descending=True),
    Column("last_day", "Last 24 h"),
    Column("held", "GPU-hours", lambda row: row.use.allocated_us, "right", first_descending=True),
    Column("cost", "Cost", lambda row: row.cost, "right", first_descending=True),
    Column("idle", "Idle cost", lambda row: row.idle, "right", first_descending=True),
)


@require_safe
def team_list(request: HttpRequest) -> HttpResponseBase:
    """All teams that the caller sees."""
    teams = teams_visible_to(request.user)
    period = parse_period(request.GET, timezone.now())
    costs: dict[str, list[TeamCost]] = {}
    for cost in cards.costs_of(period.window, teams=teams, group_by=CostGroup.TEAM):
        costs.setdefault(cost.group, []).append(cost)
    summaries = reads_pages.team_summaries(period.window, teams=teams)
    rows = [_team_row(team, costs.get(team.slug, [])) for team in summaries]
    table = build_table(
        rows,
        TEAM_COLUMNS,
        request.GET,
        text=lambda row: f"{row.team.name} {row.team.slug} {row.team.cost_center} {row.team.lead}".casefold(),
        default_sort="-held",
        everything=wants_csv(request),
    )
    if wants_csv(request):
        return csv_response("teams", TEAM_CSV, (_team_cells(row) for row in table.rows))
    return render(request, "teams/list.html", {"table": table, "period": period})


@require_safe
def team(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One team."""
    teams = teams_visible_to(request.user)
    now = timezone.now()
    period = parse_period(request.GET, now)
    summary = _summary(slug, period.window, teams)
    rows = _workload_rows(slug, period.window, teams)
    table = build_table(
        rows,
        WORKLOAD_COLUMNS,
        request.GET,
        text=lambda row: f"{row.use.namespace}/{row.use.name} {row.use.kind} {row.use.owner}".casefold(),
        default_sort="-cost" if any(row.cost is not None for row in rows) else "-held",
        page_size=20,
        everything=wants_csv(request),
    )
    if wants_csv(request):
        return csv_response(f"workloads-{slug}", WORKLOAD_CSV, (_workload_cells(row) for row in table.rows))
    spend = cards.month_to_date(now, teams=teams, team=slug)
    use = reads.usage(period.window, group_by=GroupBy.KIND, step=Step.DAY, teams=teams, team=slug)
    days = figures.days_of(period.window)
    known = Window(
        period.window.start, max(min(period.window.end, use.complete_until or now), period.window.start + DAY)
    )
    context = {
        "team": summary,
        "period": period,
        "kpis": _kpis(summary, period, spend, teams, figures.held_by_day(use.rows)),
        "legend": figures.legend(figures.class_series(use.rows, days, DAY), known, DAY),
        "has_unknown": figures.has_unknown(reads_pages.coverage(period.window, step=Step.DAY, teams=teams)),
        "held": summary.allocated_us / max(period.window.duration_us, 1),
        "models": cards.by_model(spend.window, spend.currency, teams=teams, team=slug),
        "spend": spend,
        "heat_days": figures.heat_days(period.window),
        "table": table,
        "statement_url": reverse("chargeback") + f"{spend.window.start:%Y-%m}/{slug}/",
    }
    return render(request, "teams/team.html", context)


@require_safe
def figure(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """A figure of the team's page as JSON."""
    teams = teams_visible_to(request.user)
    period = parse_period(request.GET, timezone.now())
    _summary(slug, period.window, teams)
    span = figures.span_of(period)
    step = figures.step_of(span)
    if name == "use":
        whole = figures.whole_steps(period.window, span)
        use = reads.usage(whole, group_by=GroupBy.KIND, step=step, teams=teams, team=slug)
        coverage = reads_pages.coverage(whole, step=step, teams=teams)
        drawn = figures.use_by_class(use.rows, coverage, whole, span)
    elif name == "busy-hours":
        days = figures.heat_days(period.window)
        window = Window(days[0], period.window.end)
        held = reads_pages.busy_hours(window, teams=teams, team=slug)
        drawn = figures.busy_hours(held, reads_pages.coverage(window, step=Step.HOUR, teams=teams), period.window)
    else:
        raise Http404
    return figure_response(request, drawn, f"{slug}-{name}")


urlpatterns = [
    path("", team_list, name="teams"),
    path("<slug:slug>/", team, name="team"),
    path("<slug:slug>/figures/<slug:name>.json", figure, name="team-figure"),
]

TEAM_CSV = ("team", "name", "gpus", "gpu_hours", "mean_utilization", "cost", "idle_cost", "currency")
WORKLOAD_CSV = (
    "workload",
    "namespace",
    "cluster",
    "class",
    "owner",
    "gpu_hours",
    "mean_utilization",
    "cost",
    "idle_cost",
    "currency",
)


def utilisation(use: WorkloadUse) -> float | None:
    """Percent, or None where nothing was measured."""
    return use.busy_us / use.measured_us * 100 if use.measured_us else None


def _summary(slug: str, window: Window, teams: TeamScope) -> TeamSummary:
    summary = reads_pages.team_summary(slug, window, teams=teams)
    if summary is None:
        raise Http404
    return summary


def _kpis(
    summary: TeamSummary, period: Period, spend: cards.Spend, teams: TeamScope, by_day: list[float | None]
) -> list[Kpi]:
    before = reads_pages.team_summary(summary.slug, period.previous, teams=teams)
    mean, mean_before = summary.mean_utilization, before.mean_utilization if before else None
    held = summary.allocated_us / max(period.window.duration_us, 1)
    held_before = before.allocated_us / max(period.window.duration_us, 1) if before else 0.0
    against = f"vs previous {period.words}"
    return [
        Kpi(
            "GPU utilisation",
            f"{mean:.1f}" if mean is not None else "\N{EN DASH}",
            "%" if mean is not None else "",
            summary.daily,
            "k1",
            change_in_points(mean, mean_before, up_is_good=True),
            against if mean_before is not None else "Nothing was measured" if mean is None else "of what was held",
        ),
        cards.spend_card(spend),
        cards.idle_card(spend),
        Kpi(
            "GPUs held, mean",
            f"{held:,.1f}",
            spark=by_day,
            delta=change_in_percent(held, held_before, up_is_good=None),
            note=f"{summary.allocated_us / US_PER_HOUR:,.0f} GPU-hours",
            color="k3",
        ),
    ]


def _main(rows: list[TeamCost]) -> TeamCost | None:
    """The row of the currency in which most was spent."""
    return max(rows, key=lambda row: abs(row.cost), default=None)


def _team_row(team: TeamSummary, costs: list[TeamCost]) -> TeamRow:
    main = _main(costs)
    return TeamRow(team, main.cost, main.idle, main.currency) if main else TeamRow(team, None, None, "")


def _workload_rows(slug: str, window: Window, teams: TeamScope) -> list[WorkloadRow]:
    costs: dict[int | None, list[TeamCost]] = {}
    for row in cards.costs_of(window, teams=teams, team=slug, group_by=CostGroup.WORKLOAD):
        costs.setdefault(row.workload_id, []).append(row)
    rows = []
    for use in reads_pages.workloads(window, teams=teams, team=slug):
        main = _main(costs.get(use.workload_id, []))
        rows.append(
            WorkloadRow(use, main.cost if main else None, main.idle if main else None, main.currency if main else "")
        )
    return rows


def _team_cells(row: TeamRow) -> tuple[str | int | float | Decimal | None, ...]:
    team = row.team
    hours = Decimal(team.allocated_us) / US_PER_HOUR
    return (
        team.slug,
        team.name,
        team.gpus,
        round(hours, 6),
        _rounded(team.mean_utilization),
        row.cost,
        row.idle,
        row.currency,
    )


def _workload_cells(row: WorkloadRow) -> tuple[str | int | float | Decimal | None, ...]:
    use = row.use
    return (
        use.name,
        use.namespace,
        use.cluster,
        use.kind,
        use.owner,
        round(Decimal(use.allocated_us) / US_PER_HOUR, 6),
        _rounded(utilisation(use)),
        row.cost,
        row.idle,
        row.currency,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
