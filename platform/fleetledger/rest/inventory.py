"""The inventory's endpoints: clusters, nodes, GPUs, teams, ownership rules and sources."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet import reads
from fleetledger.fleet.models import SourceKind
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, Page, page_of, paged_response
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import ApiView, with_content_etag


def _filters(**described: str) -> Sequence[OpenApiParameter]:
    return [OpenApiParameter(name, str, description=words) for name, words in described.items()]


class InventoryView(ApiView):
    area = "fleet"

    def answer(self, page: Page[Any]) -> Response:
        return with_content_etag(self.request, paged_response(self.request, page))


class Clusters(InventoryView):
    csv_columns = columns(reads.ClusterRow)

    @endpoint(reads.ClusterRow, many=True, summary="Clusters", parameters=_filters(name="The cluster's name."))
    def get(self, request: Request) -> Response:
        params.only(request, "name")
        rows = reads.clusters(teams=self.teams, name=params.text(request, "name"))
        return with_content_etag(request, self.page(rows, lambda row: (row.name,)))


class Nodes(InventoryView):
    csv_columns = columns(reads.NodeRow)

    @endpoint(
        reads.NodeRow,
        many=True,
        summary="Nodes",
        parameters=_filters(cluster="The cluster's name.", name="The node's name."),
    )
    def get(self, request: Request) -> Response:
        params.only(request, "cluster", "name")
        ask = Ask.of(request)
        rows = reads.nodes(
            ask,
            teams=self.teams,
            cluster=params.text(request, "cluster"),
            name=params.text(request, "name"),
        )
        return self.answer(page_of(rows, ask, lambda row: (row.cluster, row.name)))


class Gpus(InventoryView):
    csv_columns = columns(reads.GpuRow)

    @endpoint(
        reads.GpuRow,
        many=True,
        summary="GPUs",
        parameters=[
            *_filters(
                cluster="The cluster's name.", node="The node's name.", model="Part of the model's name, such as H100."
            ),
            OpenApiParameter("retired", bool, description="true: retired ones alone; false: those in service."),
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "cluster", "node", "model", "retired")
        ask = Ask.of(request)
        has_retired = "retired" in request.query_params
        rows = reads.gpus(
            ask,
            teams=self.teams,
            cluster=params.text(request, "cluster"),
            node=params.text(request, "node"),
            model=params.text(request, "model"),
            retired=params.flag(request, "retired") if has_retired else None,
        )
        return self.answer(page_of(rows, ask, lambda row: (row.uuid,)))


class OneGpu(InventoryView):
    @endpoint(reads.GpuRow, summary="One GPU", refusals=[404], operation_id="gpu_retrieve")
    def get(self, request: Request, uuid: str) -> Response:
        params.only(request)
        rows = reads.gpus(Ask(1), teams=self.teams, uuid=_name(uuid))
        return with_content_etag(request, Response(_only(rows, "GPU", uuid)))


class Teams(InventoryView):
    csv_columns = columns(reads.TeamRow)

    @endpoint(
        reads.TeamRow, many=True, summary="Teams", parameters=_filters(parent="The slug of the team right above.")
    )
    def get(self, request: Request) -> Response:
        params.only(request, "parent")
        rows = reads.teams_list(teams=self.teams, parent=params.text(request, "parent"))
        return with_content_etag(request, self.page(rows, lambda row: (row.slug,)))


class OneTeam(InventoryView):
    @endpoint(reads.TeamRow, summary="One team", refusals=[404], operation_id="team_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        params.only(request)
        rows = reads.teams_list(teams=self.teams, slug=_name(slug))
        return with_content_etag(request, Response(_only(rows, "team", slug)))


class OwnershipRules(InventoryView):
    csv_columns = columns(reads.RuleRow)

    @endpoint(
        reads.RuleRow,
        many=True,
        summary="Ownership rules, in the order in which they are asked",
        parameters=[
            *_filters(team="The team's slug."),
            OpenApiParameter("on", date, description="Only the rules in force on this day."),
        ],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "team", "on")
        rows = reads.ownership_rules(teams=self.teams, team=params.text(request, "team"), on=params.day(request, "on"))
        return with_content_etag(request, self.page(rows, lambda row: (row.position,)))


class Sources(InventoryView):
    csv_columns = columns(reads.SourceRow)

    @endpoint(
        reads.SourceRow,
        many=True,
        summary="Sources with their watermark and lag",
        parameters=[OpenApiParameter("kind", str, enum=list(SourceKind.values), description="The source's kind.")],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "kind")
        kind = params.choice(request, "kind", SourceKind) if "kind" in request.query_params else ""
        return self.page(reads.sources(teams=self.teams, kind=kind), lambda row: (row.name,))


class OneSource(InventoryView):
    @endpoint(
        reads.SourceRow,
        summary="One source with its watermark, lag and last error",
        refusals=[404],
        operation_id="source_retrieve",
    )
    def get(self, request: Request, name: str) -> Response:
        params.only(request)
        return Response(_only(reads.sources(teams=self.teams, name=_name(name)), "source", name))


def _only(rows: Sequence[Any], what: str, name: str) -> Any:
    """The one row; what another team has is answered as what does not exist."""
    if not rows:
        raise NotFoundError(f"No {what} is called '{name[:80]}', or none that you may see.")
    return rows[0]


def _name(text: str) -> str:
    if "\x00" in text:
        raise ProblemError("A name holds no NUL.", status=404)
    return text
