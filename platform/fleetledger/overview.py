"""The first page: the whole fleet, or the caller's own teams, at a glance."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import cards
from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.lib.buckets import DAY, Window
from fleetledger.web import words
from fleetledger.web.charts import Figure, figure_response
from fleetledger.web.kpis import Kpi, change_in_points
from fleetledger.web.periods import Period, parse_period
from monitoring.alerts import clock
from monitoring.alerts import reads as alert_reads
from monitoring.telemetry import figures, reads, reads_pages
from monitoring.telemetry.reads import GroupBy, Step, Usage
from monitoring.telemetry.reads_pages import FleetPoint, TeamSummary
from monitoring.telemetry.views import source_rows

TEAMS_SHOWN = 7
SOURCES_SHOWN = 6
ALERTS_SHOWN = 4


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """Key figures, use over time, spend by GPU, teams, and for fleet roles the sources."""
    teams = teams_visible_to(request.user)
    now = timezone.now()
    period = parse_period(request.GET, now)
    summaries = sorted(reads_pages.team_summaries(period.window, teams=teams), key=lambda team: -team.allocated_us)
    total = reads.usage(period.window, group_by=GroupBy.TEAM, step=Step.TOTAL, teams=teams)
    spend = cards.month_to_date(now, teams=teams)
    sources = source_rows(teams)
    points = reads_pages.fleet_series(period.window, step=Step.DAY, teams=teams)
    context = {
        "period": period,
        "summary": _summary(total, summaries, teams),
        "is_empty": teams.fleet and not total.gpus and not sources,
        "kpis": [
            _utilisation_card(total, period, teams),
            _held_card(total, summaries, period, points),
            cards.spend_card(spend, reverse("chargeback")),
            cards.idle_card(spend),
        ],
        "chart_title": "The fleet, GPU by GPU" if teams.fleet else "GPUs in use",
        "chart_sub": "Every GPU at every instant: busy, held, free or unknown"
        if teams.fleet
        else "Busy GPUs by workload class against what is allocated",
        "legend": _legend(period, teams, total, points),
        "held": None if teams.fleet else _held_mean(summaries, period),
        "models": cards.by_model(spend.window, spend.currency, teams=teams),
        "spend": spend,
        "team_rows": summaries[:TEAMS_SHOWN],
        "sources": sources[:SOURCES_SHOWN],
        **_attention(teams),
    }
    return render(request, "overview/page.html", context)


def _attention(teams: TeamScope) -> dict[str, Any]:
    """The alerts that nobody has yet."""
    rows, count = alert_reads.needs_attention(teams=teams, at=clock.now(), limit=ALERTS_SHOWN)
    return {"attention": rows, "attention_count": count}


@require_safe
def figure(request: HttpRequest, name: str) -> HttpResponseBase:
    """A figure of the first page as JSON."""
    teams = teams_visible_to(request.user)
    period = parse_period(request.GET, timezone.now())
    if name == "use":
        drawn = _use(period, teams)
    elif name == "busy-hours":
        window = Window(figures.heat_days(period.window)[0], period.window.end)
        coverage = reads_pages.coverage(window, step=Step.HOUR, teams=teams)
        drawn = figures.busy_hours(reads_pages.busy_hours(window, teams=teams), coverage, period.window)
    else:
        raise Http404
    return figure_response(request, drawn, f"overview-{name}")


def _use(period: Period, teams: TeamScope) -> Figure:
    span = figures.span_of(period)
    step = figures.step_of(span)
    whole = figures.whole_steps(period.window, span)
    if teams.fleet:
        points = reads_pages.fleet_series(whole, step=step, teams=teams)
        return figures.fleet_use(points, whole, span)
    use = reads.usage(whole, group_by=GroupBy.KIND, step=step, teams=teams)
    coverage = reads_pages.coverage(whole, step=step, teams=teams)
    return figures.use_by_class(use.rows, coverage, whole, span)


def _legend(period: Period, teams: TeamScope, total: Usage, points: Sequence[FleetPoint]) -> list[figures.LegendEntry]:
    window, until = period.window, total.complete_until or period.window.end
    known = Window(window.start, max(min(window.end, until), window.start + DAY))
    if teams.fleet:
        return figures.legend(figures.fleet_series(points, DAY), known, DAY)
    use = reads.usage(window, group_by=GroupBy.KIND, step=Step.DAY, teams=teams)
    return figures.legend(figures.class_series(use.rows, figures.days_of(window), DAY), known, DAY)


def _summary(total: Usage, summaries: Sequence[TeamSummary], teams: TeamScope) -> str:
    count = words.plural(len(summaries), "team")
    if not teams.fleet:
        return f"{count} of yours" if summaries else "You are not a member of a team yet: ask an administrator."
    known = f" · telemetry complete until {total.complete_until:%d %b %H:%M} UTC" if total.complete_until else ""
    return f"{words.plural(total.gpus or 0, 'GPU')} · {count}{known}"


def _utilisation_card(total: Usage, period: Period, teams: TeamScope) -> Kpi:
    before = reads.usage(period.previous, group_by=GroupBy.TEAM, step=Step.TOTAL, teams=teams)
    days = reads.usage(period.window, group_by=GroupBy.TEAM, step=Step.DAY, teams=teams)
    mean, mean_before = _mean(total), _mean(before)
    return Kpi(
        "GPU utilisation",
        words.count(mean, 1),
        "%" if mean is not None else "",
        _daily(days),
        "k1",
        change_in_points(mean, mean_before, up_is_good=True),
        f"vs previous {period.words}" if mean_before is not None else "of what was held",
    )


def _held_card(total: Usage, summaries: Sequence[TeamSummary], period: Period, points: Sequence[FleetPoint]) -> Kpi:
    """For the fleet: what share was held, with the unknown beside it. For teams: how many GPUs were held."""
    if total.gpu_us:
        held = sum(row.allocated_us for row in total.rows) / total.gpu_us * 100
        unknown = (total.unknown_us or 0) / total.gpu_us * 100
        note = f"{unknown:.1f}% unknown"
        return Kpi("GPU time held", f"{held:.1f}", "%", figures.held_share(points), "k3", note=note)
    held_us = sum(team.allocated_us for team in summaries)
    return Kpi(
        "GPUs held, mean",
        words.count(_held_mean(summaries, period), 1),
        color="k3",
        note=f"{words.gpu_hours(held_us)} GPU-hours",
    )


def _held_mean(summaries: Sequence[TeamSummary], period: Period) -> float:
    """How many GPUs the teams held together, on average."""
    return sum(team.allocated_us for team in summaries) / max(period.window.duration_us, 1)


def _mean(usage: Usage) -> float | None:
    measured = sum(row.measured_us for row in usage.rows)
    return sum(row.busy_us for row in usage.rows) / measured * 100 if measured else None


def _daily(usage: Usage) -> list[float | None]:
    """Mean utilisation per day; a day without measures is a gap."""
    busy: dict[object, int] = {}
    measured: dict[object, int] = {}
    for row in usage.rows:
        busy[row.at] = busy.get(row.at, 0) + row.busy_us
        measured[row.at] = measured.get(row.at, 0) + row.measured_us
    return [busy[at] / measured[at] * 100 if measured[at] else None for at in sorted(busy, key=str)]


urlpatterns = [
    path("", page, name="overview"),
    path("figures/<slug:name>.json", figure, name="overview-figure"),
]
