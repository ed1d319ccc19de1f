"""The endpoints about the caller and the caller's work, and the schema of the configuration file."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet import config, people_reads
from fleetledger.rest import params
from fleetledger.rest.auth import CallerIsKnown
from fleetledger.rest.problems import NotFoundError
from fleetledger.rest.renderers import OrjsonRenderer
from fleetledger.rest.schema import endpoint, problem_responses
from fleetledger.rest.views import ApiView, with_content_etag


class Me(ApiView):
    """Every scope may ask who it is."""

    permission_classes = [CallerIsKnown]

    @endpoint(people_reads.Me, summary="Who is asking, and what they may see", operation_id="me")
    def get(self, request: Request) -> Response:
        params.only(request)
        return Response(people_reads.me(self.caller))


class OneJob(ApiView):
    """A token of any area may follow the job that it started."""

    permission_classes = [CallerIsKnown]

    @endpoint(people_reads.JobRow, summary="Progress of long work", refusals=[404], operation_id="job")
    def get(self, request: Request, job_id: UUID) -> Response:
        params.only(request)
        row = people_reads.job(job_id, self.caller, teams=self.teams)
        if row is None:
            raise NotFoundError(f"No job has the id {job_id}, or none that you may see.")
        return Response(row)


class ConfigSchema(ApiView):
    permission_classes = [AllowAny]
    renderer_classes = [OrjsonRenderer]

    @extend_schema(
        summary="The JSON Schema of the configuration file",
        operation_id="config_schema",
        auth=[],
        responses={(200, "application/json"): OpenApiTypes.OBJECT} | problem_responses(),
    )
    def get(self, request: Request) -> Response:
        return with_content_etag(request, Response(config.json_schema()))
