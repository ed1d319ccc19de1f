"""The endpoints about alerts: what is open, one in full, what people and programs do about it, and what was."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.access import Capability
from fleetledger.lib.buckets import Window
from fleetledger.rest import params
from fleetledger.rest.auth import CallerMayRead, principal
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import ApiView, with_content_etag
from monitoring.alerts import acts, api_answers, api_bodies, clock, people, reads, reads_alert, reads_groups
from monitoring.alerts import reads_history as past
from monitoring.alerts.acting import actor, acts_for, check_may_act
from monitoring.alerts.asked import Search, read_search
from monitoring.alerts.models import Alert
from monitoring.alerts.reads import Kind, Wanted
from monitoring.alerts.reads_groups import GroupBy
from monitoring.alerts.tenants import AREA, visible_to

TEAM = OpenApiParameter("team", str, description="A team's slug, or platform.")
SEVERITY = OpenApiParameter("severity", str, description="The label severity.")
FILTER = OpenApiParameter("filter", str, description='Matchers as amtool has them: severity="critical",node=~"gpu-.*".')
STATE = OpenApiParameter("state", str, enum=[kind.value for kind in Kind], description="open unless given.")
COMMENT = inline_serializer("Act", {"comment": serializers.CharField(required=False)})


class CallerHandlesAlerts(CallerMayRead):
    """Changes need the capability for some tenant; for which one, the endpoint itself looks."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if super().has_permission(request, view):
            return True
        caller = principal(request)
        if request.method in ("GET", "HEAD", "OPTIONS") or not caller.is_authenticated:
            return False
        return bool(acts_for(caller, visible_to(caller)))


class AlertsView(ApiView):
    area = AREA
    write_capability = Capability.HANDLE_ALERTS
    permission_classes = [CallerHandlesAlerts]
    parser_classes = [StrictJsonParser]


class Alerts(AlertsView):
    csv_columns = columns(api_answers.AlertAnswer)

    @endpoint(
        api_answers.AlertAnswer, many=True, summary="Alerts as they are now", parameters=[STATE, SEVERITY, TEAM, FILTER]
    )
    def get(self, request: Request) -> Response:
        params.only(request, "state", "severity", "team", "filter")
        ask = Ask.of(request)
        rows = reads.page_of_alerts(wanted(request), ask, ask.number, teams=self.teams, at=clock.now())
        return paged_response(request, page_of([*map(api_answers.AlertAnswer.of, rows)], ask, lambda row: (row.id,)))


class OneAlert(AlertsView):
    @endpoint(
        api_answers.AlertDetailAnswer,
        summary="An alert with its history",
        refusals=(404,),
        csv=False,
        operation_id="alert",
    )
    def get(self, request: Request, alert_id: int) -> Response:
        params.only(request)
        found = reads_alert.alert(alert_id, teams=self.teams, at=clock.now())
        if found is None:
            raise no_such_alert(alert_id)
        return with_content_etag(request, Response(api_answers.AlertDetailAnswer.of(found)))


class _Act(AlertsView):
    """An act on one alert; the answer is the alert afterwards."""

    def done(self, request: Request, alert_id: int, do: Callable[[Alert], tuple[bool, tuple[str, ...]]]) -> Response:
        params.only(request)
        stored = reads_alert.stored([alert_id], teams=self.teams)
        if not stored:
            raise no_such_alert(alert_id)
        check_may_act(self.caller, stored)
        changed, told = do(stored[0])
        found = reads.to_rows(reads.found(Wanted(Kind.ALL), teams=self.teams).filter(pk=alert_id), clock.now())
        return Response(api_answers.ActAnswer(api_answers.AlertAnswer.of(found[0]), changed, told))

    def comment(self, request: Request) -> str:
        return api_bodies.text(api_bodies.document(request, "comment"), "comment", "")


class Acknowledge(_Act):
    @endpoint(
        api_answers.ActAnswer,
        summary="Acknowledge an alert: its repeats end",
        request=COMMENT,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="alert_acknowledge",
    )
    def post(self, request: Request, alert_id: int) -> Response:
        comment = self.comment(request)

        def do(alert: Alert) -> tuple[bool, tuple[str, ...]]:
            done = acts.acknowledge([alert.pk], actor(self.caller), comment)
            return bool(done.alert_ids), done.on_their_way

        return self.done(request, alert_id, do)


class Unacknowledge(_Act):
    @endpoint(
        api_answers.ActAnswer,
        summary="Give an alert back: its repeats go on",
        request=COMMENT,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="alert_unacknowledge",
    )
    def post(self, request: Request, alert_id: int) -> Response:
        comment = self.comment(request)
        return self.done(
            request,
            alert_id,
            lambda alert: (bool(acts.unacknowledge([alert.pk], actor(self.caller), comment)), ()),
        )


