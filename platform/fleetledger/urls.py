"""Every address of the site, by room."""

from django.urls import include, path

from fleetledger import overview, team_page

urlpatterns = [
    path("", include(overview.urlpatterns)),
    path("", include("fleetledger.web.urls")),
    path("", include("fleetledger.rest.urls")),
    path("teams/", include(team_page.urlpatterns)),
    path("", include("monitoring.telemetry.urls")),
    path("", include("monitoring.alerts.rules.urls")),
    path("", include("monitoring.alerts.urls")),
    path("", include("monitoring.alerts.am_api.urls")),
    path("", include("monitoring.availability.urls")),
    path("", include("monitoring.availability.incidents.urls")),
    path("", include("monitoring.availability.public.urls")),
    path("", include("monitoring.availability.healing.urls")),
    path("", include("costs.urls")),
    path("", include("drift.urls")),
    path("api/v1/", include("monitoring.telemetry.api_urls")),
    path("api/v1/", include("monitoring.alerts.api_urls")),
    path("api/v1/", include("monitoring.availability.api_urls")),
    path("api/v1/", include("monitoring.availability.slo.api_urls")),
    path("api/v1/", include("monitoring.availability.incidents.api_urls")),
    path("api/v1/", include("monitoring.availability.healing.api_urls")),
    path("api/v1/", include("costs.api_urls")),
    path("api/v1/drift/", include("drift.api_urls")),
]

handler404 = "fleetledger.rest.problems.not_found"  # problems below /api/, the page elsewhere
handler500 = "fleetledger.rest.problems.server_error"
