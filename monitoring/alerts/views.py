"""The list of what fires now, and what people do to several alerts at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.web import words
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.periods import REFRESHES
from fleetledger.web.tables import Column, Table
from monitoring.alerts import acts, clock, reads, reads_alert, reads_groups, tenants, vitals
from monitoring.alerts.acting import actor, acts_for, check_may_act
from monitoring.alerts.asked import Asked, numbers, read_list
from monitoring.alerts.models import Alert
from monitoring.alerts.reads import AlertRow, Counts, Kind
from monitoring.alerts.reads_groups import GroupBy
from monitoring.alerts.tenants import Tenant

PAGE_SIZE = 50
MAX_AT_ONCE = 500
DEFAULT_REFRESH = "30s"
CSV_HEADER = (
    "id", "fingerprint", "name", "severity", "team", "state", "withheld", "flapping", "started_at", "acknowledged_at",
    "acknowledged_by", "assigned_to", "summary", "labels",
)  # fmt: skip


def _by_database(_row: AlertRow) -> None:
    """The database sorts; a key says that the column can be asked for."""


COLUMNS: tuple[Column[AlertRow], ...] = (
    Column("severity", "Alert", _by_database),
    Column("team", "Team", _by_database),
    Column("state", "State"),
    Column("since", "Since", _by_database, first_descending=True),
    Column("who", "Who has it"),
    Column("impact", "Impact", align="right"),
)


@require_safe
def alert_list(request: HttpRequest) -> HttpResponseBase:
    """What fires now, in groups or as one list."""
    person = person_of(request)
    teams = teams_visible_to(person)
    asked = read_list(request.GET)
    at = clock.now()
    if wants_csv(request):
        rows = reads.every_alert(asked.wanted, teams=teams, at=at, sort=asked.sort)
        return csv_response("alerts", CSV_HEADER, map(csv_cells, rows))
    counts = reads.counts(asked.wanted, teams=teams)
    seen = tenants.visible_to(person)
    context: dict[str, Any] = {
        "asked": asked,
        "counts": counts,
        "kinds": _kinds(counts),
        "groupings": [(by.value, _GROUP_WORDS[by]) for by in GroupBy],
        "tenants": seen,
        "severities": reads.severities(teams=teams),
        "may_act": bool(acts_for(person, seen)),
        "refresh": _refresh(request),
        "refreshes": REFRESHES,
        "heard": reads.heard(teams=teams),
        "connect": connection_words(seen) if seen and not counts.open else None,
        "ailing": _ailing(at) if teams.fleet else (),
        "now": at,
        **_listed(asked, teams, at, counts),
    }
    return render(request, "alerts/list.html", context)


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Acknowledge the chosen alerts, take that back, or go on to silence them; leads back to where the reader was."""
    person = person_of(request)
    ids = numbers(request.POST.getlist("alert"), MAX_AT_ONCE)
    alerts = reads_alert.stored(ids, teams=teams_visible_to(person))
    if not alerts:
        messages.warning(request, "Choose at least one alert first.")
        return redirect(back_to(request))
    check_may_act(person, alerts)
    action = request.POST.get("action", "")
    if action == "silence":
        return redirect(f"{reverse('silence-new')}?{urlencode([('alert', alert.pk) for alert in alerts])}")
    if action not in ("acknowledge", "unacknowledge"):
        raise Http404("There is no such act.")
    say_acknowledged(request, alerts, action)
    return redirect(back_to(request))


def say_acknowledged(request: HttpRequest, alerts: Sequence[Alert], action: str, comment: str = "") -> None:
    """Do it, and say on the next page what it did: also whom a message had begun to reach already."""
    person = person_of(request)
    ids = [alert.pk for alert in alerts]
    if action == "unacknowledge":
        given = acts.unacknowledge(ids, actor(person), comment)
        messages.success(request, f"{words.plural(len(given), 'alert')} given back: repeats go on.")
        return
    done = acts.acknowledge(ids, actor(person), comment)
    told = f" Already on its way to {', '.join(done.on_their_way)}." if done.on_their_way else ""
    if done.alert_ids:
        what = alerts[0].name if len(done.alert_ids) == 1 == len(alerts) else words.plural(len(done.alert_ids), "alert")
        messages.success(request, f"Acknowledged: {what}. Repeats have ended.{told}")
    else:
        messages.info(request, f"Acknowledged before, or resolved: nothing changed.{told}")


