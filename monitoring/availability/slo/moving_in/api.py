"""The endpoint that shows what OpenSLO or Sloth become here. It changes nothing."""

from dataclasses import dataclass

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.config.issues import ConfigError
from fleetledger.rest import params
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.schema import endpoint
from monitoring.alerts import api_bodies
from monitoring.alerts.api import AlertsView
from monitoring.alerts.api_tenants import tenant_to_act
from monitoring.availability.slo.moving_in.convert import Converted, NotTaken
from monitoring.availability.slo.moving_in.ours import converted
from monitoring.availability.slo.moving_in.reading import MOST_CHARACTERS

FILE = "config"


@dataclass(frozen=True, slots=True)
class SloImportAnswer:
    """`configuration` is YAML for `apply`, with the objectives `names`. `notes`: what means something else now."""

    configuration: str
    names: tuple[str, ...]
    carried: tuple[str, ...]
    not_carried: tuple[NotTaken, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, found: Converted) -> "SloImportAnswer":
        return cls(found.configuration, found.names, found.carried, found.not_carried, found.notes)


class SloImports(AlertsView):
    @endpoint(
        SloImportAnswer,
        summary="What objectives of OpenSLO or Sloth become here; changes nothing",
        request=inline_serializer(
            "SloImport",
            {
                "config": serializers.CharField(help_text=f"At most {MOST_CHARACTERS} characters of YAML."),
                "team": serializers.CharField(required=False, allow_null=True),
            },
        ),
        refusals=(400, 404, 413, 415),
        csv=False,
        operation_id="slo_import",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "config", "team")
        text = data.get("config")
        if not isinstance(text, str) or not text:
            raise ProblemError("'config' is the text of OpenSLO or Sloth.", parameter="config")
        tenant = tenant_to_act(self.caller, data)
        try:
            found = converted([(FILE, text)], tenant.slug if tenant.team_id is not None else None)
        except ConfigError as error:
            raise ProblemError(str(error), parameter="config") from error
        return Response(SloImportAnswer.of(found))
