"""The endpoints by which people change who is on call: overrides, and swaps."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.models import Schedule, Swap
from monitoring.alerts.oncall import overrides, reads, swaps
from monitoring.alerts.oncall.api import ScheduleView
from monitoring.alerts.oncall.api_answers import OverrideAnswer, SwapAnswer
from monitoring.alerts.oncall.overrides import MAX_REASON

_TIMES: dict[str, Any] = {
    "from_at": serializers.DateTimeField(required=False, help_text="Now unless given."),
    "until_at": serializers.DateTimeField(),
    "reason": serializers.CharField(required=False, max_length=MAX_REASON),
}
OVERRIDE = inline_serializer("NewOverride", {"person": serializers.CharField(help_text="A user name."), **_TIMES})
SWAP = inline_serializer(
    "NewSwap",
    {
        "asked_of": serializers.CharField(required=False, allow_null=True, help_text="A user name; null: anybody."),
        **_TIMES,
        "back_from_at": serializers.DateTimeField(required=False),
        "back_until_at": serializers.DateTimeField(required=False),
    },
)


class Overrides(ScheduleView):
    csv_columns = columns(OverrideAnswer)

    @endpoint(OverrideAnswer, many=True, summary="Overrides, the newest first", refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        ask = Ask.of(request)
        rows = reads.overrides(self.schedule(name), ask, ask.number)
        return paged_response(request, page_of([*map(OverrideAnswer.of, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        OverrideAnswer,
        summary="Put one person on call instead of whoever the layers have",
        status=201,
        request=OVERRIDE,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="schedule_override_create",
    )
    def post(self, request: Request, name: str) -> Response:
        params.only(request)
        schedule = self.schedule(name)
        data = api_bodies.document(request, "person", "from_at", "until_at", "reason")
        wanted = overrides.Wanted(
            person=api_bodies.text(data, "person", most=150),
            from_at=api_bodies.instant(data, "from_at", clock.now()),
            until_at=api_bodies.instant(data, "until_at"),
            reason=api_bodies.text(data, "reason", "", most=MAX_REASON),
        )
        made = overrides.make(schedule, wanted, self.caller)
        return Response(OverrideAnswer.of(reads.override(made)), status=201)


class OneOverride(ScheduleView):
    @endpoint(
        None,
        summary="Take an override back; one that has begun ends now",
        status=204,
        refusals=(404, 409),
        csv=False,
        operation_id="schedule_override_cancel",
    )
    def delete(self, request: Request, name: str, override_id: int) -> Response:
        params.only(request)
        overrides.cancel(self.schedule(name), override_id, self.caller)
        return Response(status=204)


class Swaps(ScheduleView):
    csv_columns = columns(SwapAnswer)

    @endpoint(SwapAnswer, many=True, summary="Swaps, the newest first", refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        ask = Ask.of(request)
        rows = reads.swaps(self.schedule(name), ask, ask.number)
        return paged_response(request, page_of([*map(SwapAnswer.of, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        SwapAnswer,
        summary="Ask somebody, or anybody, to take a shift of yours",
        status=201,
        request=SWAP,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="schedule_swap_create",
    )
    def post(self, request: Request, name: str) -> Response:
        params.only(request)
        schedule = self.schedule(name)
        data = api_bodies.document(
            request, "asked_of", "from_at", "until_at", "reason", "back_from_at", "back_until_at"
        )
        asked_of = None if data.get("asked_of") is None else api_bodies.text(data, "asked_of", most=150)
        wanted = swaps.Wanted(
            from_at=api_bodies.instant(data, "from_at", clock.now()),
            until_at=api_bodies.instant(data, "until_at"),
            asked_of=asked_of or "",
            back=_back(data),
            reason=api_bodies.text(data, "reason", "", most=MAX_REASON),
        )
        made = swaps.ask(schedule, wanted, self.caller)
        return Response(SwapAnswer.of(reads.swap(made)), status=201)


class OneSwap(ScheduleView):
    @endpoint(
        SwapAnswer,
        summary="Take back what you asked for",
        refusals=(404, 409),
        csv=False,
        operation_id="schedule_swap_take_back",
    )
    def delete(self, request: Request, name: str, swap_id: int) -> Response:
        return _decided(self, request, name, swap_id, swaps.take_back)


class TakeSwap(ScheduleView):
    @endpoint(
        SwapAnswer,
        summary="Take a shift that you, or anybody, were asked to take",
        request=None,
        refusals=(404, 409),
        csv=False,
        operation_id="schedule_swap_take",
    )
    def post(self, request: Request, name: str, swap_id: int) -> Response:
        return _decided(self, request, name, swap_id, swaps.take)


class DeclineSwap(ScheduleView):
    @endpoint(
        SwapAnswer,
        summary="Decline to take a shift",
        request=None,
        refusals=(404, 409),
        csv=False,
        operation_id="schedule_swap_decline",
    )
    def post(self, request: Request, name: str, swap_id: int) -> Response:
        return _decided(self, request, name, swap_id, swaps.decline)


def _decided(
    view: ScheduleView, request: Request, name: str, swap_id: int, do: Callable[[Schedule, int, Any], Swap]
) -> Response:
    params.only(request)
    done = do(view.schedule(name), swap_id, view.caller)
    done.schedule = view.schedule(name)
    return Response(SwapAnswer.of(reads.swap(done)))


def _back(data: Any) -> tuple[datetime, datetime] | None:
    """Both ends of the shift in return, or neither."""
    if data.get("back_from_at") is None and data.get("back_until_at") is None:
        return None
    for key in ("back_from_at", "back_until_at"):
        if data.get(key) is None:
            raise ProblemError(f"The shift in return has both ends: '{key}' is missing.", parameter=key)
    return api_bodies.instant(data, "back_from_at"), api_bodies.instant(data, "back_until_at")
