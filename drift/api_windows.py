"""The endpoints of windows of rows: send one, see what became of it, and see a column's bars."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drift import api_answers_native as answers
from drift import reads_native
from drift.api import DriftView
from drift.api_findings import BarAnswer
from drift.api_references import FILE_NAME, MODEL
from drift.api_uploads import MEDIA_TYPES, Rows, RowsView, asked, rows_of, sender
from drift.models import Model, WindowState
from drift.native import windows
from drift.reads_native import WindowRow
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.access import TeamScope
from fleetledger.rest import idempotency, params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag

YES, NO = frozenset({"", "1", "true", "yes"}), frozenset({"0", "false", "no"})
STATE = OpenApiParameter("state", str, enum=WindowState.values, description="Where it stands.")
WINDOW = OpenApiParameter("window", str, description="FROM/TO: the time of the rows.")
COMPLETE = OpenApiParameter("complete", bool, description="Whether these are all rows of that time; true unless given.")
COLUMN = OpenApiParameter("column", str, required=True, description="A column's name.")
UPLOAD_FORM = inline_serializer(
    "DriftWindowUpload",
    {
        "model": serializers.CharField(),
        "window": serializers.CharField(),
        "complete": serializers.BooleanField(required=False),
        "file": serializers.FileField(),
    },
)


class Windows(RowsView):
    """Windows of rows. POST one as the body with ?model= and ?window=, or as a form (model, window, complete, file)."""

    csv_columns = columns(answers.DataWindowAnswer)

    @endpoint(
        answers.DataWindowAnswer, many=True, summary="Windows of rows, the latest first", parameters=[MODEL, STATE]
    )
    def get(self, request: Request) -> Response:
        params.only(request, "model", "state")
        ask = Ask.of(request)
        is_asked = "state" in request.query_params
        rows = reads_native.windows(
            params.text(request, "model"),
            teams=self.teams,
            state=params.one_of(request, "state", WindowState.values, "") if is_asked else "",
            cut=ask,
            beside=ask.number,
        )
        page = page_of([*map(answers.DataWindowAnswer.of, rows)], ask, lambda row: (row.id,))
        return with_content_etag(request, paged_response(request, page))

    @endpoint(
        answers.DataWindowAnswer,
        summary="Send a window of rows to compare with the model's reference",
        status=202,
        parameters=[MODEL, WINDOW, COMPLETE, FILE_NAME],
        request={"multipart/form-data": UPLOAD_FORM, **dict.fromkeys(MEDIA_TYPES, OpenApiTypes.BINARY)},
        refusals=(400, 404, 409, 413, 415),
        csv=False,
        operation_id="drift_window_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request, "model", "window", "complete", "filename")
        model, is_complete = self.model(), _is_complete(request)
        text = asked(request, "window")
        if not text:
            raise ProblemError("Say of which time the rows are: 'window' as FROM/TO.", parameter="window")
        window = parse_window(text)
        with rows_of(request) as rows:
            known = f"{model.pk}\n{window}\n{is_complete}\n{rows.digest}"
            return idempotency.once(request, known, lambda: self._receive(model, rows, window, is_complete=is_complete))

    def _receive(self, model: Model, rows: Rows, window: ReportWindow, *, is_complete: bool) -> Response:
        made = windows.receive(
            model, rows.stream, window, name=rows.name, is_complete=is_complete, sender=sender(self.caller)
        )
        row = found(made.pk, teams=self.teams)
        waits = row.state == WindowState.WAITING
        answer = Response(answers.DataWindowAnswer.of(row), status=202 if waits else 200)
        answer["Location"] = f"/api/v1/drift/windows/{row.id}"
        return answer


class OneWindow(DriftView):
    """A window with its state, and the report that was computed of it."""

    @endpoint(
        answers.DataWindowAnswer, summary="A window of rows", refusals=(404,), csv=False, operation_id="drift_window"
    )
    def get(self, request: Request, window_id: int) -> Response:
        params.only(request)
        return with_content_etag(request, Response(answers.DataWindowAnswer.of(found(window_id, teams=self.teams))))


class Histogram(DriftView):
    """A column's buckets in a report's window beside those of the reference."""

    csv_columns = columns(BarAnswer)

    @endpoint(
        BarAnswer,
        many=True,
        summary="A column's bars in a report's window and its reference",
        parameters=[COLUMN],
        refusals=(404,),
        operation_id="drift_report_histogram",
    )
    def get(self, request: Request, report_id: int) -> Response:
        params.only(request, "column")
        column = params.text(request, "column")
        if not column:
            raise ProblemError("Name the column: 'column' in the address.", parameter="column")
        bars = reads_native.bars(report_id, column, teams=self.teams)
        if not bars:
            raise NotFoundError(f"No bars of '{column[:100]}' are kept for report {report_id}, or none you may see.")
        order = {id(bar): place for place, bar in enumerate(bars)}
        return with_content_etag(request, self.page(bars, lambda bar: (order[id(bar)],)))


def found(window_id: int, *, teams: TeamScope) -> WindowRow:
    """The window, or a refusal that does not tell whether there is one."""
    row = reads_native.window(window_id, teams=teams)
    if row is None:
        raise NotFoundError(f"No window has the number {window_id}, or none that you may see.")
    return row


def _is_complete(request: Request) -> bool:
    if "complete" in request.query_params:
        return params.flag(request, "complete")
    word = asked(request, "complete").lower()
    if word not in YES | NO:
        raise ProblemError("'complete' is true or false.", parameter="complete")
    return word in YES
