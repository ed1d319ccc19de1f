"""The ledger's endpoints: charges, statements with their lines, periods, and the proof that they add up."""

from decimal import Decimal

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from costs import api_answers as answers
from costs import reads, reads_lines
from costs.reads import ChargeGroup
from fleetledger.lib.buckets import Month, PeriodError
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import ApiView, with_etag

PERIOD = OpenApiParameter("period", str, required=True, description="A month, such as 2026-10.")
TEAM = OpenApiParameter("team", str, description="A team's slug, (idle) or (unallocated:<reason>).")
CURRENCY = OpenApiParameter("currency", str, description="A currency's code of ISO 4217.")


class CostsView(ApiView):
    area = "costs"


class Charges(CostsView):
    """A period's exact costs by group; those of a caller without fleet scope are the own teams'."""

    csv_columns = columns(answers.ChargeAnswer)

    @endpoint(
        answers.ChargeAnswer,
        many=True,
        summary="Costs of a period by group",
        parameters=[PERIOD, TEAM, OpenApiParameter("group_by", str, enum=[group.value for group in ChargeGroup])],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "period", "team", "group_by")
        month = params.month(request)
        team = params.text(request, "team") or None
        group_by = params.choice(request, "group_by", ChargeGroup, ChargeGroup.TEAM)

        def build() -> Response:
            rows = reads.charges(month, teams=self.teams, team=team, group_by=group_by)
            found = [answers.ChargeAnswer.of(row, str(month)) for row in rows]
            return self.page(found, lambda row: (row.currency, -Decimal(row.amount), row.group))

        return with_etag(request, str(reads.version()), build)


class Statements(CostsView):
    """A period's statements, one per account and currency."""

    csv_columns = columns(answers.StatementAnswer)

    @endpoint(
        answers.StatementAnswer,
        many=True,
        summary="Statements of a period",
        parameters=[
            PERIOD,
            TEAM,
            CURRENCY,
            OpenApiParameter("source", str, description="Only what a bill source put."),
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "period", "team", "currency", "source")
        month = params.month(request)
        wanted = {name: params.text(request, name) for name in ("team", "currency", "source")}

        def build() -> Response:
            rows = reads.statements(month, teams=self.teams, source=wanted["source"] or None)
            found = [answers.StatementAnswer.of(row) for row in rows]
            kept = [
                row for row in found if wanted["team"] in ("", row.account) and wanted["currency"] in ("", row.currency)
            ]
            return self.page(kept, lambda row: (row.currency, row.account))

        return with_etag(request, str(reads.version()), build)


class StatementLines(CostsView):
    """The lines that sum to a statement, in the order of the bill."""

    @endpoint(
        answers.LineAnswer,
        many=True,
        summary="The lines of an account in a period",
        parameters=[PERIOD, CURRENCY],
        refusals=(404,),
    )
    def get(self, request: Request, account: str) -> Response:
        params.only(request, "period", "currency")
        month = params.month(request)
        currency = params.text(request, "currency") or None

        def build() -> Response:
            ask = Ask.of(request)
            edge = ask.number
            page = reads_lines.statement_lines(
                month,
                account,
                currency,
                teams=self.teams,
                after=edge or 0,
                before=edge if ask.backwards else None,
                limit=ask.limit + 1,
            )
            rows = [answers.line(row) for row in page.lines]
            return paged_response(request, page_of(rows, ask, lambda row: (str(row["id"]),)))

        return with_etag(request, str(reads.version()), build)


class Statement(CostsView):
    """An account's statements of a period, one per currency."""

    csv_columns = columns(answers.StatementAnswer)

    @endpoint(
        answers.StatementAnswer,
        many=True,
        summary="An account's statements of a period",
        parameters=[PERIOD],
        refusals=(404,),
        operation_id="statement_of_account",
    )
    def get(self, request: Request, account: str) -> Response:
        params.only(request, "period")
        month = params.month(request)

        def build() -> Response:
            found = [answers.StatementAnswer.of(row) for row in reads.statement(month, account, teams=self.teams)]
            return self.page(found, lambda row: (row.currency,))

        return with_etag(request, str(reads.version()), build)


class Periods(CostsView):
    """Every billing period."""

    @endpoint(answers.PeriodAnswer, many=True, summary="Billing periods")
    def get(self, request: Request) -> Response:
        params.only(request)

        def build() -> Response:
            rows = [answers.PeriodAnswer.of(row) for row in reversed(reads.periods(teams=self.teams))]
            return self.page(rows, lambda row: (row.period,))

        return with_etag(request, str(reads.version()), build)


class Period(CostsView):
    """One billing period with its totals."""

    @endpoint(answers.PeriodAnswer, summary="A billing period", refusals=(404,))
    def get(self, request: Request, period: str) -> Response:
        params.only(request)
        month = _month(period)

        def build() -> Response:
            found = reads.period(month, teams=self.teams)
            if found is None:
                raise NotFoundError(f"No bill has rows of {month}.")
            return Response(answers.PeriodAnswer.of(found))

        return with_etag(request, str(reads.version()), build)


class Proof(CostsView):
    """The tree from the bill's total to every part; for callers with fleet scope."""

    @endpoint(answers.ProofAnswer, summary="The proof that a period adds up", refusals=(404,), csv=False)
    def get(self, request: Request, period: str) -> Response:
        params.only(request)
        month = _month(period)

        def build() -> Response:
            sets = reads_lines.proof(month, teams=self.teams)
            if not sets:
                raise NotFoundError(f"Nothing of {month} is allocated, or nothing that you may see.")
            return Response({"period": str(month), "sets": [answers.proof_set(each) for each in sets]})

        return with_etag(request, str(reads.version()), build)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except PeriodError as error:
        raise NotFoundError(str(error)) from error
