"""The endpoint that shows what an alertmanager.yml becomes here. It changes nothing."""

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
from monitoring.alerts.moving_in.account import NotCarried
from monitoring.alerts.moving_in.alertmanager import Converted, convert
from monitoring.alerts.moving_in.reading import MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class AlertmanagerImportAnswer:
    """`configuration` is YAML for `apply`. `secrets`: environment variables to set; their values are never told.

    `silent_receivers` told somebody in Alertmanager, and nothing of them could be carried.
    """

    configuration: str
    carried: tuple[str, ...]
    not_carried: tuple[NotCarried, ...]
    secrets: tuple[str, ...]
    secret_files: tuple[str, ...]
    silent_receivers: tuple[str, ...]

    @classmethod
    def of(cls, found: Converted) -> "AlertmanagerImportAnswer":
        return cls(
            found.configuration,
            found.carried,
            found.not_carried,
            tuple(sorted(found.secrets)),
            found.files,
            found.silent,
        )


class AlertmanagerImports(AlertsView):
    @endpoint(
        AlertmanagerImportAnswer,
        summary="What an alertmanager.yml becomes here; changes nothing",
        request=inline_serializer(
            "AlertmanagerImport",
            {
                "config": serializers.CharField(help_text=f"At most {MOST_CHARACTERS} characters."),
                "team": serializers.CharField(required=False, allow_null=True),
            },
        ),
        refusals=(400, 404, 413, 415),
        csv=False,
        operation_id="alertmanager_import",
    )
    def post(self, request: Request) -> Response:
        params.only(request)
        data = api_bodies.document(request, "config", "team")
        text = data.get("config")
        if not isinstance(text, str) or not text:
            raise ProblemError("'config' is the text of an alertmanager.yml.", parameter="config")
        tenant = tenant_to_act(self.caller, data)
        try:
            found = convert(text, team=tenant.slug if tenant.team_id is not None else None)
        except ConfigError as error:
            raise ProblemError(str(error), parameter="config") from error
        return Response(AlertmanagerImportAnswer.of(found))
