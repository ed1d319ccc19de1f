"""The endpoints of findings and of deployments beside them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drift import deployments, reads, reads_findings
from drift.api import DriftView, no_such_model
from drift.deployments import DeploymentRow
from drift.models import FindingKind, FindingSeverity, FindingState, Model, ReviewState
from drift.reads_findings import Card, FindingRow, ReviewRow, Wanted
from drift.sending import check_may_send
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.acting import actor

STATES = ("live", *FindingState.values)
MODEL = OpenApiParameter("model", str, description="A model's name.")
STATE = OpenApiParameter("state", str, enum=STATES, description="live: what is not closed.")
KIND = OpenApiParameter("kind", str, enum=FindingKind.values, description="What it is about.")
SEVERITY = OpenApiParameter("severity", str, enum=FindingSeverity.values, description="How bad.")
REVIEW = OpenApiParameter("review", str, enum=ReviewState.values, description="Where its review stands.")
NEW_DEPLOYMENT = inline_serializer(
    "NewDeployment",
    {
        "version": serializers.CharField(),
        "at": serializers.DateTimeField(required=False, help_text="Now unless given."),
        "note": serializers.CharField(required=False),
    },
)


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """A finding. `review` is waiting, proposed (a second person is awaited) or decided; `priority` orders the queue."""

    id: int
    model: str
    owner: str
    signal: str
    kind: str
    severity: str
    state: str
    summary: str
    columns: tuple[str, ...]
    flaps: int
    quiet: bool
    opened_at: datetime
    window_from: datetime | None
    window_to: datetime | None
    last_window_to: datetime | None
    closed_at: datetime | None
    report: int | None
    due_at: datetime
    overdue: bool
    review: str
    verdict: str
    decided_at: datetime | None
    importance: int
    production: bool
    priority: float

    @classmethod
    def of(cls, row: FindingRow) -> "FindingAnswer":
        return cls(
            row.id, row.model, row.owner, row.signal, row.kind, row.severity, row.state, row.summary, row.columns,
            row.flaps, row.is_quiet, row.opened_at, row.window_from, row.window_to, row.last_window_to, row.closed_at,
            row.report, row.due_at, row.is_overdue, row.review, row.verdict, row.decided_at, row.importance,
            row.is_production, row.priority,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """What one person said. `step` is decided, proposed, confirmed or disagreed."""

    id: int
    finding: int
    verdict: str
    step: str
    comment: str
    by: str
    at: datetime

    @classmethod
    def of(cls, row: ReviewRow) -> "ReviewAnswer":
        return cls(row.id, row.finding, row.verdict, row.step, row.comment, row.by, row.at)


@dataclass(frozen=True, slots=True)
class DeploymentAnswer:
    """A version that went live."""

    id: int
    at: datetime
    version: str
    note: str
    by: str

    @classmethod
    def of(cls, row: DeploymentRow) -> "DeploymentAnswer":
        return cls(row.id, row.at, row.version, row.note, row.by)


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """An earlier finding of the model, and the last that people said of it."""

    finding: FindingAnswer
    comment: str


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """The leading column's score in one report."""

    at: datetime
    report: int
    value: float | None
    threshold: float | None
    drifted: bool | None


@dataclass(frozen=True, slots=True)
class BarAnswer:
    """A bucket of the leading column, as a share of the rows of the reference and of the window."""

    label: str
    reference_share: float
    window_share: float


@dataclass(frozen=True, slots=True)
class FindingDetailAnswer:
    """A finding with its evidence, what people said, deployments before it, and findings like it."""

    finding: FindingAnswer
    evidence: Mapping[str, Any]
    reviews: tuple[ReviewAnswer, ...]
    deployments: tuple[DeploymentAnswer, ...]
    similar: tuple[SimilarAnswer, ...]
    trend: tuple[PointAnswer, ...]
    histogram: tuple[BarAnswer, ...]

    @classmethod
    def of(cls, card: Card) -> "FindingDetailAnswer":
        return cls(
            finding=FindingAnswer.of(card.finding),
            evidence=asdict(card.evidence),
            reviews=tuple(map(ReviewAnswer.of, card.reviews)),
            deployments=tuple(map(DeploymentAnswer.of, card.deployments)),
            similar=tuple(SimilarAnswer(FindingAnswer.of(one.finding), one.comment) for one in card.similar),
            trend=tuple(
                PointAnswer(point.at, point.report, point.value, point.threshold, point.is_drifted)
                for point in card.trend
            ),
            histogram=tuple(BarAnswer(bar.label, bar.reference_share, bar.window_share) for bar in card.histogram),
        )


class Findings(DriftView):
    csv_columns = columns(FindingAnswer)

    @endpoint(
        FindingAnswer,
        many=True,
        summary="Findings, the newest first",
        parameters=[MODEL, STATE, KIND, SEVERITY, REVIEW],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "model", "state", "kind", "severity", "review")
        wanted = Wanted(
            model=params.text(request, "model"),
            state=_word(request, "state", STATES),
            kind=_word(request, "kind", FindingKind.values),
            severity=_word(request, "severity", FindingSeverity.values),
            review=_word(request, "review", ReviewState.values),
        )
        ask = Ask.of(request)
        rows = reads_findings.page(wanted, ask, beside=ask.number, teams=self.teams)
        return paged_response(request, page_of([*map(FindingAnswer.of, rows)], ask, lambda row: (row.id,)))


class OneFinding(DriftView):
    @endpoint(
        FindingDetailAnswer,
        summary="A finding with its evidence and what people said",
        refusals=(404,),
        csv=False,
        operation_id="drift_finding",
    )
    def get(self, request: Request, finding_id: int) -> Response:
        params.only(request)
        card = reads_findings.card(finding_id, teams=self.teams)
        return with_content_etag(request, Response(FindingDetailAnswer.of(card)))


class Deployments(DriftView):
    """Which version of a model went live when."""

    parser_classes = [StrictJsonParser]
    csv_columns = columns(DeploymentAnswer)

    @endpoint(DeploymentAnswer, many=True, summary="A model's deployments", refusals=(404,))
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        rows = map(DeploymentAnswer.of, deployments.of_model(self._model(name).pk))
        return with_content_etag(request, self.page([*rows], lambda row: (row.id,)))

    @endpoint(
        DeploymentAnswer,
        summary="Say that a version of a model went live",
        status=201,
        request=NEW_DEPLOYMENT,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="drift_deployment_create",
    )
    def post(self, request: Request, name: str) -> Response:
        params.only(request)
        model = self._model(name)
        check_may_send(self.caller, model)
        data = api_bodies.document(request, "version", "at", "note")
        at = api_bodies.instant(data, "at", clock.now())
        version = api_bodies.text(data, "version", most=100)
        note = api_bodies.text(data, "note", "", most=500)
        row, is_new = deployments.add(model, at, version, note, actor(self.caller))
        return Response(DeploymentAnswer.of(row), status=201 if is_new else 200)

    def _model(self, name: str) -> Model:
        found = reads.stored(name, teams=self.teams)
        if found is None:
            raise no_such_model(name)
        return found


def _word(request: Request, name: str, known: tuple[str, ...] | list[str]) -> str:
    """One of the words that are known; empty where the parameter is not there."""
    return params.one_of(request, name, known, "") if name in request.query_params else ""