def back_to(request: HttpRequest, default: str = "alerts") -> str:
    """The page of this site that the form names, else the list."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if is_ours else reverse(default)


def csv_cells(row: AlertRow) -> list[Any]:
    names = {"withheld": "is_withheld", "flapping": "is_flapping"}
    cells = [getattr(row, names.get(name, name)) for name in CSV_HEADER[:-1]]
    return [*cells, ", ".join(f'{name}="{value}"' for name, value in sorted(row.labels.items()))]


@dataclass(frozen=True, slots=True)
class Connection:
    """How a Prometheus and amtool are pointed here, as texts to copy."""

    prometheus: str
    token: str
    amtool: str


def connection_words(seen: Sequence[Tenant]) -> Connection:
    """For the first team that the reader sees, else the platform."""
    own = next((tenant for tenant in seen if tenant.team_id is not None), tenants.PLATFORM)
    base = urlsplit(settings.BASE_URL)
    prefix = f"{base.path.rstrip('/')}/t/{own.slug}"
    team = f" --team {own.slug}" if own.team_id is not None else ""
    return Connection(
        prometheus=_SNIPPET.format(scheme=base.scheme, prefix=prefix, address=base.netloc),
        token=f"fleetledger token create --name prometheus --scope write:alerts{team}",
        amtool=f"amtool --alertmanager.url={base.scheme}://{base.netloc}{prefix} alert query",
    )


_SNIPPET = """alerting:
  alertmanagers:
    - scheme: {scheme}
      path_prefix: {prefix}
      authorization: {{credentials_file: /etc/prometheus/fleetledger.token}}
      static_configs: [{{targets: ["{address}"]}}]
"""
_GROUP_WORDS = {
    GroupBy.ALERTNAME: "Name",
    GroupBy.TEAM: "Team",
    GroupBy.SEVERITY: "Severity",
    GroupBy.CLUSTER: "Cluster",
    GroupBy.NONE: "None",
}


def _listed(asked: Asked, teams: TeamScope, at: datetime, counts: Counts) -> dict[str, Any]:
    """One list or groups, and the table's head for both."""
    total = _total(asked, counts, teams)
    if asked.by is GroupBy.NONE or asked.only is not None:
        rows, total = _one_list(asked, teams, at, total)
        return {"table": _table(asked, total, rows), "group_page": None}
    found = reads_groups.groups(asked.wanted, asked.by, teams=teams, at=at, sort=asked.sort, page=asked.page)
    return {"table": _table(asked, total, ()), "group_page": found}


def _one_list(asked: Asked, teams: TeamScope, at: datetime, total: int) -> tuple[tuple[AlertRow, ...], int]:
    first = (max(asked.page, 1) - 1) * PAGE_SIZE
    if asked.only is None:
        return reads.alerts(asked.wanted, teams=teams, at=at, sort=asked.sort, first=first, limit=PAGE_SIZE), total
    members = reads_groups.of_group(asked.wanted, asked.by, asked.only, teams=teams)
    order = reads.SORTS.get(asked.sort, reads.SORTS["severity"])
    return reads.to_rows(members.order_by(*order)[first : first + PAGE_SIZE], at), members.count()


def _total(asked: Asked, counts: Counts, teams: TeamScope) -> int:
    """How many the list has, which the counts know but for resolved ones."""
    known = getattr(counts, asked.wanted.kind.value, None)
    return known if known is not None else reads.found(asked.wanted, teams=teams).count()


def _table(asked: Asked, total: int, rows: Sequence[AlertRow]) -> Table[AlertRow]:
    pages = max(1, -(-total // PAGE_SIZE))
    return Table(
        tuple(rows),
        COLUMNS,
        asked.sort.removeprefix("-"),
        asked.sort.startswith("-"),
        asked.search.text,
        min(max(asked.page, 1), pages),
        pages,
        total,
        total,
        page_size=PAGE_SIZE,
    )


def _ailing(at: datetime) -> list[str]:
    """What of alerting itself does not work, for those who look after it."""
    reasons = [vital.reason for vital in vitals.all_of(at) if not vital.is_healthy]
    return reasons if vitals.notifier_seen_at() else [*reasons, "No notifier runs, so nobody is told anything."]


def _kinds(counts: Counts) -> list[tuple[str, str, int]]:
    return [(kind.value, kind.value.capitalize(), getattr(counts, kind.value)) for kind in list(Kind)[:5]]


def _refresh(request: HttpRequest) -> tuple[str, int]:
    label = request.GET.get("refresh", DEFAULT_REFRESH)
    known = dict(REFRESHES)
    return (label, known[label]) if label in known else (DEFAULT_REFRESH, known[DEFAULT_REFRESH])