class Assign(_Act):
    @endpoint(
        api_answers.ActAnswer,
        summary="Give an alert to a person, or to nobody",
        request=inline_serializer(
            "Assignment",
            {"to": serializers.CharField(allow_null=True), "comment": serializers.CharField(required=False)},
        ),
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="alert_assign",
    )
    def post(self, request: Request, alert_id: int) -> Response:
        data = api_bodies.document(request, "to", "comment")
        comment = api_bodies.text(data, "comment", "")

        def do(alert: Alert) -> tuple[bool, tuple[str, ...]]:
            acts.assign(alert.pk, _person(data, alert.team_id), actor(self.caller), comment)
            return True, ()

        return self.done(request, alert_id, do)


class Comment(_Act):
    @endpoint(
        api_answers.ActAnswer,
        summary="Write a line into an alert's history",
        request=inline_serializer("Comment", {"comment": serializers.CharField()}),
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="alert_comment",
    )
    def post(self, request: Request, alert_id: int) -> Response:
        said = api_bodies.text(api_bodies.document(request, "comment"), "comment")

        def do(alert: Alert) -> tuple[bool, tuple[str, ...]]:
            acts.comment(alert.pk, said, actor(self.caller))
            return True, ()

        return self.done(request, alert_id, do)


class Resolve(_Act):
    @endpoint(
        api_answers.ActAnswer,
        summary="Resolve by hand an alert for which nobody speaks any more",
        request=COMMENT,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="alert_resolve",
    )
    def post(self, request: Request, alert_id: int) -> Response:
        comment = self.comment(request)
        return self.done(
            request,
            alert_id,
            lambda alert: (bool(acts.resolve_by_hand([alert.pk], actor(self.caller), comment)), ()),
        )


class AlertGroups(AlertsView):
    csv_columns = columns(api_answers.GroupAnswer)

    @endpoint(
        api_answers.GroupAnswer,
        many=True,
        summary="Open alerts by a label, with the first of each group",
        parameters=[
            OpenApiParameter("group_by", str, enum=[by.value for by in GroupBy if by is not GroupBy.NONE]),
            STATE,
            SEVERITY,
            TEAM,
            FILTER,
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "group_by", "state", "severity", "team", "filter")
        words = [by.value for by in GroupBy if by is not GroupBy.NONE]
        by = GroupBy(params.one_of(request, "group_by", words, GroupBy.ALERTNAME.value))
        ask = Ask.of(request)
        found = reads_groups.groups_by_key(wanted(request), by, ask, ask.text, teams=self.teams, at=clock.now())
        page = page_of([*map(api_answers.GroupAnswer.of, found)], ask, lambda group: (group.key,))
        return paged_response(request, page)


class AlertHistory(AlertsView):
    csv_columns = columns(past.Past)

    @endpoint(
        past.Past,
        many=True,
        summary="Every time that an alert fired",
        parameters=[
            OpenApiParameter("from", str, description="Heard of from here on."),
            OpenApiParameter("to", str, description="Heard of before."),
            SEVERITY,
            TEAM,
            FILTER,
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "from", "to", "severity", "team", "filter")
        ask = Ask.of(request)
        search = _filter(request)
        asked = past.PastFilter(
            window=_window(request),
            severity=params.text(request, "severity"),
            team=params.text(request, "team"),
            matchers=search.matchers,
        )
        rows = past.history(asked, ask, ask.number, teams=self.teams)
        return paged_response(request, page_of(rows, ask, lambda row: (row.id,)))


def wanted(request: Request) -> Wanted:
    """Which alerts the address asks for; raises ProblemError."""
    return Wanted(
        kind=params.choice(request, "state", Kind, Kind.OPEN),
        severity=params.text(request, "severity"),
        team=params.text(request, "team"),
        matchers=_filter(request).matchers,
    )


def no_such_alert(alert_id: int) -> NotFoundError:
    return NotFoundError(f"No alert has the number {alert_id}, or none that you may see.")


def _filter(request: Request) -> Search:
    text = params.text(request, "filter")
    found = read_search(text)
    if found.error or found.words:
        raise ProblemError(
            found.error or f"'{text[:60]}' is no matcher. Write severity=\"critical\".", parameter="filter"
        )
    return found


def _window(request: Request) -> Window | None:
    if not {"from", "to"} & set(request.query_params):
        return None
    end = params.instant(request, "to", clock.now())
    start = params.instant(request, "from", end.replace(year=max(end.year - 10, params.FIRST_YEAR), day=1))
    if end <= start:
        raise ProblemError("'to' comes after 'from'.", parameter="to")
    return Window(start, end)


def _person(data: Mapping[str, Any], team_id: int | None) -> Any:
    """The person whom the alert may be given to, or nobody for null."""
    if data.get("to") is None:
        return None
    name = api_bodies.text(data, "to", most=150)
    found = people.assignable_person(team_id, name)
    if found is None:
        raise ProblemError(f"Nobody of this team is called '{name[:60]}'.", parameter="to")
    return found
