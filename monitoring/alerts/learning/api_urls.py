"""Addresses of the reports below /api/v1/."""

from django.urls import path

from monitoring.alerts.learning import api

urlpatterns = [
    path("alert-reports/summary", api.SummaryReport.as_view(), name="api-alert-report-summary"),
    path("alert-reports/rules", api.RulesReport.as_view(), name="api-alert-report-rules"),
    path("alert-reports/people", api.PeopleReport.as_view(), name="api-alert-report-people"),
    path("alert-reports/unattended", api.UnattendedReport.as_view(), name="api-alert-report-unattended"),
    path("alert-reports/suggestions", api.SuggestionsReport.as_view(), name="api-alert-report-suggestions"),
]
