"""The endpoints of reports: send one, see what it says, get it back as it came, and say of which days it is."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from drift import api_answers as answers
from drift import importing, ingest, reads, reads_reports
from drift.api import DriftView, no_such_model
from drift.api_parsers import AnyBody, Body
from drift.errors import ReportTooLargeError
from drift.ingest import Sender
from drift.models import Model
from drift.reads_reports import ReportRow
from drift.sending import check_may_send
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.models import User
from fleetledger.rest import idempotency, params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.renderers import dumps
from fleetledger.rest.schema import columns, endpoint, problem_responses
from fleetledger.rest.views import with_content_etag

MEDIA_TYPES = ("application/json", "text/csv", "application/gzip", "application/octet-stream")
UNNAMED = "report.json"
MODEL = OpenApiParameter("model", str, description="A model's name.")
DATED = OpenApiParameter("dated", bool, description="Only reports with a window, or only those without.")
WINDOW = OpenApiParameter("window", str, description="FROM/TO: the data that the report is about.")
UPLOAD_FORM = inline_serializer(
    "DriftReportUpload",
    {
        "model": serializers.CharField(),
        "window": serializers.CharField(required=False),
        "file": serializers.FileField(),
    },
)


class RawRenderer(BaseRenderer):
    """A file's bytes as they are."""

    media_type = "application/octet-stream"
    format = "raw"
    charset = None

    def render(self, data: Any, _accepted_media_type: str | None = None, _renderer_context: Any = None) -> bytes:
        return data if isinstance(data, bytes) else dumps(data)  # OPTIONS describes the endpoint


