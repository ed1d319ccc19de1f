"""The endpoints about schedules: who is on call at an instant, shifts, and gaps."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.models import User
from fleetledger.lib.buckets import MICROSECOND, Window
from fleetledger.rest import params
from fleetledger.rest.auth import principal
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import clock
from monitoring.alerts.api import AlertsView, CallerHandlesAlerts
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import found, problems, reads, removal
from monitoring.alerts.oncall.api_answers import (
    OnCallAnswer,
    ProblemAnswer,
    ScheduleAnswer,
    ScheduleDetailAnswer,
    ShiftAnswer,
)
from monitoring.alerts.oncall.documents import YEARS
from monitoring.alerts.oncall.overrides import LONGEST

AT = OpenApiParameter("at", str, description="An instant such as 2026-11-01T00:00:00Z; now unless given.")
FROM = OpenApiParameter("from", str, description="An instant; now unless given.")
TO = OpenApiParameter("to", str, description="An instant; four weeks later unless given, at most 366 days later.")


class CallerChangesShifts(CallerHandlesAlerts):
    """Whoever is signed in has shifts that may be their own; a program needs the capability. The act itself looks."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(principal(request), User) or super().has_permission(request, view)


class ScheduleView(AlertsView):
    permission_classes = [CallerChangesShifts]

    def schedule(self, name: str) -> Schedule:
        """Raises NotFoundError for one that the caller may not see."""
        return found.schedule(name, teams=self.teams)

    def instant(self, name: str) -> datetime:
        """Now unless given."""
        at = params.instant(self.request, name, clock.now())
        if at.year not in YEARS:
            raise ProblemError(f"'{name}' lies in a year from {YEARS[0]} to {YEARS[-1]}.", parameter=name)
        return at

    def window(self) -> Window:
        start = self.instant("from")
        default = Window(start, start + reads.GAPS_AHEAD)
        return params.window(self.request, step=MICROSECOND, longest=LONGEST, default=default)


class Schedules(ScheduleView):
    csv_columns = columns(ScheduleAnswer)

    @endpoint(ScheduleAnswer, many=True, summary="Schedules with who is on call now and next")
    def get(self, request: Request) -> Response:
        params.only(request)
        rows = reads.schedules(teams=self.teams, at=clock.now())
        return with_content_etag(request, self.page([*map(ScheduleAnswer.of, rows)], lambda row: (row.name,)))


class OneSchedule(ScheduleView):
    @endpoint(
        ScheduleDetailAnswer,
        summary="A schedule with what of it does not work",
        refusals=(404,),
        csv=False,
        operation_id="schedule",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        now = clock.now()
        row = reads.schedule(name, teams=self.teams, at=now)
        known = map(ProblemAnswer.of, problems.of_schedule(self.schedule(name), now))
        answer = ScheduleDetailAnswer(ScheduleAnswer.of(row), tuple(known))
        return with_content_etag(request, Response(answer))

    @endpoint(
        None,
        summary="Remove a schedule that no escalation names; its history stays",
        status=204,
        refusals=(404, 409),
        csv=False,
        operation_id="schedule_remove",
    )
    def delete(self, request: Request, name: str) -> Response:
        params.only(request)
        removal.remove(self.schedule(name), self.caller)
        return Response(status=204)


class OnCallNow(ScheduleView):
    @endpoint(
        OnCallAnswer,
        summary="Who is on call at an instant, and who follows",
        parameters=[AT],
        refusals=(404,),
        csv=False,
        operation_id="schedule_on_call",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "at")
        row = reads.schedule(name, teams=self.teams, at=self.instant("at"))
        return with_content_etag(request, Response(OnCallAnswer.of(row)))


class Shifts(ScheduleView):
    csv_columns = columns(ShiftAnswer)

    @endpoint(
        ShiftAnswer,
        many=True,
        summary="Who is on call throughout a stretch of time, gaps included",
        parameters=[FROM, TO],
        refusals=(404,),
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "from", "to")
        window = self.window()
        rows = reads.shifts(self.schedule(name), window.start, window.end)
        return with_content_etag(request, self.page([*map(ShiftAnswer.of, rows)], _begins))


class Gaps(ScheduleView):
    csv_columns = columns(ShiftAnswer)

    @endpoint(
        ShiftAnswer,
        many=True,
        summary="When nobody is on call",
        parameters=[FROM, TO],
        refusals=(404,),
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "from", "to")
        window = self.window()
        rows = reads.gaps(self.schedule(name), window.start, window.end)
        return with_content_etag(request, self.page([*map(ShiftAnswer.of, rows)], _begins))


def _begins(row: ShiftAnswer) -> tuple[str, ...]:
    return (row.from_at.isoformat(),)
