"""The addresses below /t/{team}/ that machines call, with and without a slash at their end; and the heartbeats'."""

from django.http import HttpResponse
from django.urls import URLPattern, re_path

from fleetledger.fleet.access import Capability
from monitoring.alerts.am_api import alerts, answers, heartbeats, silences, status, webhooks
from monitoring.alerts.am_api.entrance import Call, View, endpoint

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TEAM = r"^t/(?P<team>[-\w]{1,64})/"


def _unknown(call: Call) -> HttpResponse:
    return answers.turned_away(404, f"path {call.request.path_info} was not found")


def _below(path: str, view: View, name: str) -> URLPattern:
    return re_path(rf"{TEAM}{path}/?$", view, name=f"am-{name}")


urlpatterns = [
    _below("api/v2/status", status.status, "status"),
    _below("api/v2/receivers", status.receivers, "receivers"),
    _below("api/v2/alerts", alerts.alerts, "alerts"),
    _below("api/v2/alerts/groups", alerts.alert_groups, "alert-groups"),
    _below("api/v2/silences", silences.silences, "silences"),
    _below(r"api/v2/silence/(?P<silence_id>[-\w]{1,64})", silences.silence, "silence"),
    _below("api/.*", endpoint(**dict.fromkeys(METHODS, (Capability.READ, _unknown))), "unknown"),
    _below("-/ready", status.ready, "ready"),
    _below("-/healthy", status.ready, "healthy"),
    _below("metrics", status.metrics, "metrics"),
    _below("webhooks/grafana", webhooks.grafana_webhook, "grafana"),
    _below("webhooks/json", webhooks.json_webhook, "json"),
    re_path(r"^heartbeat/(?P<key>[-\w]{1,64})/?$", heartbeats.heartbeat, name="heartbeat"),
]
