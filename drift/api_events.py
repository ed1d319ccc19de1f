"""The endpoints of events: send what a model saw and said, with labels as they come, and see how its stream stands."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from drift import api_answers_native as answers
from drift import reads, reads_streams
from drift.api import DriftView, no_such_model
from drift.api_parsers import body_of
from drift.api_uploads import sender
from drift.models import Model
from drift.native import events
from drift.native.events import MAX_KEY
from drift.sending import check_may_send
from fleetledger.rest import params
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies

EVENT = inline_serializer(
    "DriftEvent",
    {
        "at": serializers.DateTimeField(required=False, help_text="Needed but with a label that comes later."),
        "id": serializers.CharField(required=False, help_text="By which a label that comes later finds it."),
        "features": serializers.DictField(required=False),
        "prediction": serializers.JSONField(required=False),
        "score": serializers.FloatField(required=False),
        "label": serializers.JSONField(required=False),
    },
    many=True,
)
NEW_EVENTS = inline_serializer(
    "NewDriftEvents",
    {
        "model": serializers.CharField(),
        "key": serializers.CharField(
            required=False, help_text="The same key again is the same batch; of the content unless given."
        ),
        "events": EVENT,
    },
)


class EventsBody(BaseParser):
    """JSON up to the limit of a report, plain or with `Content-Encoding: gzip`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        del media_type
        try:
            return orjson.loads(body_of(stream, parser_context, _too_large))
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is no JSON: {error}.") from error


class Events(DriftView):
    """Batches of events. A batch is stored at once or not at all, and counted by a worker."""

    parser_classes = [EventsBody]

    @endpoint(
        answers.ReceivedEventsAnswer,
        summary="Send events of a model: what it saw and said, and labels",
        status=202,
        request=NEW_EVENTS,
        refusals=(400, 404, 409, 413, 415),
        csv=False,
        operation_id="drift_events_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "model", "key", "events")
        model = self._model(api_bodies.text(data, "model", most=params.MAX_TEXT))
        key = api_bodies.text(data, "key", "", most=MAX_KEY)
        batch: Any = data.get("events")  # checked there, event by event
        done = events.receive(model, batch, key=key, sender=sender(self.caller))
        answer = answers.ReceivedEventsAnswer(model.name, done.batch_id, done.events, done.is_known)
        return Response(answer, status=200 if done.is_known else 202)

    def _model(self, name: str) -> Model:
        found = reads.stored(name, teams=self.teams)
        if found is None:
            raise no_such_model(name)
        check_may_send(self.caller, found)
        return found


class Stream(DriftView):
    """The last batch, what waits, labels, and the watch for concept drift."""

    @endpoint(
        answers.StreamAnswer,
        summary="How a model's stream of events stands",
        refusals=(404,),
        csv=False,
        operation_id="drift_stream",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        row = reads_streams.streams(name, teams=self.teams)
        if row is None:
            raise no_such_model(name)
        return with_content_etag(request, Response(answers.StreamAnswer.of(name, row)))


def _too_large(limit: int) -> ProblemError:
    return ProblemError(f"The events are longer than {limit} bytes. Send fewer at once.", status=413)
