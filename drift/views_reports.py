"""The pages about reports: one with its scores, its file, the window it gets, and bringing one in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drift import importing, ingest, reads, reads_reports
from drift.errors import DriftError, ReportTooLargeError
from drift.ingest import Sender
from drift.models import Model
from drift.reads_reports import ReportRow, ScoreRow
from drift.sending import may_send
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.progress import progress_of
from fleetledger.web.tables import Column, build_table

SCORE_HEADER = (
    "column", "kind", "method", "method_as_written", "value", "threshold", "threshold_low", "threshold_assumed",
    "direction", "is_drifted", "engine", "engine_version", "recipe",
)  # fmt: skip
COLUMNS: tuple[Column[ScoreRow], ...] = (
    Column("column", "Column", lambda row: row.column.casefold()),
    Column("state", "Says", lambda row: {True: 0, None: 1, False: 2}[row.is_drifted]),
    Column("method", "Method", lambda row: row.method),
    Column("value", "Score", lambda row: row.value, align="right", first_descending=True),
    Column("threshold", "Threshold", lambda row: row.threshold, align="right", first_descending=True),
    Column("kind", "Kind", lambda row: row.kind, align="right"),
)


@require_safe
def report(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """One report: what it says of the whole and of each column."""
    row = _found(request, report_id)
    scores = reads_reports.scores(report_id, teams=teams_visible_to(request.user))
    is_download = wants_csv(request)
    table = build_table(scores, COLUMNS, request.GET, text=_text, default_sort="state", everything=is_download)
    if is_download:
        cells = ([getattr(one, key) for key in SCORE_HEADER] for one in table.rows)
        return csv_response(f"drift-report-{report_id}", SCORE_HEADER, cells)
    context = {
        "report": row,
        "table": table,
        "progress": progress_of(row.job_id) if row.state != "imported" else None,
        "may_date": not row.is_dated and _sendable(request, row.model) is not None,
        "unknown": sum(one.is_drifted is None for one in scores),
        "assumed": sum(one.threshold_assumed for one in scores),
    }
    return render(request, "drift/report.html", context)


@require_safe
def raw(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """The report's file, byte for byte as it came."""
    file = reads_reports.raw(report_id, teams=teams_visible_to(request.user))
    if file is None:
        raise Http404("There is no such report among those you may see.")
    response = HttpResponse(file.content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or ""
    return response


@require_POST
def date(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Say of which window an undated report is."""
    row = _found(request, report_id)
    model = _sendable(request, row.model)
    if model is None:
        raise PermissionDenied("Only leads of the model's team and SREs date its reports. Ask one of them.")
    try:
        window = _window(request)
        if window is None:
            messages.error(request, "Give both ends of the window.")
        else:
            ingest.date_report(report_id, window, user=_person(request))
            messages.success(request, f"Report {report_id} is dated, and part of the trend.")
    except DriftError as error:
        messages.error(request, str(error))
    return redirect("drift-report", report_id=report_id)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Bring a report in: the file, its model and, if it does not say it itself, its window."""
    known = _sendable_models(request)
    if request.method == "POST":
        done = _receive(request)
        if done is not None:
            return done
    context = {
        "models": known,
        "model": request.POST.get("model", request.GET.get("model", "")),
        "start": request.POST.get("from", ""),
        "end": request.POST.get("to", ""),
        "limit_mb": settings.DRIFT_REPORT_MAX_BYTES // 1_000_000,
        "has_models": bool(reads.sendable(teams=teams_visible_to(request.user))),
    }
    return render(request, "drift/report_new.html", context)


def _receive(request: HttpRequest) -> HttpResponse | None:
    """Store the uploaded file; None after a refusal, which the page then tells."""
    upload = request.FILES.get("file")
    model = _sendable(request, request.POST.get("model", ""))
    if model is None or not isinstance(upload, UploadedFile):
        messages.error(request, "Choose a model of yours and a file first.")
        return None
    try:
        content = _content(upload)
        sender = Sender(_person(request))
        name = upload.name or "report.json"
        done = importing.receive_and_enqueue(model, content, name=name, window=_window(request), sender=sender)
    except DriftError as error:
        messages.error(request, str(error))
        return None
    if done.is_known:
        messages.info(request, "The same report was here before: nothing changed.")
    if len(done.received.report_ids) == 1:
        return redirect("drift-report", report_id=done.received.report_ids[0])
    return redirect("drift-model", name=model.name)


def _content(upload: "UploadedFile[bytes]") -> bytes:
    if (upload.size or 0) > settings.DRIFT_REPORT_MAX_BYTES:
        raise ReportTooLargeError(settings.DRIFT_REPORT_MAX_BYTES)
    return bytes(upload.read())


def _window(request: HttpRequest) -> ReportWindow | None:
    """From the two fields; None where both are empty."""
    start, end = request.POST.get("from", "").strip(), request.POST.get("to", "").strip()
    return parse_window(f"{start}/{end}") if start or end else None


def _sendable(request: HttpRequest, name: str) -> Model | None:
    model = reads.stored(name, teams=teams_visible_to(request.user))
    person = _person(request)
    return model if model is not None and person is not None and may_send(person, model.owner) else None


def _sendable_models(request: HttpRequest) -> list[Any]:
    person = _person(request)
    if person is None:
        return []
    return [one for one in reads.sendable(teams=teams_visible_to(person)) if may_send(person, one.owner)]


def _found(request: HttpRequest, report_id: int) -> ReportRow:
    row = reads_reports.report(report_id, teams=teams_visible_to(request.user))
    if row is None:
        raise Http404("There is no such report among those you may see.")
    return row


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _text(row: ScoreRow) -> str:
    return f"{row.column} {row.method} {row.method_as_written} {row.kind}"
