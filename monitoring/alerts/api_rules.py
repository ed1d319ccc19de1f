"""The endpoints of what we evaluate ourselves: rules, and heartbeats that programs make and end."""

from django.conf import settings
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.access import Capability, can
from fleetledger.rest import params
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock, reads_rules
from monitoring.alerts.acting import acts_for
from monitoring.alerts.api import TEAM, AlertsView
from monitoring.alerts.api_answers import HeartbeatAnswer, RuleAnswer
from monitoring.alerts.api_tenants import tenant_to_act, tenant_to_change
from monitoring.alerts.models import Heartbeat
from monitoring.alerts.reads_rules import HeartbeatRow
from monitoring.alerts.rules import heartbeats
from monitoring.alerts.tenants import AREA, visible_to

SHORTEST = "a duration such as 10m"


class AlertRules(AlertsView):
    csv_columns = columns(RuleAnswer)

    @endpoint(RuleAnswer, many=True, summary="Rules with their state and last evaluation", parameters=[TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "team")
        found = [RuleAnswer.of(row) for row in reads_rules.rules(teams=self.teams, team=params.text(request, "team"))]
        return with_content_etag(request, self.page(found, lambda row: (row.name, row.id)))


class Heartbeats(AlertsView):
    csv_columns = columns(HeartbeatAnswer)

    @endpoint(HeartbeatAnswer, many=True, summary="Heartbeats", parameters=[TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "team")
        rows = reads_rules.heartbeats(teams=self.teams, at=clock.now(), team=params.text(request, "team"))
        found = self.answers(rows)
        return with_content_etag(request, self.page(found, lambda row: (row.name, row.id)))

    @endpoint(
        HeartbeatAnswer,
        summary="Make a heartbeat: an address that must be called",
        status=201,
        request=inline_serializer(
            "NewHeartbeat",
            {
                "team": serializers.CharField(required=False, allow_null=True),
                "name": serializers.CharField(),
                "interval": serializers.CharField(help_text=f"How often it is called, {SHORTEST}."),
                "grace": serializers.CharField(required=False, help_text=f"How late it may be, {SHORTEST}."),
                "labels": serializers.DictField(child=serializers.CharField(), required=False),
                "annotations": serializers.DictField(child=serializers.CharField(), required=False),
            },
        ),
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="heartbeat_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "team", "name", "interval", "grace", "labels", "annotations")
        terms = heartbeats.Terms(
            name=api_bodies.text(data, "name", most=200),
            every=api_bodies.duration(data, "interval"),
            grace=api_bodies.duration(data, "grace", heartbeats.Terms("", heartbeats.SHORTEST).grace),
            labels=api_bodies.labels(data, "labels", {}),
            annotations=api_bodies.labels(data, "annotations", {}),
        )
        made = heartbeats.create(tenant_to_act(self.caller, data).team_id, terms)
        row = reads_rules.heartbeat(made.pk, teams=self.teams, at=clock.now())
        assert row is not None  # noqa: S101 who may act may see
        answer = Response(HeartbeatAnswer.of(row, _url(row)), status=201)
        answer["Location"] = f"/api/v1/heartbeats/{made.pk}"
        return answer

    def answers(self, rows: tuple[HeartbeatRow, ...]) -> list[HeartbeatAnswer]:
        """With their addresses for those who may act: who knows one can keep it alive."""
        acting = {tenant.team_id for tenant in acts_for(self.caller, visible_to(self.caller))}
        return [HeartbeatAnswer.of(row, _url(row) if row.team_id in acting else None) for row in rows]


class OneHeartbeat(AlertsView):
    @endpoint(HeartbeatAnswer, summary="A heartbeat", refusals=(404,), csv=False, operation_id="heartbeat")
    def get(self, request: Request, heartbeat_id: int) -> Response:
        params.only(request)
        row = self._found(heartbeat_id)
        may = can(self.caller, Capability.HANDLE_ALERTS, area=AREA) or row.team_id in {
            tenant.team_id for tenant in acts_for(self.caller, visible_to(self.caller))
        }
        return with_content_etag(request, Response(HeartbeatAnswer.of(row, _url(row) if may else None)))

    @endpoint(None, summary="End a heartbeat", status=204, refusals=(404,), csv=False, operation_id="heartbeat_end")
    def delete(self, request: Request, heartbeat_id: int) -> Response:
        params.only(request)
        tenant_to_change(self.caller, self._found(heartbeat_id).team_id)
        stored = Heartbeat.objects.filter(pk=heartbeat_id).first()
        if stored is not None:
            heartbeats.remove(stored)
        return Response(status=204)

    def _found(self, heartbeat_id: int) -> HeartbeatRow:
        row = reads_rules.heartbeat(heartbeat_id, teams=self.teams, at=clock.now())
        if row is None:
            raise NotFoundError(f"No heartbeat has the number {heartbeat_id}, or none that you may see.")
        return row


def _url(row: HeartbeatRow) -> str:
    return f"{settings.BASE_URL.rstrip('/')}/heartbeat/{row.key}"
