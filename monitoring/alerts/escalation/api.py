"""The endpoints of escalations: the ladders, and their runs with the pages they sent."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import clock
from monitoring.alerts.api import AlertsView
from monitoring.alerts.escalation import reads, reads_runs, removal
from monitoring.alerts.escalation.reads_runs import RunFilter
from monitoring.alerts.models import RunState

STATE = OpenApiParameter("state", str, enum=RunState.values, description="All unless given.")
ESCALATION = OpenApiParameter("escalation", str, description="An escalation's name.")
ALERT = OpenApiParameter("alert", int, description="An alert's number.")


class Escalations(AlertsView):
    @endpoint(reads.Ladder, many=True, summary="Escalations with whom each step would page now", csv=False)
    def get(self, request: Request) -> Response:
        params.only(request)
        rows = reads.escalations(teams=self.teams, at=clock.now())
        return with_content_etag(request, self.page(list(rows), lambda row: (row.name,)))


class OneEscalation(AlertsView):
    @endpoint(reads.Ladder, summary="An escalation", refusals=(404,), csv=False, operation_id="escalation")
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        return with_content_etag(request, Response(reads.escalation(name, teams=self.teams, at=clock.now())))

    @endpoint(
        None,
        summary="Remove an escalation that no route names; what has begun by it goes on",
        status=204,
        refusals=(404, 409),
        csv=False,
        operation_id="escalation_remove",
    )
    def delete(self, request: Request, name: str) -> Response:
        params.only(request)
        removal.remove(name, self.caller, teams=self.teams)
        return Response(status=204)


class EscalationRuns(AlertsView):
    csv_columns = columns(reads_runs.RunRow)

    @endpoint(
        reads_runs.RunRow, many=True, summary="What escalates, and what did", parameters=[STATE, ESCALATION, ALERT]
    )
    def get(self, request: Request) -> Response:
        params.only(request, "state", "escalation", "alert")
        ask = Ask.of(request)
        rows = reads_runs.runs(_wanted(request), ask, ask.number, teams=self.teams, at=clock.now())
        return paged_response(request, page_of(rows, ask, lambda row: (row.id,)))


class OneRun(AlertsView):
    @endpoint(
        reads_runs.RunDetail,
        summary="A run with its steps, whom they paged and by which ways",
        refusals=(404,),
        csv=False,
        operation_id="escalation_run",
    )
    def get(self, request: Request, run_id: int) -> Response:
        params.only(request)
        detail = reads_runs.run(run_id, teams=self.teams, at=clock.now())
        if detail is None:
            raise NotFoundError(f"No run has the number {run_id}, or none that you may see.")
        return with_content_etag(request, Response(detail))


def _wanted(request: Request) -> RunFilter:
    state = params.choice(request, "state", RunState) if "state" in request.query_params else ""
    return RunFilter(str(state), params.text(request, "escalation"), _alert(request))


def _alert(request: Request) -> int | None:
    text = request.query_params.get("alert")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 a bigint
        raise ProblemError("'alert' is an alert's number.", parameter="alert")
    return int(text)