class Reports(DriftView):
    """Reports. POST one as the body with ?model=, or as a form (model, window, file)."""

    parser_classes = [MultiPartParser, AnyBody]
    csv_columns = columns(answers.ReportAnswer)

    @endpoint(answers.ReportAnswer, many=True, summary="Drift reports, the newest first", parameters=[MODEL, DATED])
    def get(self, request: Request) -> Response:
        params.only(request, "model", "dated")
        ask = Ask.of(request)
        dated = params.flag(request, "dated") if "dated" in request.query_params else None
        model = params.text(request, "model")
        rows = reads_reports.reports(teams=self.teams, model=model, dated=dated, cut=ask, beside=ask.number)
        return paged_response(request, page_of([*map(answers.ReportAnswer.of, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        answers.ReceivedAnswer,
        summary="Send a drift report",
        status=202,
        parameters=[MODEL, WINDOW, OpenApiParameter("filename", str, description="What to call the file.")],
        request={"multipart/form-data": UPLOAD_FORM, **dict.fromkeys(MEDIA_TYPES, OpenApiTypes.BINARY)},
        refusals=(400, 404, 409, 413, 415),
        csv=False,
        operation_id="drift_report_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request, "model", "window", "filename")
        content, form_name = _content(request)
        model = self._model(_asked(request, "model"))
        text = _asked(request, "window")
        window = parse_window(text) if text else None
        fingerprint = f"{model.pk}\n{window}\n{hashlib.sha256(content).hexdigest()}"
        name = params.text(request, "filename") or form_name or UNNAMED
        return idempotency.once(request, fingerprint, lambda: self._receive(model, content, name, window))

    def _model(self, name: str) -> Model:
        if not name:
            raise ProblemError("Name the model: 'model' in the address or in the form.", parameter="model")
        found = reads.stored(name, teams=self.teams)
        if found is None:
            raise no_such_model(name)
        check_may_send(self.caller, found)
        return found

    def _receive(self, model: Model, content: bytes, name: str, window: ReportWindow | None) -> Response:
        caller = self.caller
        sender = Sender(caller) if isinstance(caller, User) else Sender(name=caller.username)
        done = importing.receive_and_enqueue(model, content, name=name, window=window, sender=sender)
        is_over = done.is_known and not done.received.waiting
        answer = Response(answers.ReceivedAnswer.of(model.name, done), status=200 if is_over else 202)
        answer["Location"] = f"/api/v1/drift/reports/{done.received.report_ids[0]}"
        return answer


class OneReport(DriftView):
    @endpoint(answers.ReportAnswer, summary="A drift report", refusals=(404,), csv=False, operation_id="drift_report")
    def get(self, request: Request, report_id: int) -> Response:
        params.only(request)
        row = found(reads_reports.report(report_id, teams=self.teams), report_id)
        return with_content_etag(request, Response(answers.ReportAnswer.of(row)))


class Scores(DriftView):
    csv_columns = columns(answers.ScoreAnswer)

    @endpoint(answers.ScoreAnswer, many=True, summary="A report's scores by column", refusals=(404,))
    def get(self, request: Request, report_id: int) -> Response:
        params.only(request)
        found(reads_reports.report(report_id, teams=self.teams), report_id)
        rows = [answers.ScoreAnswer.of(row) for row in reads_reports.scores(report_id, teams=self.teams)]
        return with_content_etag(request, self.page(rows, lambda row: (row.position,)))


class Raw(DriftView):
    """The report's file, byte for byte as it came."""

    renderer_classes = [RawRenderer]

    @extend_schema(
        summary="A report's file as it came",
        operation_id="drift_report_raw",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY} | problem_responses(404),
    )
    def get(self, request: Request, report_id: int) -> Response:
        params.only(request)
        file = reads_reports.raw(report_id, teams=self.teams)
        if file is None:
            raise no_such_report(report_id)
        answer = Response(file.content)
        answer["Content-Disposition"] = (
            content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
        )
        return answer


class Window(DriftView):
    parser_classes = [StrictJsonParser]

    @endpoint(
        answers.ReportAnswer,
        summary="Say of which window an undated report is",
        request=inline_serializer("DriftReportWindow", {"window": serializers.CharField(help_text="FROM/TO")}),
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_report_window",
    )
    def post(self, request: Request, report_id: int) -> Response:
        params.only(request)
        row = found(reads_reports.report(report_id, teams=self.teams), report_id)
        model = reads.stored(row.model, teams=self.teams)
        if model is None:
            raise no_such_report(report_id)
        check_may_send(self.caller, model)
        data = request.data
        text = data.get("window") if isinstance(data, Mapping) else None
        if not isinstance(text, str) or set(data) != {"window"}:
            raise ProblemError("Send {'window': 'FROM/TO'}.", parameter="window")
        ingest.date_report(report_id, parse_window(text), user=self.caller if isinstance(self.caller, User) else None)
        dated = found(reads_reports.report(report_id, teams=self.teams), report_id)
        return Response(answers.ReportAnswer.of(dated))


def found(row: ReportRow | None, report_id: int) -> ReportRow:
    """The report, or a refusal that does not tell whether there is one."""
    if row is None:
        raise no_such_report(report_id)
    return row


def no_such_report(report_id: int) -> NotFoundError:
    return NotFoundError(f"No drift report has the number {report_id}, or none that you may see.")


def _content(request: Request) -> tuple[bytes, str]:
    """The file's bytes, with its name where a form gives one."""
    data: Any = request.data
    if isinstance(data, Body):
        return data["content"], ""
    upload = data.get("file") if isinstance(data, Mapping) else None
    if not isinstance(upload, UploadedFile):
        raise ProblemError("Send the report as the body itself, or as the form's 'file'.", parameter="file")
    limit: int = settings.DRIFT_REPORT_MAX_BYTES
    if (upload.size or 0) > limit:
        raise ReportTooLargeError(limit)
    with upload:
        return upload.read(), upload.name or ""


def _asked(request: Request, name: str) -> str:
    """From the form or the address."""
    data: Any = request.data
    value = data.get(name) if isinstance(data, Mapping) else None
    return value.strip()[: params.MAX_TEXT] if isinstance(value, str) and value else params.text(request, name).strip()
