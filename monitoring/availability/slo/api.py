"""The endpoints of objectives: as they are now, their past, and their months."""

from datetime import timedelta

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.lib.buckets import EPOCH, MICROSECOND, Month, Window
from fleetledger.rest import params
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import clock
from monitoring.alerts.api import AlertsView
from monitoring.availability.slo import reads, reads_history, reads_report
from monitoring.availability.slo.api_answers import SloAnswer, SloDetailAnswer
from monitoring.availability.slo.api_answers_past import SloDayAnswer, SloMonthAnswer, SloPointAnswer, SloReportAnswer
from monitoring.availability.slo.burn import Unit
from monitoring.availability.slo.reads import Health
from monitoring.availability.slo.reads_history import Step

LONGEST = timedelta(days=400)
USUAL = timedelta(days=30)
TEAM = OpenApiParameter("team", str, description="A team's slug, or platform.")
STATE = OpenApiParameter("state", str, enum=Health.values)
KIND = OpenApiParameter("kind", str, enum=Unit.values)
COMPONENT = OpenApiParameter("component", str, description="A component's name.")
MONTH = OpenApiParameter("month", str, description="A calendar month such as 2026-10; this one unless given.")
WINDOW = [
    OpenApiParameter("from", str, description="An instant; 30 days before `to` unless given."),
    OpenApiParameter("to", str, description="An instant; now unless given."),
]
STEP = OpenApiParameter("step", str, enum=[step.value for step in Step], description="hour unless given.")


class Slos(AlertsView):
    csv_columns = columns(SloAnswer)

    @endpoint(SloAnswer, many=True, summary="Objectives with their budgets", parameters=[STATE, TEAM, COMPONENT, KIND])
    def get(self, request: Request) -> Response:
        params.only(request, "state", "team", "component", "kind")
        wanted = reads.Wanted(
            health=params.one_of(request, "state", ["", *Health.values], ""),
            team=params.text(request, "team"),
            component=params.text(request, "component"),
            kind=params.one_of(request, "kind", ["", *Unit.values], ""),
        )
        found = [*map(SloAnswer.of, reads.slos(wanted, teams=self.teams, at=clock.now()))]
        return with_content_etag(request, self.page(found, lambda row: (row.name,)))


class OneSlo(AlertsView):
    @endpoint(
        SloDetailAnswer,
        summary="An objective with its pairs of windows, and when it burned",
        refusals=(404,),
        csv=False,
        operation_id="slo",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        at = clock.now()
        found = reads.slo(name, teams=self.teams, at=at)
        if found is None:
            raise no_such_slo(name)
        row, known = found
        window = Window(at - timedelta(days=row.period_days), at)
        burned = reads_history.burns(name, window, teams=self.teams)
        return with_content_etag(request, Response(SloDetailAnswer.of(row, known, burned)))


class SloHistory(AlertsView):
    csv_columns = columns(SloPointAnswer)

    @endpoint(
        SloPointAnswer,
        many=True,
        summary="An objective's budget over time",
        parameters=[*WINDOW, STEP],
        refusals=(404,),
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "from", "to", "step")
        step = params.choice(request, "step", Step, Step.HOUR)
        found = reads_history.points(name, self.window(), step, teams=self.teams)
        if found is None:
            raise no_such_slo(name)
        return with_content_etag(
            request, self.page([*map(SloPointAnswer.of, found)], lambda row: (row.at.isoformat(),))
        )

    def window(self) -> Window:
        end = params.instant(self.request, "to", clock.now())
        default = Window(max(end - USUAL, EPOCH + timedelta(days=1)), end)
        return params.window(self.request, step=MICROSECOND, longest=LONGEST, default=default)


class SloReport(AlertsView):
    csv_columns = columns(SloDayAnswer)

    @endpoint(
        SloReportAnswer,
        summary="An objective's month with its days",
        parameters=[MONTH],
        refusals=(404,),
        operation_id="slo_report",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "month")
        at = clock.now()
        month = params.month(request, "month", Month.of(at))
        found = reads_report.month(month, teams=self.teams, at=at, name=name)
        if not found:
            raise no_such_slo(name)
        return with_content_etag(request, Response(SloReportAnswer.of(found[0])))


class SloReports(AlertsView):
    csv_columns = columns(SloMonthAnswer)

    @endpoint(SloMonthAnswer, many=True, summary="Every objective's month", parameters=[MONTH])
    def get(self, request: Request) -> Response:
        params.only(request, "month")
        at = clock.now()
        month = params.month(request, "month", Month.of(at))
        found = [*map(SloMonthAnswer.of, reads_report.month(month, teams=self.teams, at=at))]
        return with_content_etag(request, self.page(found, lambda row: (row.name,)))


def no_such_slo(name: str) -> NotFoundError:
    return NotFoundError(f"No objective is called '{name[:100]}', or none that you may see.")
