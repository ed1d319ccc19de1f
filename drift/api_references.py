"""The endpoints of references: send one, see what it holds, and decide whether it counts."""

import hashlib
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drift import api_answers_native as answers
from drift import reads, reads_native
from drift.api import DriftView
from drift.api_uploads import MEDIA_TYPES, Rows, RowsView, asked, rows_of, sender
from drift.models import Model, ReferenceState
from drift.native import references
from drift.native.references import MAX_NOTE
from drift.reads_native import ReferenceRow
from drift.reviews import verdicts
from drift.reviews.permissions import check_may_review
from fleetledger.fleet.access import TeamScope
from fleetledger.rest import idempotency, params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies
from monitoring.alerts.acts import Actor

DECISIONS = ("accept", "refuse")
MODEL = OpenApiParameter("model", str, description="A model's name.")
NOTE = OpenApiParameter("note", str, description="Why this one, for those who review it.")
FILE_NAME = OpenApiParameter("filename", str, description="What to call the file.")
UPLOAD_FORM = inline_serializer(
    "DriftReferenceUpload",
    {
        "model": serializers.CharField(),
        "note": serializers.CharField(required=False),
        "file": serializers.FileField(),
    },
)
DECISION = inline_serializer(
    "DriftReferenceDecision", {"decision": serializers.ChoiceField(DECISIONS), "note": serializers.CharField()}
)


class References(RowsView):
    """References in versions. POST rows as the body with ?model=, or as a form (model, note, file)."""

    csv_columns = columns(answers.ReferenceAnswer)

    @endpoint(answers.ReferenceAnswer, many=True, summary="References, the newest first", parameters=[MODEL])
    def get(self, request: Request) -> Response:
        params.only(request, "model")
        ask = Ask.of(request)
        model = params.text(request, "model")
        rows = reads_native.references(model, teams=self.teams, cut=ask, beside=ask.number)
        page = page_of([*map(answers.ReferenceAnswer.of, rows)], ask, lambda row: (row.id,))
        return with_content_etag(request, paged_response(request, page))

    @endpoint(
        answers.ReferenceAnswer,
        summary="Send the rows that a model's windows are compared with",
        status=202,
        parameters=[MODEL, NOTE, FILE_NAME],
        request={"multipart/form-data": UPLOAD_FORM, **dict.fromkeys(MEDIA_TYPES, OpenApiTypes.BINARY)},
        refusals=(400, 404, 409, 413, 415),
        csv=False,
        operation_id="drift_reference_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request, "model", "note", "filename")
        model, note = self.model(), asked(request, "note", most=MAX_NOTE)
        with rows_of(request) as rows:
            known = f"{model.pk}\n{note}\n{rows.digest}"
            return idempotency.once(request, known, lambda: self._receive(model, rows, note))

    def _receive(self, model: Model, rows: Rows, note: str) -> Response:
        made = references.receive(model, rows.stream, name=rows.name, note=note, sender=sender(self.caller))
        row = found(made.pk, teams=self.teams)
        waits = row.state == ReferenceState.WAITING
        answer = Response(answers.ReferenceAnswer.of(row), status=202 if waits else 200)
        answer["Location"] = f"/api/v1/drift/references/{row.id}"
        return answer


class OneReference(DriftView):
    """A version with its state, and what a person said of it."""

    @endpoint(
        answers.ReferenceAnswer, summary="A reference", refusals=(404,), csv=False, operation_id="drift_reference"
    )
    def get(self, request: Request, reference_id: int) -> Response:
        params.only(request)
        row = found(reference_id, teams=self.teams)
        return with_content_etag(request, Response(answers.ReferenceAnswer.of(row)))


class ReferenceColumns(DriftView):
    """What a reference holds, column by column; empty while it is not read."""

    csv_columns = columns(answers.ReferenceColumnAnswer)

    @endpoint(
        answers.ReferenceColumnAnswer, many=True, summary="A reference's columns with their buckets", refusals=(404,)
    )
    def get(self, request: Request, reference_id: int) -> Response:
        params.only(request)
        found(reference_id, teams=self.teams)
        known = enumerate(reads_native.reference_columns(reference_id, teams=self.teams))
        rows = [answers.ReferenceColumnAnswer.of(position, row) for position, row in known]
        return with_content_etag(request, self.page(rows, lambda row: (row.position,)))


class ReferenceDecision(DriftView):
    """Accept a reference that is proposed, or refuse it. For a production model a second person does it."""

    parser_classes = [StrictJsonParser]

    @endpoint(
        answers.ReferenceAnswer,
        summary="Accept or refuse a proposed reference",
        request=DECISION,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_reference_decide",
    )
    def post(self, request: Request, reference_id: int) -> Response:
        params.only(request)
        row = found(reference_id, teams=self.teams)
        model = reads.stored(row.model, teams=self.teams)
        if model is None:
            raise no_such_reference(reference_id)
        check_may_review(self.caller, model)
        data = api_bodies.document(request, "decision", "note")
        decision, note = data.get("decision"), api_bodies.text(data, "note", most=MAX_NOTE)
        if decision not in DECISIONS:
            raise ProblemError(f"'decision' is one of {', '.join(DECISIONS)}.", parameter="decision")
        known = hashlib.sha256(repr((row.id, decision, note)).encode()).hexdigest()
        return idempotency.once(request, known, lambda: self._decide(row.id, decision, note))

    def _decide(self, reference_id: int, decision: Any, note: str) -> Response:
        who = verdicts.person(self.caller)
        references.decide(reference_id, is_accepted=decision == "accept", note=note, by=Actor(who.name, who.user))
        return Response(answers.ReferenceAnswer.of(found(reference_id, teams=self.teams)))


def found(reference_id: int, *, teams: TeamScope) -> ReferenceRow:
    """The reference, or a refusal that does not tell whether there is one."""
    row = reads_native.reference(reference_id, teams=teams)
    if row is None:
        raise no_such_reference(reference_id)
    return row


def no_such_reference(reference_id: int) -> NotFoundError:
    return NotFoundError(f"No reference has the number {reference_id}, or none that you may see.")
