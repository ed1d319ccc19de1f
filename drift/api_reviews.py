"""The endpoints of decisions: the queue, verdicts, and thresholds that false alarms suggest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drift import reads, reads_findings
from drift.api import DriftView, no_such_model
from drift.api_findings import MODEL, STATES, FindingAnswer, ReviewAnswer
from drift.models import Model, ThresholdChange, Verdict
from drift.reviews import thresholds, verdicts
from drift.reviews.permissions import check_may_review
from drift.reviews.verdicts import MAX_COMMENT, Opinion
from fleetledger.rest import idempotency, params
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies

BIGINT = 2**63
STATE = OpenApiParameter("state", str, enum=[*STATES, "all"], description="live unless given.")
NEW_REVIEW = inline_serializer(
    "NewDriftReview",
    {
        "finding": serializers.IntegerField(),
        "verdict": serializers.ChoiceField(Verdict.choices),
        "comment": serializers.CharField(),
        "after": serializers.IntegerField(
            required=False, help_text="The last review that you saw, 0 for none; refused where there is a newer one."
        ),
    },
)
NEW_THRESHOLD = inline_serializer(
    "NewDriftThreshold",
    {
        "column": serializers.CharField(),
        "threshold": serializers.FloatField(
            required=False, allow_null=True, help_text="What is suggested unless given; null goes back to the report's."
        ),
        "reason": serializers.CharField(),
    },
)


@dataclass(frozen=True, slots=True)
class ThresholdAnswer:
    """A change of a column's threshold by a person. `findings` are the false alarms behind it."""

    id: int
    column: str
    before: float | None
    after: float | None
    reason: str
    findings: tuple[int, ...]
    by: str
    at: datetime

    @classmethod
    def of(cls, row: ThresholdChange) -> "ThresholdAnswer":
        return cls(row.pk, row.column, row.before, row.after, row.reason, tuple(row.findings), row.by_name, row.at)


@dataclass(frozen=True, slots=True)
class SuggestionAnswer:
    """A threshold that would have spared these false alarms, and nothing that was real. It holds once accepted."""

    column: str
    method: str
    now: float | None
    suggested: float
    findings: tuple[int, ...]


class Reviews(DriftView):
    """The queue, and verdicts."""

    parser_classes = [StrictJsonParser]
    csv_columns = columns(FindingAnswer)

    @endpoint(
        FindingAnswer,
        many=True,
        summary="Findings that nobody decided, the most urgent first",
        parameters=[MODEL, STATE],
        operation_id="drift_review_queue",
    )
    def get(self, request: Request) -> Response:
        params.only(request, "model", "state")
        state = params.one_of(request, "state", (*STATES, "all"), "live")
        rows = reads_findings.queue(
            teams=self.teams, model=params.text(request, "model"), state="" if state == "all" else state
        )
        return self.page([*map(FindingAnswer.of, rows)], lambda row: (-round(row.priority * 1000), row.id))

    @endpoint(
        ReviewAnswer,
        summary="Give a verdict on a finding",
        status=201,
        request=NEW_REVIEW,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_review_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "finding", "verdict", "comment", "after")
        row = reads_findings.stored(_number(data, "finding"), teams=self.teams)
        check_may_review(self.caller, row.model)
        opinion = Opinion(
            _verdict(data),
            api_bodies.text(data, "comment", most=MAX_COMMENT),
            _number(data, "after") if "after" in data else None,
        )
        fingerprint = hashlib.sha256(repr((row.pk, opinion)).encode()).hexdigest()
        return idempotency.once(request, fingerprint, lambda: self._decide(row.pk, opinion))

    def _decide(self, finding_id: int, opinion: Opinion) -> Response:
        made = verdicts.decide(finding_id, opinion, verdicts.person(self.caller))
        return Response(ReviewAnswer.of(reads_findings.review_of(made)), status=201)


class FindingReviews(DriftView):
    """What people said of one finding, in order."""

    csv_columns = columns(ReviewAnswer)

    @endpoint(ReviewAnswer, many=True, summary="What people said of a finding", refusals=(404,))
    def get(self, request: Request, finding_id: int) -> Response:
        params.only(request)
        row = reads_findings.stored(finding_id, teams=self.teams)
        rows = [ReviewAnswer.of(one) for one in reads_findings.reviews([row.pk])]
        return with_content_etag(request, self.page(rows, lambda one: (one.id,)))


class ModelView(DriftView):
    def model(self, name: str) -> Model:
        found = reads.stored(name, teams=self.teams)
        if found is None:
            raise no_such_model(name)
        return found


class Suggestions(ModelView):
    """Thresholds that a model's false alarms suggest."""

    csv_columns = columns(SuggestionAnswer)

    @endpoint(SuggestionAnswer, many=True, summary="Thresholds that false alarms suggest", refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        rows = [
            SuggestionAnswer(one.column, one.method, one.now, one.suggested, one.findings)
            for one in thresholds.suggestions(self.model(name))
        ]
        return with_content_etag(request, self.page(rows, lambda one: (one.column,)))


class Thresholds(ModelView):
    """Thresholds that people set, and the history of that."""

    parser_classes = [StrictJsonParser]
    csv_columns = columns(ThresholdAnswer)

    @endpoint(ThresholdAnswer, many=True, summary="How a model's thresholds changed", refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        rows = thresholds.changes(self.model(name))
        return with_content_etag(request, self.page([*map(ThresholdAnswer.of, rows)], lambda row: (-row.id,)))

    @endpoint(
        ThresholdAnswer,
        summary="Accept the threshold that is suggested for a column, or set one",
        status=201,
        request=NEW_THRESHOLD,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_threshold_create",
    )
    def post(self, request: Request, name: str) -> Response:
        params.only(request)
        model = self.model(name)
        check_may_review(self.caller, model)
        data = api_bodies.document(request, "column", "threshold", "reason")
        column = api_bodies.text(data, "column", most=500)
        reason = api_bodies.text(data, "reason", most=MAX_COMMENT)
        by = verdicts.person(self.caller)
        if "threshold" in data:
            made = thresholds.put(model.pk, column, _threshold(data), by, reason=reason)
        else:
            made = thresholds.accept(model.pk, column, by, reason=reason)
        return Response(ThresholdAnswer.of(made), status=201)


def _verdict(data: Mapping[str, Any]) -> Verdict:
    value = data.get("verdict")
    if not isinstance(value, str) or value not in Verdict.values:
        raise ProblemError(f"'verdict' is one of {', '.join(Verdict.values)}.", parameter="verdict")
    return Verdict(value)


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < BIGINT:
        raise ProblemError(f"'{name}' is a whole number.", parameter=name)
    return value


def _threshold(data: Mapping[str, Any]) -> float | None:
    value = data.get("threshold")
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 < value <= thresholds.LARGEST:
        raise ProblemError("'threshold' is a number above 0 and at most 1000000, or null.", parameter="threshold")
    return float(value)
