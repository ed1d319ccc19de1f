"""The endpoints of availability: components with their figures, the whole picture, planned work."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.access import Capability, can
from fleetledger.lib.buckets import DAY, MICROSECOND, Window
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_in_memory, paged_response
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.acting import actor
from monitoring.alerts.api import AlertsView
from monitoring.alerts.tenants import AREA
from monitoring.availability import acts, reads, reads_component, reads_parts
from monitoring.availability.api_answers import (
    ChangeAnswer,
    ComponentAnswer,
    ComponentDetailAnswer,
    StatusAnswer,
    WorkAnswer,
)
from monitoring.availability.models import Component, ComponentKind
from monitoring.availability.reads_parts import Work
from monitoring.availability.states import State

LONGEST = timedelta(days=400)
REFUSAL = "You may look at this component but not change it. Ask a lead of its team, or an SRE."
TEAM = OpenApiParameter("team", str, description="A team's slug, or platform.")
STATE = OpenApiParameter("state", str, enum=[state.value for state in State])
KIND = OpenApiParameter("kind", str, enum=[kind.value for kind in ComponentKind])
PARENT = OpenApiParameter("parent", str, description="The name of the component above.")
WINDOW = [
    OpenApiParameter("from", str, description="An instant; 30 days before `to` unless given."),
    OpenApiParameter("to", str, description="An instant; now unless given."),
]
NEW_WORK = inline_serializer(
    "NewComponentMaintenance",
    {
        "from": serializers.DateTimeField(required=False, help_text="Now unless given; never earlier."),
        "to": serializers.DateTimeField(),
        "reason": serializers.CharField(required=False),
    },
)


class AvailabilityView(AlertsView):
    """What somebody may handle alerts for, they may plan work for."""

    def component(self, name: str) -> Component:
        """Raises NotFoundError for one that the caller may not see."""
        found = reads_component.stored(name, teams=self.teams)
        if found is None:
            raise no_such_component(name)
        return found

    def component_to_change(self, name: str) -> Component:
        """403 where the caller may only look."""
        found = self.component(name)
        if not can(self.caller, Capability.HANDLE_ALERTS, team=found.team, area=AREA):
            raise PermissionDenied(REFUSAL)
        return found

    def window(self) -> Window:
        end = params.instant(self.request, "to", clock.now())
        default = Window(max(end - 30 * DAY, _FIRST), end)
        return params.window(self.request, step=MICROSECOND, longest=LONGEST, default=default)


class Components(AvailabilityView):
    csv_columns = columns(ComponentAnswer)

    @endpoint(
        ComponentAnswer,
        many=True,
        summary="Components as they are now, with their last 30 days",
        parameters=[STATE, KIND, TEAM, PARENT],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "state", "kind", "team", "parent")
        wanted = reads.Wanted(
            state=_one_of(request, "state", State.values),
            kind=_one_of(request, "kind", ComponentKind.values),
            team=params.text(request, "team"),
            parent=params.text(request, "parent"),
        )
        rows = sorted(reads.components(wanted, teams=self.teams, at=clock.now()), key=lambda row: row.name)
        page = page_in_memory([*map(ComponentAnswer.of, rows)], Ask.of(request), lambda row: (row.name,))
        return with_content_etag(request, paged_response(request, page))


class OneComponent(AvailabilityView):
    @endpoint(
        ComponentDetailAnswer,
        summary="A component in full, over a window",
        parameters=WINDOW,
        refusals=(404,),
        csv=False,
        operation_id="component",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "from", "to")
        found = reads_component.component(name, self.window(), teams=self.teams, at=clock.now())
        if found is None:
            raise no_such_component(name)
        return with_content_etag(request, Response(ComponentDetailAnswer.of(found)))


class History(AvailabilityView):
    csv_columns = columns(ChangeAnswer)

    @endpoint(ChangeAnswer, many=True, summary="A component's changes of state", parameters=WINDOW, refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request, "from", "to")
        rows = reads_parts.changes(self.component(name).pk, self.window(), limit=10_000)
        answers = [ChangeAnswer.of(row) for row in reversed(rows)]
        return with_content_etag(request, self.page(answers, lambda row: (row.at.isoformat(),)))


class PlannedWork(AvailabilityView):
    @endpoint(
        WorkAnswer,
        summary="Plan work on a component and all below it: its time counts neither for nor against it",
        request=NEW_WORK,
        status=201,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="component_maintenance_create",
    )
    def post(self, request: Request, name: str) -> Response:
        params.only(request)
        component = self.component_to_change(name)
        data = api_bodies.document(request, "from", "to", "reason")
        made = acts.plan_work(
            component,
            api_bodies.instant(data, "to"),
            from_at=api_bodies.instant(data, "from") if "from" in data else None,
            reason=api_bodies.text(data, "reason", "", most=300),
            by=actor(self.caller).name,
        )
        work = Work(made.pk, made.from_at, made.until_at, made.reason, made.created_by)
        return Response(WorkAnswer.of(work), status=201)


class OnePlannedWork(AvailabilityView):
    @endpoint(
        summary="End planned work now",
        status=204,
        refusals=(404,),
        csv=False,
        operation_id="component_maintenance_delete",
    )
    def delete(self, request: Request, name: str, window_id: int) -> Response:
        params.only(request)
        acts.end_work(self.component_to_change(name), window_id)
        return Response(status=204)


class EndSeries(AvailabilityView):
    @endpoint(
        summary="Say that something a probe has seen is gone on purpose: nothing is missed of it any more",
        request=inline_serializer("EndOfSeries", {"reason": serializers.CharField()}),
        status=204,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="component_series_end",
    )
    def post(self, request: Request, name: str, series_id: int) -> Response:
        params.only(request)
        component = self.component_to_change(name)
        reason = api_bodies.text(api_bodies.document(request, "reason"), "reason", most=200)
        acts.end_series(component, series_id, f"{actor(self.caller).name}: {reason}")
        return Response(status=204)


class StatusNow(AvailabilityView):
    @endpoint(StatusAnswer, summary="The whole picture", csv=False, operation_id="status")
    def get(self, request: Request) -> Response:
        params.only(request)
        return Response(StatusAnswer.of(reads.status(teams=self.teams, at=clock.now())))


def no_such_component(name: str) -> NotFoundError:
    return NotFoundError(f"No component is called '{name[:100]}', or none that you may see.")


_FIRST = datetime.fromisoformat("1970-01-02T00:00:00+00:00")


def _one_of(request: Request, name: str, known: Sequence[str]) -> str:
    """Empty where it is not asked; an empty word is none of those that are known."""
    return params.one_of(request, name, known, "") if name in request.query_params else ""
