"""Addresses of objectives below /api/v1/."""

from django.urls import path

from monitoring.availability.slo import api
from monitoring.availability.slo.moving_in.api import SloImports

urlpatterns = [
    path("slos", api.Slos.as_view(), name="api-slos"),
    path("slos/<slug:name>", api.OneSlo.as_view(), name="api-slo"),
    path("slos/<slug:name>/history", api.SloHistory.as_view(), name="api-slo-history"),
    path("slos/<slug:name>/report", api.SloReport.as_view(), name="api-slo-report"),
    path("slo-reports", api.SloReports.as_view(), name="api-slo-reports"),
    path("slo-imports", SloImports.as_view(), name="api-slo-imports"),
]
