"""Addresses of the pages about drift."""

from django.urls import path

from drift import (
    finding,
    views,
    views_callbacks,
    views_decisions,
    views_findings,
    views_native,
    views_reports,
    views_rows,
)
from fleetledger.web.search import hits

hits.register("models", finding.models)

urlpatterns = [
    path("drift/", views.models, name="drift"),
    path("drift/models/<str:name>/", views.model, name="drift-model"),
    path("drift/models/<str:name>/figures/trend.json", views.trend_figure, name="drift-trend"),
    path("drift/models/<str:name>/figures/heat.json", views.heat_figure, name="drift-heat"),
    path("drift/reports/new/", views_reports.new, name="drift-report-new"),
    path("drift/reports/<int:report_id>/", views_reports.report, name="drift-report"),
    path("drift/reports/<int:report_id>/raw/", views_reports.raw, name="drift-report-raw"),
    path("drift/reports/<int:report_id>/window/", views_reports.date, name="drift-report-window"),
    path("drift/callbacks/<uuid:key>", views_callbacks.callback, name="drift-callback"),
    path("drift/queue/", views_findings.queue, name="drift-queue"),
    path("drift/findings/<int:finding_id>/", views_findings.finding, name="drift-finding"),
    path("drift/findings/<int:finding_id>/figures/trend.json", views_findings.trend_figure, name="drift-finding-trend"),
    path(
        "drift/findings/<int:finding_id>/figures/histogram.json",
        views_findings.histogram_figure,
        name="drift-finding-histogram",
    ),
    path("drift/findings/<int:finding_id>/review/", views_decisions.review, name="drift-review"),
    path("drift/findings/<int:finding_id>/threshold/", views_decisions.threshold, name="drift-threshold"),
    path("drift/findings/<int:finding_id>/mitigations/", views_decisions.propose, name="drift-mitigation-new"),
    path("drift/mitigations/<int:mitigation_id>/", views_decisions.move, name="drift-mitigation"),
    path("drift/models/<str:name>/compare/", views_findings.compare, name="drift-compare"),
    path("drift/models/<str:name>/references/", views_native.references, name="drift-references"),
    path("drift/models/<str:name>/windows/", views_native.windows, name="drift-windows"),
    path("drift/references/<int:reference_id>/", views_native.reference, name="drift-reference"),
    path("drift/references/<int:reference_id>/decision/", views_rows.decide, name="drift-reference-decision"),
    path("drift/data/new/", views_rows.new, name="drift-data-new"),
]
