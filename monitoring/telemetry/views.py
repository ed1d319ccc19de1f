"""Shows the fleet and the sources that its numbers come from."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.lib.buckets import DAY, Window, floor
from fleetledger.web import words
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.kpis import Kpi, Share
from fleetledger.web.periods import parse_period
from fleetledger.web.tables import Column, build_table
from monitoring.telemetry import figures, inventory_table, reads, reads_pages
from monitoring.telemetry.reads_pages import Hold, SourceStatus

FRESH = timedelta(minutes=10)
STALE = timedelta(minutes=30)
LEAST_SHARE = 0.0005  # below, a share shows as 0.0%; unknown is shown whatever it is
IDENTITY_DAYS = 14
HOLDS_SHOWN = 30
GPU_MEASURES = {"utilisation": "utilization", "memory": "memory_used_mib", "power": "power_w"}


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source with how to say its state."""

    status: SourceStatus
    words: str
    tone: str
    lag: str

    @property
    def coverage(self) -> float | None:
        """Percent of the last day's GPU time that is known."""
        return None if self.status.coverage is None else self.status.coverage * 100

    @property
    def badge(self) -> str:
        return self.tone


SOURCE_WORDS = {
    "ok": ("Up to date", "good"),
    "behind": ("Behind", "warn"),
    "failing": ("Failing", "bad"),
    "never": ("Not read yet", "unknown"),
    "disabled": ("Disabled", "unknown"),
}


def source_rows(teams: TeamScope) -> list[SourceRow]:
    """The sources, those in trouble first; empty for callers without fleet scope."""
    order = ["failing", "behind", "never", "ok", "disabled"]
    rows = [_source_row(status) for status in reads_pages.sources_status(teams=teams)] if teams.fleet else []
    return sorted(rows, key=lambda row: (order.index(row.status.state), row.status.name))


@require_safe
def fleet(request: HttpRequest, tab: str = "clusters") -> HttpResponseBase:
    """Clusters, nodes or GPUs with what became of their time."""
    teams = _fleet_scope(request)
    period = parse_period(request.GET, timezone.now(), default="7d")
    listing = inventory_table.LISTINGS[tab]
    rows = listing.rows(period.window, teams, request.GET.get("cluster", ""))
    table = build_table(
        rows,
        listing.columns,
        request.GET,
        text=listing.text,
        default_sort="name",
        everything=wants_csv(request),
    )
    if wants_csv(request):
        return csv_response(tab, listing.csv_header, (listing.csv_cells(row) for row in table.rows))
    context = {
        "tab": tab,
        "tabs": inventory_table.LISTINGS.values(),
        "table": table,
        "period": period,
        "parts": _parts(rows),
        "cluster": request.GET.get("cluster", ""),
        "row_template": f"telemetry/{tab}_row.html",
    }
    return render(request, "telemetry/fleet.html", context)


@require_safe
def node(request: HttpRequest, cluster: str, name: str) -> HttpResponseBase:
    """One node and its GPUs."""
    teams = _fleet_scope(request)
    period = parse_period(request.GET, timezone.now(), default="7d")
    found = reads_pages.node(cluster, name, period.window, teams=teams)
    if found is None:
        raise Http404
    gpus = reads_pages.gpus(period.window, teams=teams, node_cluster=cluster, node=name)
    listing = inventory_table.LISTINGS["gpus"]
    table = build_table(
        gpus,
        listing.columns,
        request.GET,
        text=listing.text,
        default_sort="name",
        everything=wants_csv(request),
    )
    if wants_csv(request):
        return csv_response(f"gpus-{name}", listing.csv_header, (listing.csv_cells(row) for row in table.rows))
    context = {"node": found, "table": table, "period": period, "parts": _parts([found]), "kpis": _time_cards(found)}
    return render(request, "telemetry/node.html", context)


@require_safe
def gpu(request: HttpRequest, uuid: str) -> HttpResponseBase:
    """One GPU: who held it when, how busy it was, its MIG slices."""
    teams = _fleet_scope(request)
    period = parse_period(request.GET, timezone.now(), default="7d")
    found = reads_pages.gpu(uuid, period.window, teams=teams)
    if found is None:
        raise Http404
    holds = tuple(reversed(reads_pages.gpu_holds(uuid, period.window, teams=teams)))
    if wants_csv(request):
        header = ("start", "end", "gi_id", "kind", "holder", "team", "held_seconds", "busy_seconds")
        cells = ((h.start, h.end, h.gi_id, h.kind, h.holder, h.team, h.held_us / 1e6, h.busy_us / 1e6) for h in holds)
        return csv_response(f"holders-{uuid}", header, cells)
    table = build_table(
        holds,
        HOLD_COLUMNS,
        request.GET,
        text=lambda hold: f"{hold.holder} {hold.team or ''} {hold.kind}".casefold(),
        default_sort="-start",
        page_size=HOLDS_SHOWN,
    )
    context = {
        "gpu": found,
        "table": table,
        "period": period,
        "lanes": inventory_table.lanes(holds, period.window),
        "parts": _parts([found]),
        "kpis": _time_cards(found),
        "measures": [("utilisation", "Utilisation", "%"), ("memory", "Memory used", "MiB"), ("power", "Power", "W")],
    }
    return render(request, "telemetry/gpu.html", context)


