"""The endpoints of what belongs to one incident: notes, follow-ups and the postmortem."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.rest import params
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies
from monitoring.alerts.acting import actor
from monitoring.availability.incidents import acts, bodies, learning, reads
from monitoring.availability.incidents.api import IncidentView
from monitoring.availability.incidents.api_answers import FollowUpAnswer, PostmortemAnswer, TimelineEntryAnswer
from monitoring.availability.incidents.learning import Task

NOTE = inline_serializer(
    "IncidentNote", {"text": serializers.CharField(), "public": serializers.BooleanField(required=False)}
)
_TASK: dict[str, Any] = {
    "owner": serializers.CharField(required=False, allow_null=True),
    "due_on": serializers.DateField(required=False, allow_null=True),
}
TASK = inline_serializer("NewFollowUp", {"text": serializers.CharField(), **_TASK})
TASK_CHANGES = inline_serializer(
    "FollowUpChanges",
    {"text": serializers.CharField(required=False), "done": serializers.BooleanField(required=False), **_TASK},
)
POSTMORTEM = inline_serializer(
    "NewPostmortem",
    {
        "text": serializers.CharField(help_text="Markdown."),
        "version": serializers.IntegerField(help_text="The version that this one follows; 0 for the first."),
        "published": serializers.BooleanField(required=False),
    },
)


class Notes(IncidentView):
    @endpoint(
        TimelineEntryAnswer,
        summary="Write into an incident's timeline, or an update for the public",
        status=201,
        request=NOTE,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="incident_note",
    )
    def post(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        row = self.to_act(incident_id)
        data = api_bodies.document(request, "text", "public")
        is_public = api_bodies.flag(data, "public")
        made = acts.note(row.pk, api_bodies.text(data, "text"), actor(self.caller), is_public=is_public)
        return Response(TimelineEntryAnswer.of(reads.line(made)), status=201)


class FollowUps(IncidentView):
    csv_columns = columns(FollowUpAnswer)

    @endpoint(FollowUpAnswer, many=True, summary="What is to be done because of an incident", refusals=(404,))
    def get(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        rows = map(FollowUpAnswer.of, reads.follow_ups(self.stored(incident_id)))
        return with_content_etag(request, self.page([*rows], lambda row: (row.id,)))

    @endpoint(
        FollowUpAnswer,
        summary="Add a follow-up",
        status=201,
        request=TASK,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="follow_up_create",
    )
    def post(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        row = self.to_act(incident_id)
        data = api_bodies.document(request, "text", "owner", "due_on")
        text = api_bodies.text(data, "text", most=learning.MAX_FOLLOW_UP)
        task = Task(text, bodies.person(data, "owner", row.team_id), bodies.day(data, "due_on"))
        made = learning.add(row.pk, task, actor(self.caller))
        return Response(FollowUpAnswer.of(reads.follow_up_row(made)), status=201)


class OneFollowUp(IncidentView):
    @endpoint(
        FollowUpAnswer,
        summary="Change a follow-up, or say that it is done",
        request=TASK_CHANGES,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="follow_up_change",
    )
    def patch(self, request: Request, incident_id: int, follow_up_id: int) -> Response:
        params.only(request)
        row = self.to_act(incident_id)
        known, was_done = learning.task_of(row.pk, follow_up_id)
        data = api_bodies.document(request, "text", "owner", "due_on", "done")
        task = Task(
            api_bodies.text(data, "text", known.text, most=learning.MAX_FOLLOW_UP),
            bodies.person(data, "owner", row.team_id) if "owner" in data else known.owner,
            bodies.day(data, "due_on") if "due_on" in data else known.due_on,
        )
        is_done = api_bodies.flag(data, "done") if "done" in data else was_done
        made = learning.change(row.pk, follow_up_id, task, actor(self.caller), is_done=is_done)
        return Response(FollowUpAnswer.of(reads.follow_up_row(made)))


class IncidentPostmortem(IncidentView):
    @endpoint(
        PostmortemAnswer, summary="The postmortem", refusals=(404,), csv=False, operation_id="incident_postmortem"
    )
    def get(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        answer = PostmortemAnswer.of(reads.postmortem(self.stored(incident_id)))
        return with_content_etag(request, Response(answer))

    @endpoint(
        PostmortemAnswer,
        summary="Write the postmortem over the version that one has seen",
        request=POSTMORTEM,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="incident_postmortem_save",
    )
    def put(self, request: Request, incident_id: int) -> Response:
        params.only(request)
        row = self.to_act(incident_id)
        data = api_bodies.document(request, "text", "version", "published")
        version = data.get("version")
        if type(version) is not int or not 0 <= version < bodies.BIGINT:
            raise ProblemError("'version' is the number of the version that you have seen; 0 for none.")
        text = api_bodies.text(data, "text", most=learning.MAX_POSTMORTEM)
        is_published = api_bodies.flag(data, "published")
        learning.save(row.pk, text, version, actor(self.caller), is_published=is_published)
        return Response(PostmortemAnswer.of(reads.postmortem(self.stored(incident_id))))
