"""Addresses of drift under /api/v1/drift/."""

from django.urls import path

from drift import api, api_reports

urlpatterns = [
    path("models", api.Models.as_view(), name="api-drift-models"),
    path("models/<str:name>", api.OneModel.as_view(), name="api-drift-model"),
    path("reports", api_reports.Reports.as_view(), name="api-drift-reports"),
    path("reports/<int:report_id>", api_reports.OneReport.as_view(), name="api-drift-report"),
    path("reports/<int:report_id>/scores", api_reports.Scores.as_view(), name="api-drift-report-scores"),
    path("reports/<int:report_id>/raw", api_reports.Raw.as_view(), name="api-drift-report-raw"),
    path("reports/<int:report_id>/window", api_reports.Window.as_view(), name="api-drift-report-window"),
]
