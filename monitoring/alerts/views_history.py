"""What was wrong: every episode with how long it took, and until somebody had it."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.periods import parse_period
from monitoring.alerts import clock, reads, reads_history, tenants
from monitoring.alerts.asked import read_search
from monitoring.alerts.reads_history import Past, PastFilter

PAGE_SIZE = 50
CSV_HEADER = (
    "id", "alert_id", "number", "name", "severity", "team", "started_at", "opened_at", "ended_at", "ended_by",
    "acknowledged_at", "acknowledged_by", "assigned_to", "seconds_to_acknowledge", "seconds_to_resolve", "labels",
)  # fmt: skip


@require_safe
def history(request: HttpRequest) -> HttpResponseBase:
    """Episodes of a time range, the newest first, with the means over all of them."""
    person = person_of(request)
    teams = teams_visible_to(person)
    period = parse_period(request.GET, clock.now())
    search = read_search(request.GET.get("q", ""))
    wanted = PastFilter(
        window=period.window,
        severity=request.GET.get("severity", "")[:64].replace("\x00", ""),
        team=request.GET.get("team", "")[:64].replace("\x00", ""),
        matchers=search.matchers,
        words=search.words,
    )
    if wants_csv(request):
        return csv_response("alert-history", CSV_HEADER, map(_cells, reads_history.every_episode(wanted, teams=teams)))
    before = whole(request.GET.get("before", ""), 0) or None
    found = reads_history.history(wanted, Cut(PAGE_SIZE), before, teams=teams)
    shown = found[:PAGE_SIZE]
    context = {
        "period": period,
        "search": search,
        "wanted": wanted,
        "rows": shown,
        "next_before": shown[-1].id if len(found) > PAGE_SIZE else None,
        "is_first": before is None,
        "sums": reads_history.history_sums(wanted, teams=teams),
        "severities": reads.known_severities(teams=teams),
        "tenants": tenants.visible_to(person),
    }
    return render(request, "alerts/history.html", context)


def _cells(row: Past) -> list[Any]:
    cells = [getattr(row, name) for name in CSV_HEADER[:-1]]
    return [*cells, ", ".join(f'{name}="{value}"' for name, value in sorted(row.labels.items()))]
