"""Addresses of the pages about drift."""

from django.urls import path

from drift import finding, views, views_reports
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
]
