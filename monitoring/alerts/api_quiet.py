"""The endpoints of what withholds on purpose: silences and maintenance windows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.models import User
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_in_memory, paged_response
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock, maintenance, reads_quiet, silences
from monitoring.alerts.acting import actor
from monitoring.alerts.api import TEAM, AlertsView
from monitoring.alerts.api_answers import MaintenanceAnswer, SilenceAnswer
from monitoring.alerts.api_tenants import tenant_to_act, tenant_to_change
from monitoring.alerts.reads_quiet import Phase, Quiet
from monitoring.alerts.tenants import Tenant

LIMIT = 10_000
STATE = OpenApiParameter("state", str, enum=[phase.value for phase in Phase], description="All unless given.")
_MATCHER = inline_serializer(
    "Matcher",
    {
        "name": serializers.CharField(),
        "value": serializers.CharField(allow_blank=True),
        "isRegex": serializers.BooleanField(),
        "isEqual": serializers.BooleanField(required=False),
    },
    many=True,
)
_TIMES = {"starts_at": serializers.DateTimeField(required=False), "ends_at": serializers.DateTimeField()}
SILENCE = inline_serializer(
    "NewSilence",
    {
        "team": serializers.CharField(required=False, allow_null=True, help_text="A team's slug, or platform."),
        "matchers": _MATCHER,
        **_TIMES,
        "comment": serializers.CharField(),
    },
)
WINDOW = inline_serializer(
    "NewMaintenance",
    {
        "team": serializers.CharField(required=False, allow_null=True, help_text="A team's slug, or platform."),
        "name": serializers.CharField(),
        "matchers": _MATCHER,
        **_TIMES,
        "comment": serializers.CharField(required=False),
    },
)


class Silences(AlertsView):
    csv_columns = columns(SilenceAnswer)

    @endpoint(SilenceAnswer, many=True, summary="Silences", parameters=[STATE, TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "state", "team")
        rows = reads_quiet.silences(
            _phase(request), teams=self.teams, at=clock.now(), team=params.text(request, "team"), limit=LIMIT
        )
        return with_content_etag(request, _page(request, rows, SilenceAnswer.of))

    @endpoint(
        SilenceAnswer,
        summary="Make a silence",
        status=201,
        request=SILENCE,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="silence_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "team", "matchers", "starts_at", "ends_at", "comment")
        stored = _silence(self, tenant_to_act(self.caller, data), data)
        answer = Response(stored, status=201)
        answer["Location"] = f"/api/v1/silences/{stored.id}"
        return answer


class OneSilence(AlertsView):
    @endpoint(SilenceAnswer, summary="A silence", refusals=(404,), csv=False, operation_id="silence")
    def get(self, request: Request, silence_id: UUID) -> Response:
        params.only(request)
        return with_content_etag(request, Response(SilenceAnswer.of(self._found(silence_id))))

    @endpoint(
        SilenceAnswer,
        summary="Change a silence; with other matchers a new one takes its place",
        request=SILENCE,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="silence_change",
    )
    def put(self, request: Request, silence_id: UUID) -> Response:
        params.only(request)
        old = self._found(silence_id)
        tenant = tenant_to_change(self.caller, old.team_id)
        data = api_bodies.document(request, "team", "matchers", "starts_at", "ends_at", "comment")
        return Response(_silence(self, tenant, data, old))

    @endpoint(None, summary="End a silence now", status=204, refusals=(404,), csv=False, operation_id="silence_end")
    def delete(self, request: Request, silence_id: UUID) -> Response:
        params.only(request)
        silences.expire(tenant_to_change(self.caller, self._found(silence_id).team_id), silence_id)
        return Response(status=204)

    def _found(self, silence_id: UUID) -> Quiet:
        found = reads_quiet.silence(silence_id, teams=self.teams, at=clock.now())
        if found is None:
            raise NotFoundError(f"No silence has the id {silence_id}, or none that you may see.")
        return found


class MaintenanceWindows(AlertsView):
    csv_columns = columns(MaintenanceAnswer)

    @endpoint(MaintenanceAnswer, many=True, summary="Maintenance windows", parameters=[STATE, TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "state", "team")
        rows = reads_quiet.maintenance_windows(
            teams=self.teams, at=clock.now(), team=params.text(request, "team"), limit=LIMIT, phase=_phase(request)
        )
        return with_content_etag(request, _page(request, rows, MaintenanceAnswer.of))

    @endpoint(
        MaintenanceAnswer,
        summary="Plan maintenance",
        status=201,
        request=WINDOW,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="maintenance_plan",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "team", "name", "matchers", "starts_at", "ends_at", "comment")
        tenant = tenant_to_act(self.caller, data)
        window = maintenance.Window(
            name=api_bodies.text(data, "name", most=200),
            matchers=api_bodies.matchers(data),
            starts_at=api_bodies.instant(data, "starts_at", clock.now()),
            ends_at=api_bodies.instant(data, "ends_at"),
            comment=api_bodies.text(data, "comment", ""),
        )
        made = maintenance.plan(tenant, window, actor(self.caller).name)
        found = reads_quiet.maintenance_window(made.pk, teams=self.teams, at=clock.now())
        assert found is not None  # noqa: S101 who may act may see
        answer = Response(MaintenanceAnswer.of(found), status=201)
        answer["Location"] = f"/api/v1/maintenance-windows/{made.pk}"
        return answer


class OneMaintenanceWindow(AlertsView):
    @endpoint(MaintenanceAnswer, summary="A maintenance window", refusals=(404,), csv=False, operation_id="maintenance")
    def get(self, request: Request, window_id: UUID) -> Response:
        params.only(request)
        return with_content_etag(request, Response(MaintenanceAnswer.of(self._found(window_id))))

    @endpoint(
        None, summary="End maintenance now", status=204, refusals=(404,), csv=False, operation_id="maintenance_end"
    )
    def delete(self, request: Request, window_id: UUID) -> Response:
        params.only(request)
        maintenance.end(tenant_to_change(self.caller, self._found(window_id).team_id), window_id)
        return Response(status=204)

    def _found(self, window_id: UUID) -> Quiet:
        found = reads_quiet.maintenance_window(window_id, teams=self.teams, at=clock.now())
        if found is None:
            raise NotFoundError(f"No maintenance has the id {window_id}, or none that you may see.")
        return found


def _page(request: Request, rows: Sequence[Quiet], answer: Callable[[Quiet], Any]) -> Response:
    """A page of `rows`, of which alone it is counted what they withhold."""
    page = page_in_memory(sorted(rows, key=_key), Ask.of(request), _key)
    return paged_response(request, replace(page, results=[*map(answer, reads_quiet.counted(page.results))]))


def _key(row: Quiet) -> tuple[str, str]:
    return row.ends_at.isoformat(), str(row.id)


def _phase(request: Request) -> Phase | None:
    return params.choice(request, "state", Phase) if "state" in request.query_params else None


def _silence(view: AlertsView, tenant: Tenant, data: Mapping[str, Any], old: Quiet | None = None) -> SilenceAnswer:
    """Store it; a changed one keeps its start where none is sent."""
    made = silences.create_or_update(
        tenant,
        api_bodies.matchers(data),
        starts_at=api_bodies.instant(data, "starts_at", old.starts_at if old else clock.now()),
        ends_at=api_bodies.instant(data, "ends_at"),
        created_by=actor(view.caller).name,
        comment=api_bodies.text(data, "comment"),
        silence_id=old.id if old else None,
        user=view.caller if isinstance(view.caller, User) else None,
    )
    found = reads_quiet.silence(made.pk, teams=view.teams, at=clock.now())
    assert found is not None  # noqa: S101 who may act may see
    return SilenceAnswer.of(found)
