"""The pages about bills: what was delivered, bringing one in, and what became of it."""

from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from kombu.exceptions import OperationalError

from costs import importing, reads_imports, reads_sources
from costs.errors import CostsError
from costs.reads_imports import ImportSummary
from fleetledger.fleet.access import Capability, TeamScope, can, teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.lib.numbers import whole
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.progress import progress_of

PER_PAGE = 50
QUARANTINE_PER_PAGE = 100
MODES = (("overwrite", "Replaces its months' rows"), ("append", "Adds to their rows"))
IMPORT_HEADER = (
    "id", "source", "file_name", "sha256", "size_bytes", "mode", "state", "error", "row_count", "quarantined_count",
    "received_by", "received_at", "imported_at",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def bills(request: HttpRequest) -> HttpResponseBase:
    """Deliveries, the newest first; a POST brings a bill in."""
    teams = _fleet_scope(request)
    if request.method == "POST":
        return _receive(request)
    source = request.GET.get("source", "")
    before = whole(request.GET.get("before", ""), 0) or None
    found = reads_imports.imports(teams=teams, source=source or None, before=before, limit=PER_PAGE + 1)
    if wants_csv(request):
        return csv_response("bills", IMPORT_HEADER, _all_imports(teams, source or None))
    return render(request, "costs/bills.html", _bills_words(request, found, before=before, source=source))


@require_safe
def bill_import(request: HttpRequest, import_id: int) -> HttpResponseBase:
    """One delivery: its state, counts, totals, difference, quarantine and conformance."""
    teams = teams_visible_to(request.user)
    found = reads_imports.bill_import(import_id, teams=teams) if teams.fleet else None
    if found is None:
        raise Http404("There is no such bill import among those you may see.")
    after = whole(request.GET.get("after", ""), 0)
    if wants_csv(request):
        rows = _csv_rows(request.GET.get("table", ""), import_id, found, teams)
        return csv_response(f"bill-import-{import_id}-{rows[0]}", rows[1], rows[2])
    lines = reads_imports.quarantine(import_id, teams=teams, after_line=after, limit=QUARANTINE_PER_PAGE + 1)
    words = {
        "detail": found,
        "one": found.summary,
        "progress": progress_of(found.summary.job_id) if found.summary.state == "received" else None,
        "lines": lines[:QUARANTINE_PER_PAGE],
        "next_after": lines[QUARANTINE_PER_PAGE - 1].line if len(lines) > QUARANTINE_PER_PAGE else None,
        "is_first": after == 0,
    }
    return render(request, "costs/bill_import.html", words)


def _receive(request: HttpRequest) -> HttpResponse:
    """Store an uploaded file and have a worker read it; refusals are told on the page of bills."""
    if not can(request.user, Capability.IMPORT_BILLS):
        raise PermissionDenied("Only finance and administrators bring bills in. Ask one of them to upload the file.")
    user = request.user if isinstance(request.user, User) else None
    upload = request.FILES.get("file")
    mode = request.POST.get("mode", "overwrite")
    if not isinstance(upload, UploadedFile) or upload.file is None or mode not in dict(MODES):
        messages.error(request, "Choose a file first: a FOCUS bill as CSV, plain or gzipped.")
        return redirect("bills")
    try:
        received = importing.receive_and_enqueue(
            request.POST.get("source", ""), upload.name or "bill.csv", cast(BinaryIO, upload.file), mode=mode, user=user
        )
    except CostsError as error:
        messages.error(request, str(error))
        return redirect("bills")
    except OperationalError:
        messages.error(
            request, "The file is stored, but the broker takes no work now. Upload it again when it answers."
        )
        return redirect("bills")
    if received.is_known and received.state != "received":
        messages.info(request, "These bytes were delivered before: nothing changed. This is that delivery.")
    return redirect("bill-import", import_id=received.delivery_id)


def _bills_words(
    request: HttpRequest, found: tuple[ImportSummary, ...], *, before: int | None, source: str
) -> dict[str, Any]:
    shown = found[:PER_PAGE]
    return {
        "imports": shown,
        "next_before": shown[-1].id if len(found) > PER_PAGE else None,
        "is_first": before is None,
        "source": source,
        "sources": reads_sources.bill_sources(),
        "modes": MODES,
        "may_import": can(request.user, Capability.IMPORT_BILLS),
        "limit_mb": settings.BILL_UPLOAD_MAX_BYTES // 1_000_000,
        "is_waiting": any(one.state == "received" for one in shown),
    }


def _fleet_scope(request: HttpRequest) -> TeamScope:
    teams = teams_visible_to(request.user)
    if not teams.fleet:
        raise PermissionDenied("Bills concern the whole fleet. Your teams' part of them is under Chargeback.")
    return teams


def _all_imports(teams: TeamScope, source: str | None) -> Any:
    before: int | None = None
    while page := reads_imports.imports(teams=teams, source=source, before=before, limit=PER_PAGE):
        for one in page:
            yield [getattr(one, name) for name in IMPORT_HEADER]
        before = page[-1].id


def _csv_rows(table: str, import_id: int, found: reads_imports.ImportDetail, teams: TeamScope) -> tuple[str, Any, Any]:
    """(name, header, rows) of one of the page's tables; the quarantine where none is named."""
    if table == "conformance":
        header = ("check_id", "column", "severity", "row_count", "first_line", "sentence")
        return table, header, ([getattr(one, name) for name in header] for one in found.findings)
    if table == "totals":
        columns = ("period", "currency", "row_count", "billed", "effective")
        return table, columns, ([getattr(one, name) for name in columns] for one in found.summary.totals)
    return "quarantine", ("line", "reason", "raw"), _all_quarantined(import_id, teams)


def _all_quarantined(import_id: int, teams: TeamScope) -> Any:
    after = 0
    while page := reads_imports.quarantine(import_id, teams=teams, after_line=after, limit=QUARANTINE_PER_PAGE):
        for one in page:
            yield [one.line, one.reason, one.raw]
        after = page[-1].line