HOLD_COLUMNS: tuple[Column[Hold], ...] = (
    Column("holder", "Holder", lambda hold: hold.holder.casefold() or None),
    Column("team", "Team", lambda hold: hold.team),
    Column("start", "From", lambda hold: hold.start, first_descending=True),
    Column("end", "To", lambda hold: hold.end, first_descending=True),
    Column("held", "GPU-hours", lambda hold: hold.held_us, "right", first_descending=True),
    Column("busy", "Utilisation", lambda hold: hold.busy_us / hold.measured_us if hold.measured_us else None),
)


@require_safe
def gpu_figure(request: HttpRequest, uuid: str, name: str) -> HttpResponseBase:
    """A measure of one GPU as JSON."""
    teams = _fleet_scope(request)
    period = parse_period(request.GET, timezone.now(), default="7d")
    if name not in GPU_MEASURES or reads_pages.gpu(uuid, period.window, teams=teams) is None:
        raise Http404
    points = reads_pages.gpu_series(uuid, period.window, step=figures.step_of(figures.span_of(period)), teams=teams)
    return figure_response(request, figures.gpu_measure(points, GPU_MEASURES[name], period.window), f"{uuid}-{name}")


@require_safe
def sources(request: HttpRequest) -> HttpResponseBase:
    """Where the numbers come from, how late and how complete; and the check that time adds up."""
    teams = _fleet_scope(request)
    rows = source_rows(teams)
    today = floor(timezone.now(), DAY)
    checks = reads_pages.identity(Window(today - DAY * IDENTITY_DAYS, today), teams=teams)
    if wants_csv(request):
        header = ("source", "kind", "cluster", "state", "watermark_at", "rejected", "coverage", "last_error")
        cells = (
            (s.name, s.kind, s.cluster, s.state, s.watermark_at, s.rejected, s.coverage, s.last_error)
            for s in (row.status for row in rows)
        )
        return csv_response("sources", header, cells)
    wrong = [check for check in checks if check.difference_us]
    return render(request, "telemetry/sources.html", {"rows": rows, "checks": checks, "wrong": wrong})


@require_safe
def data_age(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001 Django passes it
    """How old the newest complete data is, for the corner of every page."""
    age = reads.data_age()
    if age is None:
        return JsonResponse({"text": "No data yet", "tone": "unknown"})
    tone = "good" if age <= FRESH else "warn" if age <= STALE else "bad"
    return JsonResponse({"text": f"Data {words.duration(age)} old", "tone": tone})


def _fleet_scope(request: HttpRequest) -> TeamScope:
    """Machines are shared between teams: only fleet roles see who holds them."""
    teams = teams_visible_to(request.user)
    if not teams.fleet:
        raise Http404
    return teams


def _source_row(status: SourceStatus) -> SourceRow:
    said, tone = SOURCE_WORDS[status.state]
    return SourceRow(status, said, tone, words.duration(status.lag) if status.lag is not None else words.NOTHING)


def _parts(rows: inventory_table.Rows) -> list[Share]:
    """GPU time as busy, held but idle, not measured, unallocated, unknown: all of it, together the whole."""
    whole = sum(row.gpu_us for row in rows)
    amounts = (
        ("Busy", sum(row.busy_us for row in rows), "k1"),
        ("Held, idle", sum(max(row.measured_us - row.busy_us, 0) for row in rows), "k3"),
        ("Held, not measured", sum(max(row.allocated_us - row.measured_us, 0) for row in rows), "k5"),
        ("Unallocated", sum(row.unallocated_us for row in rows), "k-idle"),
        ("Unknown", sum(row.unknown_us for row in rows), "k-unknown"),
    )
    return [
        Share(name, amount, color, f"{amount / whole:.1%}", f"{words.gpu_hours(amount)} GPU-hours")
        for name, amount, color in amounts
        if whole and (amount >= whole * LEAST_SHARE or color == "k-unknown")
    ]


def _time_cards(row: inventory_table.Timed) -> list[Kpi]:
    whole = row.gpu_us or 1
    busy = row.busy_us / row.measured_us * 100 if row.measured_us else None
    return [
        Kpi("Utilisation", words.count(busy, 1), "%" if busy is not None else "", note="of what was held"),
        Kpi(
            "Held", f"{row.allocated_us / whole * 100:.1f}", "%", note=f"{words.gpu_hours(row.allocated_us)} GPU-hours"
        ),
        Kpi(
            "Unallocated",
            f"{row.unallocated_us / whole * 100:.1f}",
            "%",
            note=f"{words.gpu_hours(row.unallocated_us)} GPU-hours",
        ),
        Kpi("Unknown", f"{row.unknown_us / whole * 100:.1f}", "%", note="neither idle nor busy: no samples"),
    ]
