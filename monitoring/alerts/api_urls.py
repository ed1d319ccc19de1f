"""Alerting's addresses below /api/v1/."""

from django.urls import include, path

from monitoring.alerts import api, api_quiet, api_routing, api_rules
from monitoring.alerts.moving_in import api as moving_in_api

urlpatterns = [
    path("alerts", api.Alerts.as_view(), name="api-alerts"),
    path("alerts/<int:alert_id>", api.OneAlert.as_view(), name="api-alert"),
    path("alerts/<int:alert_id>/acknowledge", api.Acknowledge.as_view(), name="api-alert-acknowledge"),
    path("alerts/<int:alert_id>/unacknowledge", api.Unacknowledge.as_view(), name="api-alert-unacknowledge"),
    path("alerts/<int:alert_id>/assign", api.Assign.as_view(), name="api-alert-assign"),
    path("alerts/<int:alert_id>/comment", api.Comment.as_view(), name="api-alert-comment"),
    path("alerts/<int:alert_id>/resolve", api.Resolve.as_view(), name="api-alert-resolve"),
    path("alert-groups", api.AlertGroups.as_view(), name="api-alert-groups"),
    path("alert-history", api.AlertHistory.as_view(), name="api-alert-history"),
    path("silences", api_quiet.Silences.as_view(), name="api-silences"),
    path("silences/<uuid:silence_id>", api_quiet.OneSilence.as_view(), name="api-silence"),
    path("maintenance-windows", api_quiet.MaintenanceWindows.as_view(), name="api-maintenance-windows"),
    path(
        "maintenance-windows/<uuid:window_id>",
        api_quiet.OneMaintenanceWindow.as_view(),
        name="api-maintenance-window",
    ),
    path("routes", api_routing.Routes.as_view(), name="api-routes"),
    path("routes/test", api_routing.RouteTest.as_view(), name="api-route-test"),
    path("alertmanager-imports", moving_in_api.AlertmanagerImports.as_view(), name="api-alertmanager-imports"),
    path("receivers", api_routing.Receivers.as_view(), name="api-receivers"),
    path("deliveries", api_routing.Deliveries.as_view(), name="api-deliveries"),
    path("deliveries/<int:message_id>", api_routing.OneDelivery.as_view(), name="api-delivery"),
    path("alert-rules", api_rules.AlertRules.as_view(), name="api-alert-rules"),
    path("heartbeats", api_rules.Heartbeats.as_view(), name="api-heartbeats"),
    path("heartbeats/<int:heartbeat_id>", api_rules.OneHeartbeat.as_view(), name="api-heartbeat"),
    path("", include("monitoring.alerts.oncall.api_urls")),
    path("", include("monitoring.alerts.contacts.api_urls")),
    path("", include("monitoring.alerts.learning.api_urls")),
    path("", include("monitoring.alerts.escalation.api_urls")),
]
