"""The endpoints of mitigations: propose one for a finding, approve it, say how it goes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from drift import reads_findings, reads_mitigations
from drift.api import DriftView
from drift.api_answers import sees_money
from drift.mitigation import acts
from drift.mitigation.acts import MAX_NOTE, Move
from drift.mitigation.callbacks import MAX_LINK
from drift.mitigation.costs import Cost
from drift.models import MitigationKind, MitigationState
from drift.reads_mitigations import MitigationRow, StepRow
from drift.reviews import verdicts
from drift.reviews.permissions import check_may_review
from fleetledger.rest import idempotency, params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import columns, endpoint
from monitoring.alerts import api_bodies

BIGINT = 2**63
NO_MONEY = "Money is told to tokens that may read costs: give this one the scope 'read:costs' too."
MOVES = tuple(state.value for state in MitigationState if state not in (MitigationState.PROPOSED, MitigationState.SENT))
NEW = inline_serializer(
    "NewDriftMitigation",
    {
        "finding": serializers.IntegerField(),
        "kind": serializers.ChoiceField(MitigationKind.choices),
        "note": serializers.CharField(required=False),
    },
)
CHANGE = inline_serializer(
    "DriftMitigationChange",
    {
        "state": serializers.ChoiceField(MOVES),
        "note": serializers.CharField(required=False),
        "link": serializers.CharField(required=False),
    },
)


@dataclass(frozen=True, slots=True)
class MitigationCostAnswer:
    """GPU-hours and money; null where unknown, and `why` says it. `price` is of one hour of `gpu_model`.

    A token that may not read costs is told no money, and `why` says so.
    """

    gpu_hours: Decimal | None
    gpu_model: str
    price: Decimal | None
    amount: Decimal | None
    currency: str
    runs: int
    budget_left: Decimal | None
    budget_currency: str
    why: str

    @classmethod
    def of(cls, cost: Cost) -> "MitigationCostAnswer":
        return cls(
            cost.gpu_hours, cost.gpu_model, cost.price, cost.amount, cost.currency, cost.runs, cost.budget_left,
            cost.budget_currency, cost.why,
        )  # fmt: skip

    def without_money(self) -> "MitigationCostAnswer":
        """With what is said in place of an amount: of a price, and of a budget, nothing either."""
        unknown = self.why if self.gpu_hours is None and not self.runs else ""
        return MitigationCostAnswer(
            self.gpu_hours, self.gpu_model, None, None, "", self.runs, None, "", f"{unknown} {NO_MONEY}".strip()
        )


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """One step of a mitigation's history."""

    at: datetime
    state: str
    by: str
    note: str

    @classmethod
    def of(cls, row: StepRow) -> "StepAnswer":
        return cls(row.at, row.state, row.by, row.note)


@dataclass(frozen=True, slots=True)
class MitigationAnswer:
    """A mitigation with its steps; `key` is the Idempotency-Key of its webhook and part of its callback's address."""

    id: int
    finding: int
    model: str
    owner: str
    kind: str
    state: str
    key: str
    note: str
    link: str
    proposed_at: datetime
    proposed_by: str
    sent_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    webhook: bool
    estimate: MitigationCostAnswer
    actual: MitigationCostAnswer
    steps: tuple[StepAnswer, ...]

    @classmethod
    def of(cls, row: MitigationRow) -> "MitigationAnswer":
        return cls(
            id=row.id,
            finding=row.finding,
            model=row.model,
            owner=row.owner,
            kind=row.kind,
            state=row.state,
            key=row.key,
            note=row.note,
            link=row.link,
            proposed_at=row.proposed_at,
            proposed_by=row.proposed_by,
            sent_at=row.sent_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            webhook=row.by_webhook,
            estimate=MitigationCostAnswer.of(row.estimate),
            actual=MitigationCostAnswer.of(row.actual),
            steps=tuple(map(StepAnswer.of, row.steps)),
        )


class MitigationView(DriftView):
    def told(self, row: MitigationRow) -> MitigationAnswer:
        """As this caller may see it."""
        answer = MitigationAnswer.of(row)
        if sees_money(self.caller):
            return answer
        return replace(answer, estimate=answer.estimate.without_money(), actual=answer.actual.without_money())


class Mitigations(MitigationView):
    """What is done about findings."""

    parser_classes = [StrictJsonParser]
    csv_columns = columns(MitigationAnswer)

    @endpoint(
        MitigationAnswer,
        many=True,
        summary="Mitigations, the newest first",
        parameters=[OpenApiParameter("finding", int, description="A finding's number.")],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "finding")
        ask = Ask.of(request)
        rows = reads_mitigations.page(ask, beside=ask.number, teams=self.teams, finding=_asked_finding(request))
        return paged_response(request, page_of([*map(self.told, rows)], ask, lambda row: (row.id,)))

    @endpoint(
        MitigationAnswer,
        summary="Propose a mitigation for a finding",
        status=201,
        request=NEW,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_mitigation_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "finding", "kind", "note")
        finding = reads_findings.stored(_number(data, "finding"), teams=self.teams)
        check_may_review(self.caller, finding.model)
        kind = MitigationKind(_word(data, "kind", MitigationKind.values))
        note = api_bodies.text(data, "note", "", most=MAX_NOTE)
        fingerprint = hashlib.sha256(repr((finding.pk, kind, note)).encode()).hexdigest()

        def propose() -> Response:
            made = acts.propose(finding, kind, note, verdicts.person(self.caller))
            return Response(self.told(reads_mitigations.one(made.pk, teams=self.teams)), status=201)

        return idempotency.once(request, fingerprint, propose)


class OneMitigation(MitigationView):
    parser_classes = [StrictJsonParser]

    @endpoint(
        MitigationAnswer,
        summary="A mitigation with its steps and costs",
        refusals=(404,),
        csv=False,
        operation_id="drift_mitigation",
    )
    def get(self, request: Request, mitigation_id: int) -> Response:
        params.only(request)
        return Response(self.told(reads_mitigations.one(mitigation_id, teams=self.teams)))

    @endpoint(
        MitigationAnswer,
        summary="Approve a mitigation, say how it goes, or cancel it",
        request=CHANGE,
        refusals=(400, 404, 409, 415),
        csv=False,
        operation_id="drift_mitigation_change",
    )
    def patch(self, request: Request, mitigation_id: int) -> Response:
        params.only(request)
        row = reads_mitigations.stored(mitigation_id, teams=self.teams)
        check_may_review(self.caller, row.finding.model)
        data = api_bodies.document(request, "state", "note", "link")
        link = api_bodies.text(data, "link", "", most=MAX_LINK)
        if link and not link.startswith(("https://", "http://")):
            raise ProblemError("'link' begins with https:// or http://.", parameter="link")
        wanted = Move(
            MitigationState(_word(data, "state", MOVES)), api_bodies.text(data, "note", "", most=MAX_NOTE), link
        )
        acts.change(row.pk, wanted, verdicts.person(self.caller))
        return Response(self.told(reads_mitigations.one(row.pk, teams=self.teams)))


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < BIGINT:
        raise ProblemError(f"'{name}' is a whole number.", parameter=name)
    return value


def _word(data: Mapping[str, Any], name: str, known: tuple[str, ...] | list[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or value not in known:
        raise ProblemError(f"'{name}' is one of {', '.join(known)}.", parameter=name)
    return value


def _asked_finding(request: Request) -> int | None:
    text = params.text(request, "finding")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) < BIGINT):
        raise ProblemError("'finding' is a whole number.", parameter="finding")
    return int(text)
