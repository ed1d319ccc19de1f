"""The endpoints of drift's models: all of them, and one with its trend."""

from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from drift import api_answers as answers
from drift import reads
from drift.sending import AREA, may_send_some
from fleetledger.fleet.access import Capability
from fleetledger.rest import params
from fleetledger.rest.auth import CallerMayRead, principal
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import ApiView, with_content_etag
from monitoring.alerts import clock


class CallerSendsReports(CallerMayRead):
    """Changes need the capability for some model's team; for which one, the endpoint itself looks."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if super().has_permission(request, view):
            return True
        caller = principal(request)
        if request.method in ("GET", "HEAD", "OPTIONS") or not caller.is_authenticated:
            return False
        return may_send_some(caller)


class DriftView(ApiView):
    area = AREA
    write_capability = Capability.SEND_REPORTS
    permission_classes = [CallerSendsReports]


class Models(DriftView):
    csv_columns = columns(answers.ModelAnswer)

    @endpoint(answers.ModelAnswer, many=True, summary="Models with what their last reports say")
    def get(self, request: Request) -> Response:
        params.only(request)
        told = partial(answers.ModelAnswer.of, sees_money=answers.sees_money(self.caller))
        rows = reads.models(teams=self.teams, at=clock.now())
        return with_content_etag(request, self.page([*map(told, rows)], lambda row: (row.name,)))


class OneModel(DriftView):
    @endpoint(
        answers.ModelDetailAnswer,
        summary="A model with the trend of its drift",
        refusals=(404,),
        csv=False,
        operation_id="drift_model",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        row = reads.model(name, teams=self.teams, at=clock.now())
        if row is None:
            raise no_such_model(name)
        sees_money = answers.sees_money(self.caller)
        return with_content_etag(request, Response(answers.ModelDetailAnswer.of(row, sees_money=sees_money)))


def no_such_model(name: str) -> NotFoundError:
    return NotFoundError(f"No model is called '{name[:100]}', or none that you may see.")
