"""Webhooks in: Grafana's, and plain JSON's with those of other Alertmanagers."""

from functools import cache

from django.http import HttpResponse

from fleetledger.fleet.access import Capability
from monitoring.alerts import clock
from monitoring.alerts.am_api.alerts import take
from monitoring.alerts.am_api.entrance import Call, endpoint
from monitoring.alerts.sources import grafana, webhook


def of_grafana(call: Call) -> HttpResponse:
    """POST webhooks/grafana."""
    return take(call, grafana.read(call.body, cache(clock.now)))


def plain(call: Call) -> HttpResponse:
    """POST webhooks/json."""
    return take(call, webhook.read(call.body, cache(clock.now)))


grafana_webhook = endpoint(POST=(Capability.SEND_ALERTS, of_grafana))
json_webhook = endpoint(POST=(Capability.SEND_ALERTS, plain))
