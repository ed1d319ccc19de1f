"""Every address of the site, by room."""

from django.urls import include, path

from fleetledger import overview, team_page

urlpatterns = [
    path("", overview.page, name="overview"),
    path("", include("fleetledger.web.urls")),
    path("", include("fleetledger.rest.urls")),
    path("teams/<slug:slug>/", include(team_page.urlpatterns)),
    path("", include("monitoring.telemetry.urls")),
    path("", include("costs.urls")),
    path("api/v1/", include("monitoring.telemetry.api_urls")),
    path("api/v1/", include("costs.api_urls")),
]
