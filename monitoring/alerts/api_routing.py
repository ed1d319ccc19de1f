"""The endpoints about who is told: routes, receivers, messages with their answers, and a test of the way."""

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock, reads_deliveries, reads_routing, tenants
from monitoring.alerts.acting import actor
from monitoring.alerts.api import TEAM, AlertsView
from monitoring.alerts.api_answers import DeliveryAnswer, DeliveryDetailAnswer, ReceiverAnswer, RouteTestAnswer
from monitoring.alerts.api_tenants import tenant_to_act, tenant_to_read
from monitoring.alerts.labels import ALERT_NAME
from monitoring.alerts.models import ChannelKind, MessageKind, MessageState
from monitoring.alerts.reads_deliveries import DeliveryFilter
from monitoring.alerts.route_test import NAME, tests_route

_CHOICES = {"state": MessageState, "kind": MessageKind, "channel": ChannelKind}


class Routes(AlertsView):
    @endpoint(
        reads_routing.Routing,
        summary="A tenant's routing tree",
        parameters=[TEAM],
        refusals=(404,),
        csv=False,
        operation_id="routes",
    )
    def get(self, request: Request) -> Response:
        params.only(request, "team")
        tenant = tenant_to_read(self.caller, params.text(request, "team"))
        return with_content_etag(request, Response(reads_routing.routing_of(tenant, clock.now())))


class RouteTest(AlertsView):
    @endpoint(
        RouteTestAnswer,
        summary="Where an alert would go; with send, a test message goes there",
        request=inline_serializer(
            "RouteTest",
            {
                "team": serializers.CharField(required=False, allow_null=True),
                "labels": serializers.DictField(child=serializers.CharField()),
                "send": serializers.BooleanField(required=False),
            },
        ),
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="route_test",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "team", "labels", "send")
        labels = api_bodies.labels(data, "labels")
        tenant = tenant_to_act(self.caller, data)
        shown = {ALERT_NAME: NAME} | {name: value for name, value in labels.items() if value}
        sent = tests_route(tenant, labels, actor(self.caller)) if api_bodies.flag(data, "send") else ()
        ways = reads_routing.ways(tenant, shown, clock.now())
        return Response(RouteTestAnswer(shown, ways, tuple(one.pk for one in sent)))


class Receivers(AlertsView):
    csv_columns = columns(ReceiverAnswer)

    @endpoint(
        ReceiverAnswer,
        many=True,
        summary="Receivers with their destinations' health",
        parameters=[TEAM],
        refusals=(404,),
    )
    def get(self, request: Request) -> Response:
        params.only(request, "team")
        slug = params.text(request, "team")
        seen = [tenant_to_read(self.caller, slug)] if slug or tenants.visible_to(self.caller) else []
        found = [
            ReceiverAnswer(None if tenant.team_id is None else tenant.slug, one.name, one.fallback, one.destinations)
            for tenant in seen
            for one in reads_routing.routing_of(tenant, clock.now()).receivers
        ]
        return with_content_etag(request, self.page(found, lambda row: (row.name,)))


class Deliveries(AlertsView):
    csv_columns = columns(DeliveryAnswer)

    @endpoint(
        DeliveryAnswer,
        many=True,
        summary="Messages with their fate, the newest first",
        parameters=[
            *(OpenApiParameter(name, str, enum=list(kind.values)) for name, kind in _CHOICES.items()),
            OpenApiParameter("receiver", str, description="The receiver's name."),
            TEAM,
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, *_CHOICES, "receiver", "team")
        ask = Ask.of(request)
        chosen = {
            name: params.one_of(request, name, kind.values, "") if name in request.query_params else ""
            for name, kind in _CHOICES.items()
        }
        wanted = DeliveryFilter(**chosen, receiver=params.text(request, "receiver"), team=params.text(request, "team"))
        rows = reads_deliveries.deliveries(wanted, ask, ask.number, teams=self.teams)
        return paged_response(request, page_of([*map(DeliveryAnswer.of, rows)], ask, lambda row: (row.id,)))


class OneDelivery(AlertsView):
    @endpoint(
        DeliveryDetailAnswer,
        summary="A message with its attempts and what it says",
        refusals=(404,),
        csv=False,
        operation_id="delivery",
    )
    def get(self, request: Request, message_id: int) -> Response:
        params.only(request)
        found = reads_deliveries.delivery(message_id, teams=self.teams)
        if found is None:
            raise NotFoundError(f"No message has the number {message_id}, or none that you may see.")
        return with_content_etag(request, Response(DeliveryDetailAnswer.of(found)))
