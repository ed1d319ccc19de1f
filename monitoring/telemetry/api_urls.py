"""Telemetry's addresses below /api/v1/."""

from django.urls import path

from monitoring.telemetry.api import UsageView

urlpatterns = [path("usage", UsageView.as_view(), name="api-usage")]
