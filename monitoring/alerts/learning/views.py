"""The page about learning: how fast, how noisy, whom it woke, and what to change."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.web import words
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import Cell, csv_response, wants_csv
from fleetledger.web.kpis import Kpi, change_in_percent
from fleetledger.web.periods import Period, parse_period
from monitoring.alerts import clock, reads, tenants
from monitoring.alerts.learning import figures, load, noise, suggestions, tables, times
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.times import Part, Spread, Summary

RULES_SHOWN, UNATTENDED_SHOWN, CSV_MOST = 20, 10, 100_000


@require_safe
def learning(request: HttpRequest) -> HttpResponseBase:
    """Everything that a range teaches; `?table=` as CSV."""
    person = person_of(request)
    teams = teams_visible_to(person)
    period, asked = _asked(request)
    if wants_csv(request):
        return _csv(request, asked, teams)
    by = load.reader(person)
    summary = times.summary(asked, teams=teams)
    noisy = noise.noisiest(asked, teams=teams, most=RULES_SHOWN)
    left = noise.unattended(asked, Cut(UNATTENDED_SHOWN), None, teams=teams)
    context = {
        "period": period,
        "asked": asked,
        "summary": summary,
        "cards": _cards(summary),
        "parts": (
            ("Range", (Part(period.label, summary.now), Part(f"the {period.words} before", summary.before))),
            ("Severity", summary.severities),
            ("Team", summary.teams),
        ),
        "rules": [(row, history_address(period, row.name, row.team)) for row in noisy.rules],
        "more_rules": noisy.all_rules - len(noisy.rules),
        "unattended": left[:UNATTENDED_SHOWN],
        "unattended_count": noisy.unattended,
        "people": load.people(asked, by),
        "sees_names": by.sees_names,
        "suggestions": _suggested(asked, teams),
        "step": times.step_of(asked),
        "query": _query(period, asked),
        "severities": reads.known_severities(teams=teams),
        "tenants": tenants.visible_to(person),
        "min_episodes": suggestions.MIN_EPISODES,
    }
    return render(request, "alerts/learning.html", context)


@require_safe
def times_figure(request: HttpRequest) -> HttpResponseBase:
    _, asked = _asked(request)
    steps = times.over_time(asked, teams=teams_visible_to(person_of(request)))
    return figure_response(request, figures.times(steps, asked.window), "alert-times")


@require_safe
def hours_figure(request: HttpRequest) -> HttpResponseBase:
    _, asked = _asked(request)
    cells = load.hours(asked, load.reader(person_of(request)))
    return figure_response(request, figures.hours(cells), "pages-by-hour")


def history_address(period: Period, rule: str, team: str | None) -> str:
    """The history page with the episodes that a line counts."""
    return f"{reverse('alert-history')}?{period.fixed_query}&{_of_rule(rule, team)}"


def _of_rule(rule: str, team: str | None) -> str:
    quoted = rule.replace("\\", "\\\\").replace('"', '\\"')
    return urlencode({"team": team or tenants.PLATFORM_SLUG, "q": f'alertname="{quoted}"'})


def _suggested(asked: Asked, teams: TeamScope) -> dict[str, Any]:
    found = suggestions.suggestions(asked, teams=teams)
    path = reverse("alert-history")
    rows = [(one, f"{path}?from={one.from_at}&to={one.until_at}&{_of_rule(one.rule, one.team)}") for one in found.found]
    return {"rows": rows, "too_few": found.too_few, "rules": found.rules}


def _asked(request: HttpRequest) -> tuple[Period, Asked]:
    period = parse_period(request.GET, clock.now())
    return period, Asked(period.window, _word(request, "severity"), _word(request, "team"))


def _word(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "")[:64].replace("\x00", "")


def _query(period: Period, asked: Asked) -> str:
    chosen = {"severity": asked.severity, "team": asked.team}
    return "&".join([period.query, *(urlencode({name: value}) for name, value in chosen.items() if value)])


def _cards(summary: Summary) -> tuple[Kpi, ...]:
    now, before = summary.now, summary.before
    return (
        Kpi(
            "Alerts",
            words.count(now.episodes),
            delta=change_in_percent(now.episodes, before.episodes, up_is_good=False),
            note=f"{words.count(now.told)} told, {words.count(now.still_open)} still open",
        ),
        _card("Until acknowledged, median", now.to_acknowledge, before.to_acknowledge, f"of {now.episodes:,}"),
        _card("Until resolved, median", now.to_resolve, before.to_resolve, f"of {now.episodes:,}"),
        Kpi(
            "Told, but nobody acknowledged",
            words.count(now.ended_unacknowledged),
            delta=change_in_percent(now.ended_unacknowledged, before.ended_unacknowledged, up_is_good=False),
            note=f"ended so; {words.count(now.open_unacknowledged)} more are open",
        ),
    )


def _card(label: str, now: Spread, before: Spread, of: str) -> Kpi:
    known = now.median_s is not None and before.median_s is not None
    return Kpi(
        label,
        tables.span(now.median_s),
        delta=change_in_percent(now.median_s or 0, before.median_s or 0, up_is_good=False) if known else None,
        note=f"{now.measured:,} measured {of}, p90 {tables.span(now.p90_s)}",
    )


def _csv(request: HttpRequest, asked: Asked, teams: TeamScope) -> HttpResponseBase:
    kinds: dict[str, Callable[[], tuple[Sequence[str], Iterable[Sequence[Cell]]]]] = {
        "parts": lambda: tables.parts(times.summary(asked, teams=teams)),
        "rules": lambda: tables.rules(noise.noisiest(asked, teams=teams).rules),
        "people": lambda: tables.plain(load.PersonLoad, load.people(asked, load.reader(person_of(request)))),
        "unattended": lambda: tables.plain(
            noise.Unattended, noise.unattended(asked, Cut(CSV_MOST), None, teams=teams)[:CSV_MOST]
        ),
        "suggestions": lambda: tables.plain(suggestions.Suggestion, suggestions.suggestions(asked, teams=teams).found),
    }
    wanted = request.GET.get("table", "")
    name = wanted if wanted in kinds else "rules"
    header, lines = kinds[name]()
    return csv_response(f"alert-{name}", header, lines)
