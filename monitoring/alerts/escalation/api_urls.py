"""Addresses of escalations below /api/v1/."""

from django.urls import path

from monitoring.alerts.escalation import api

urlpatterns = [
    path("escalations", api.Escalations.as_view(), name="api-escalations"),
    path("escalations/<str:name>", api.OneEscalation.as_view(), name="api-escalation"),
    path("escalation-runs", api.EscalationRuns.as_view(), name="api-escalation-runs"),
    path("escalation-runs/<int:run_id>", api.OneRun.as_view(), name="api-escalation-run"),
]
