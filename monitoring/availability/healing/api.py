"""The endpoints about hooks and their runs, and about game days."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.acting import actor
from monitoring.alerts.api import TEAM, AlertsView
from monitoring.alerts.api_tenants import tenant_to_act, tenant_to_change
from monitoring.availability.healing import deciding, gamedays, reads
from monitoring.availability.healing.api_answers import (
    GameDayAnswer,
    GameDayDetailAnswer,
    HookAnswer,
    RunAnswer,
    RunDetailAnswer,
)
from monitoring.availability.healing.forms import DAY_S
from monitoring.availability.incidents import bodies
from monitoring.availability.models import HealingState, Outcome, State

STATE = OpenApiParameter("state", str, enum=HealingState.values, description="All unless given.")
NEW = inline_serializer(
    "NewGameDay",
    {
        "team": serializers.CharField(required=False, allow_null=True, help_text="A team's slug, or platform."),
        "title": serializers.CharField(),
        "fault": serializers.CharField(),
        "expectation": serializers.CharField(),
        "planned_at": serializers.DateTimeField(),
        "components": serializers.ListField(child=serializers.CharField(), required=False),
        "expected_state": serializers.ChoiceField(State.choices, required=False),
        "expected_within_seconds": serializers.IntegerField(required=False),
    },
)
END = inline_serializer(
    "GameDayEnd",
    {"outcome": serializers.ChoiceField(Outcome.choices), "learned": serializers.CharField(required=False)},
)


class HealingHooks(AlertsView):
    csv_columns = columns(HookAnswer)

    @endpoint(HookAnswer, many=True, summary="Hooks that are called when something breaks")
    def get(self, request: Request) -> Response:
        params.only(request)
        rows = map(HookAnswer.of, reads.hooks(teams=self.teams))
        return with_content_etag(request, self.page([*rows], lambda row: (row.name,)))


class HealingRuns(AlertsView):
    csv_columns = columns(RunAnswer)

    @endpoint(RunAnswer, many=True, summary="Runs of hooks, the newest first", parameters=[STATE, TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "state", "team")
        state = params.one_of(request, "state", HealingState.values, "") if "state" in request.query_params else ""
        ask = Ask.of(request)
        rows = reads.runs(ask, ask.number, teams=self.teams, state=state, team=params.text(request, "team"))
        return paged_response(request, page_of([*map(RunAnswer.of, rows)], ask, lambda row: (row.id,)))


class OneHealingRun(AlertsView):
    @endpoint(RunDetailAnswer, summary="A run with its history", refusals=(404,), csv=False, operation_id="healing_run")
    def get(self, request: Request, run_id: int) -> Response:
        params.only(request)
        answer = RunDetailAnswer.of(reads.run(run_id, teams=self.teams))
        return with_content_etag(request, Response(answer))


class _Decision(AlertsView):
    def decided(self, request: Request, run_id: int, *, is_approved: bool) -> Response:
        params.only(request)
        row = reads.stored_run(run_id, teams=self.teams)
        tenant_to_change(self.caller, row.hook.team_id)
        api_bodies.document(request)
        deciding.decide(row.pk, self.caller, is_approved=is_approved)
        return Response(RunDetailAnswer.of(reads.run(run_id, teams=self.teams)))


class Approve(_Decision):
    @endpoint(
        RunDetailAnswer,
        summary="Approve a run; a person only",
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="healing_run_approve",
    )
    def post(self, request: Request, run_id: int) -> Response:
        return self.decided(request, run_id, is_approved=True)


class Refuse(_Decision):
    @endpoint(
        RunDetailAnswer,
        summary="Refuse a run; a person only",
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="healing_run_refuse",
    )
    def post(self, request: Request, run_id: int) -> Response:
        return self.decided(request, run_id, is_approved=False)


class GameDays(AlertsView):
    csv_columns = columns(GameDayAnswer)

    @endpoint(GameDayAnswer, many=True, summary="Game days, the newest first", parameters=[TEAM])
    def get(self, request: Request) -> Response:
        params.only(request, "team")
        ask = Ask.of(request)
        rows = reads.game_days(ask, ask.number, teams=self.teams, team=params.text(request, "team"))
        return paged_response(request, page_of([*map(GameDayAnswer.of, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        GameDayDetailAnswer,
        summary="Plan a game day",
        status=201,
        request=NEW,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="game_day_plan",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        known = ("title", "fault", "expectation", "planned_at", "components", "expected_state")
        data = api_bodies.document(request, "team", "expected_within_seconds", *known)
        tenant = tenant_to_act(self.caller, data)
        made = gamedays.plan(tenant.team_id, _wanted(data), actor(self.caller))
        found = reads.game_day(made.pk, teams=self.teams, at=clock.now())
        answer = Response(GameDayDetailAnswer.of(found), status=201)
        answer["Location"] = f"/api/v1/game-days/{made.pk}"
        return answer


class OneGameDay(AlertsView):
    @endpoint(
        GameDayDetailAnswer,
        summary="A game day with what was seen",
        refusals=(404,),
        csv=False,
        operation_id="game_day",
    )
    def get(self, request: Request, game_day_id: int) -> Response:
        params.only(request)
        found = reads.game_day(game_day_id, teams=self.teams, at=clock.now())
        return with_content_etag(request, Response(GameDayDetailAnswer.of(found)))


class StartGameDay(AlertsView):
    @endpoint(
        GameDayDetailAnswer,
        summary="Start a game day: what happens from now on is evidence",
        refusals=(400, 404, 415),
        csv=False,
        operation_id="game_day_start",
    )
    def post(self, request: Request, game_day_id: int) -> Response:
        params.only(request)
        row = reads.stored_game_day(game_day_id, teams=self.teams)
        tenant_to_change(self.caller, row.team_id)
        api_bodies.document(request)
        gamedays.start(row.pk)
        return Response(GameDayDetailAnswer.of(reads.game_day(row.pk, teams=self.teams, at=clock.now())))


class EndGameDay(AlertsView):
    @endpoint(
        GameDayDetailAnswer,
        summary="End a game day: say how it went, and keep what was seen",
        request=END,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="game_day_end",
    )
    def post(self, request: Request, game_day_id: int) -> Response:
        params.only(request)
        row = reads.stored_game_day(game_day_id, teams=self.teams)
        tenant_to_change(self.caller, row.team_id)
        data = api_bodies.document(request, "outcome", "learned")
        outcome = Outcome(bodies.word(data, "outcome", Outcome.values))
        gamedays.end(row.pk, outcome, api_bodies.text(data, "learned", ""))
        return Response(GameDayDetailAnswer.of(reads.game_day(row.pk, teams=self.teams, at=clock.now())))


def _wanted(data: Mapping[str, Any]) -> gamedays.Wanted:
    within = data.get("expected_within_seconds")
    if within is not None and not (type(within) is int and 0 < within <= DAY_S):
        raise ProblemError(f"'expected_within_seconds' is a number from 1 to {DAY_S}.")
    return gamedays.Wanted(
        title=api_bodies.text(data, "title", most=200),
        fault=api_bodies.text(data, "fault"),
        expectation=api_bodies.text(data, "expectation"),
        planned_at=api_bodies.instant(data, "planned_at"),
        components=bodies.names(data, "components"),
        expected_state=bodies.word(data, "expected_state", State.values) if data.get("expected_state") else "",
        expected_within_s=within,
    )
