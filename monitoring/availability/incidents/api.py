"""The endpoints about incidents: lists, one in full, opening and changing them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.acting import actor
from monitoring.alerts.api import TEAM, AlertsView
from monitoring.alerts.api_tenants import tenant_to_act, tenant_to_change
from monitoring.availability.incidents import acts, bodies, impact, reads
from monitoring.availability.incidents.acts import Changes, Wanted
from monitoring.availability.incidents.api_answers import IncidentAnswer, IncidentDetailAnswer
from monitoring.availability.incidents.reads import Kind
from monitoring.availability.models import Incident, IncidentState, RoleKind, Severity

STATE = OpenApiParameter("state", str, enum=[kind.value for kind in Kind], description="live unless given.")
SEVERITY = OpenApiParameter("severity", str, enum=Severity.values, description="How bad.")
_TEXTS: dict[str, Any] = {
    "public": serializers.BooleanField(required=False),
    "public_title": serializers.CharField(required=False),
    "public_text": serializers.CharField(required=False),
    "components": serializers.ListField(child=serializers.CharField(), required=False),
}
NEW = inline_serializer(
    "NewIncident",
    {
        "team": serializers.CharField(required=False, allow_null=True, help_text="A team's slug, or platform."),
        "title": serializers.CharField(),
        "severity": serializers.ChoiceField(Severity.choices),
        "opened_at": serializers.DateTimeField(required=False),
        "alerts": serializers.ListField(child=serializers.IntegerField(), required=False),
        **_TEXTS,
    },
)
CHANGES = inline_serializer(
    "IncidentChanges",
    {
        "title": serializers.CharField(required=False),
        "severity": serializers.ChoiceField(Severity.choices, required=False),
        "state": serializers.ChoiceField(IncidentState.choices, required=False),
        "roles": serializers.DictField(required=False, help_text=f"{', '.join(RoleKind.values)} with user names."),
        "alerts": serializers.ListField(child=serializers.IntegerField(), required=False, help_text="To take in."),
        **_TEXTS,
    },
)
_KNOWN = ("title", "severity", "public", "public_title", "public_text", "components", "alerts")


class IncidentView(AlertsView):
    def stored(self, incident_id: int) -> Incident:
        """Raises NoSuchIncidentError for one that the caller may not see."""
        return reads.stored(incident_id, teams=self.teams)

    def to_act(self, incident_id: int) -> Incident:
        """403 where the caller may only look."""
        row = self.stored(incident_id)
        tenant_to_change(self.caller, row.team_id)
        return row

    def shown(self, incident_id: int) -> IncidentDetailAnswer:
        cost = impact.impact(self.stored(incident_id), clock.now(), teams=self.teams)
        return IncidentDetailAnswer.of(reads.detail(incident_id, teams=self.teams), cost)


class Incidents(IncidentView):
    csv_columns = columns(IncidentAnswer)

    @endpoint(IncidentAnswer, many=True, summary="Incidents, the newest first", parameters=[STATE, SEVERITY, TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "state", "severity", "team")
        severity = params.one_of(request, "severity", Severity.values, "") if "severity" in request.query_params else ""
        wanted = reads.Wanted(params.choice(request, "state", Kind, Kind.LIVE), severity, params.text(request, "team"))
        ask = Ask.of(request)
        rows = reads.page(wanted, ask, ask.number, teams=self.teams)
        return paged_response(request, page_of([*map(IncidentAnswer.of, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        IncidentDetailAnswer,
        summary="Open an incident",
        status=201,
        request=NEW,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="incident_open",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "team", "opened_at", *_KNOWN)
        tenant = tenant_to_act(self.caller, data)
        made = acts.open_by_hand(tenant.team_id, _wanted(data), actor(self.caller))
        answer = Response(self.shown(made.pk), status=201)
        answer["Location"] = f"/api/v1/incidents/{made.pk}"
        return answer


class OneIncident(IncidentView):
    @endpoint(
        IncidentDetailAnswer,
        summary="An incident in full, with what it cost",
        refusals=(404,),
        csv=False,
        operation_id="incident",
    )
    def get(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        return with_content_etag(request, Response(self.shown(incident_id)))

    @endpoint(
        IncidentDetailAnswer,
        summary="Change an incident: its state, words, roles and components; take alerts in",
        request=CHANGES,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="incident_change",
    )
    def patch(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        row = self.to_act(incident_id)
        data = api_bodies.document(request, "state", "roles", *_KNOWN)
        changes, roles, alerts = _changes(data), bodies.roles(data, row.team_id), bodies.numbers(data, "alerts")
        by = actor(self.caller)
        acts.change(row.pk, changes, by)
        for role, person in roles.items():
            acts.give_role(row.pk, role, person, by)
        if alerts:
            acts.link_alerts(row.pk, alerts, by)
        return Response(self.shown(row.pk))


def _wanted(data: Mapping[str, Any]) -> Wanted:
    return Wanted(
        title=api_bodies.text(data, "title", most=200),
        severity=bodies.severity(data),
        opened_at=api_bodies.instant(data, "opened_at") if "opened_at" in data else None,
        components=bodies.names(data, "components"),
        alert_ids=bodies.numbers(data, "alerts"),
        is_public=api_bodies.flag(data, "public"),
        public_title=api_bodies.text(data, "public_title", "", most=200),
        public_text=api_bodies.text(data, "public_text", ""),
    )


def _changes(data: Mapping[str, Any]) -> Changes:
    """What is not named stays."""
    return Changes(
        title=api_bodies.text(data, "title", most=200) if "title" in data else None,
        severity=bodies.severity(data) if "severity" in data else None,
        state=bodies.state(data) if "state" in data else None,
        is_public=api_bodies.flag(data, "public") if "public" in data else None,
        public_title=api_bodies.text(data, "public_title", "", most=200) if "public_title" in data else None,
        public_text=api_bodies.text(data, "public_text", "") if "public_text" in data else None,
        components=bodies.names(data, "components") if "components" in data else None,
    )
