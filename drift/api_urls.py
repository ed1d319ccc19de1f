"""Addresses of drift under /api/v1/drift/."""

from django.urls import path

from drift import (
    api,
    api_events,
    api_findings,
    api_mitigations,
    api_references,
    api_reports,
    api_reviews,
    api_windows,
)

urlpatterns = [
    path("models", api.Models.as_view(), name="api-drift-models"),
    path("models/<str:name>", api.OneModel.as_view(), name="api-drift-model"),
    path("reports", api_reports.Reports.as_view(), name="api-drift-reports"),
    path("reports/<int:report_id>", api_reports.OneReport.as_view(), name="api-drift-report"),
    path("reports/<int:report_id>/scores", api_reports.Scores.as_view(), name="api-drift-report-scores"),
    path("reports/<int:report_id>/raw", api_reports.Raw.as_view(), name="api-drift-report-raw"),
    path("reports/<int:report_id>/window", api_reports.Window.as_view(), name="api-drift-report-window"),
    path("reports/<int:report_id>/histogram", api_windows.Histogram.as_view(), name="api-drift-report-histogram"),
    path("references", api_references.References.as_view(), name="api-drift-references"),
    path("references/<int:reference_id>", api_references.OneReference.as_view(), name="api-drift-reference"),
    path(
        "references/<int:reference_id>/columns",
        api_references.ReferenceColumns.as_view(),
        name="api-drift-reference-columns",
    ),
    path(
        "references/<int:reference_id>/decision",
        api_references.ReferenceDecision.as_view(),
        name="api-drift-reference-decision",
    ),
    path("windows", api_windows.Windows.as_view(), name="api-drift-windows"),
    path("windows/<int:window_id>", api_windows.OneWindow.as_view(), name="api-drift-window"),
    path("events", api_events.Events.as_view(), name="api-drift-events"),
    path("models/<str:name>/stream", api_events.Stream.as_view(), name="api-drift-stream"),
    path("models/<str:name>/deployments", api_findings.Deployments.as_view(), name="api-drift-deployments"),
    path("models/<str:name>/suggestions", api_reviews.Suggestions.as_view(), name="api-drift-suggestions"),
    path("models/<str:name>/thresholds", api_reviews.Thresholds.as_view(), name="api-drift-thresholds"),
    path("findings", api_findings.Findings.as_view(), name="api-drift-findings"),
    path("findings/<int:finding_id>", api_findings.OneFinding.as_view(), name="api-drift-finding"),
    path("findings/<int:finding_id>/reviews", api_reviews.FindingReviews.as_view(), name="api-drift-finding-reviews"),
    path("reviews", api_reviews.Reviews.as_view(), name="api-drift-reviews"),
    path("mitigations", api_mitigations.Mitigations.as_view(), name="api-drift-mitigations"),
    path("mitigations/<int:mitigation_id>", api_mitigations.OneMitigation.as_view(), name="api-drift-mitigation"),
]
