"""The pages about findings: the queue, one with its evidence, and two reports side by side."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from drift import figures_findings, reads, reads_compare, reads_findings, reads_mitigations
from drift.models import FindingState, Verdict
from drift.reads_compare import Pair
from drift.reads_findings import Card, FindingRow
from drift.reviews import thresholds
from drift.reviews.errors import NoSuchFindingError
from drift.reviews.permissions import may_review
from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.numbers import whole
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.tables import Column, build_table
from monitoring.alerts import clock

SHOWN = (("live", "Open"), (FindingState.CLOSED.value, "Closed by itself"), ("all", "All"))
QUEUE_HEADER = (
    "id", "model", "owner", "signal", "kind", "severity", "state", "summary", "opened_at", "due_at", "is_overdue",
    "review", "importance", "is_production", "priority",
)  # fmt: skip
HISTOGRAM_HEADER = ("bucket", "reference_share", "window_share")
COMPARE_HEADER = ("column", "method", "before", "after", "change")
COLUMNS: tuple[Column[FindingRow], ...] = (
    Column("priority", "Finding", lambda row: (-row.priority, row.id)),
    Column("model", "Model", lambda row: row.model.casefold()),
    Column("review", "Review", lambda row: row.review),
    Column("due", "Due", lambda row: row.due_at),
    Column("opened", "Open since", lambda row: row.opened_at, align="right"),
)
PAIR_COLUMNS: tuple[Column[Pair], ...] = (
    Column("column", "Column", lambda pair: pair.column.casefold()),
    Column("change", "Change", lambda pair: ("began", "ended", "both", "unknown", "none").index(pair.change)),
    Column("before", "Before", lambda pair: pair.before.value if pair.before else None, align="right"),
    Column("after", "After", lambda pair: pair.after.value if pair.after else None, align="right"),
    Column("difference", "Difference", lambda pair: pair.difference, align="right", first_descending=True),
)


@require_safe
def queue(request: HttpRequest) -> HttpResponseBase:
    """What nobody has decided, the most urgent first."""
    teams = teams_visible_to(request.user)
    shown = request.GET.get("state", "live")
    shown = shown if shown in dict(SHOWN) else "live"
    rows = reads_findings.queue(teams=teams, state="" if shown == "all" else shown)
    is_download = wants_csv(request)
    table = build_table(rows, COLUMNS, request.GET, text=_text, default_sort="priority", everything=is_download)
    if is_download:
        return csv_response("drift-queue", QUEUE_HEADER, ([getattr(row, key) for key in QUEUE_HEADER] for row in rows))
    context = {
        "table": table,
        "state": shown,
        "states": SHOWN,
        "verdicts": verdict_keys(),
        "overdue": sum(row.is_overdue for row in rows),
        "any_model": bool(rows) or bool(reads.models(teams=teams, at=clock.now())),
    }
    return render(request, "drift/queue.html", context)


@require_safe
def finding(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    """One finding: its evidence, what people said of it and of others like it, and what is done about it."""
    card = _card(request, finding_id)
    stored = reads_findings.stored(finding_id, teams=teams_visible_to(request.user))
    may_act = may_review(request.user, stored.model)
    context = {
        "card": card,
        "row": card.finding,
        "verdicts": verdict_keys(),
        "may_act": may_act,
        "is_first": not card.finding.is_production,
        "mitigations": reads_mitigations.of_finding(finding_id),
        "offers": reads_mitigations.offers(stored.model) if may_act else (),
        "suggestions": [one for one in thresholds.suggestions(stored.model) if one.column in card.finding.columns],
    }
    return render(request, "drift/finding.html", context)


@require_safe
def trend_figure(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    card = _card(request, finding_id)
    lead = card.evidence.leading
    name = f"{lead.column[:40]}, {lead.method}" if lead else "Score"
    return figure_response(request, figures_findings.trend(card.trend, name), f"drift-finding-{finding_id}")


@require_safe
def histogram_figure(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    bars = _card(request, finding_id).histogram
    if wants_csv(request):
        cells = ((bar.label, bar.reference_share, bar.window_share) for bar in bars)
        return csv_response(f"drift-histogram-{finding_id}", HISTOGRAM_HEADER, cells)
    return figure_response(request, figures_findings.histogram(bars), f"drift-histogram-{finding_id}")


@require_safe
def compare(request: HttpRequest, name: str) -> HttpResponseBase:
    """Two reports of a model, column by column."""
    teams = teams_visible_to(request.user)
    model = reads.model(name, teams=teams, at=clock.now())
    if model is None:
        raise Http404("There is no such model among those you may see.")
    found = reads_compare.compare(
        model.name,
        before=whole(request.GET.get("before", ""), None),
        after=whole(request.GET.get("after", ""), None),
        teams=teams,
    )
    is_download = wants_csv(request)
    table = build_table(
        found.pairs, PAIR_COLUMNS, request.GET, text=lambda pair: pair.column, default_sort="change",
        everything=is_download,
    )  # fmt: skip
    if is_download:
        return csv_response(f"drift-compare-{model.name}", COMPARE_HEADER, map(_cells, found.pairs))
    counts = [(word, found.count(word)) for word in ("began", "ended", "both", "none", "unknown")]
    context = {"model": model, "found": found, "table": table, "counts": dict(counts)}
    return render(request, "drift/compare.html", context)


def verdict_keys() -> Sequence[tuple[int, str, str]]:
    """Each verdict with its key."""
    return [(number, verdict.value, str(verdict.label)) for number, verdict in enumerate(Verdict, 1)]


def _card(request: HttpRequest, finding_id: int) -> Card:
    try:
        return reads_findings.card(finding_id, teams=teams_visible_to(request.user))
    except NoSuchFindingError as error:
        raise Http404(str(error)) from error


def _text(row: FindingRow) -> str:
    return f"{row.summary} {row.model} {row.owner} {row.kind} {row.severity}"


def _cells(pair: Pair) -> list[Any]:
    before, after = (None if row is None else row.value for row in (pair.before, pair.after))
    return [pair.column, pair.method, before, after, pair.change]
