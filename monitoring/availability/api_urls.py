"""Availability's addresses below /api/v1/."""

from django.urls import path

from monitoring.availability import api

urlpatterns = [
    path("status", api.StatusNow.as_view(), name="api-status"),
    path("components", api.Components.as_view(), name="api-components"),
    path("components/<slug:name>", api.OneComponent.as_view(), name="api-component"),
    path("components/<slug:name>/history", api.History.as_view(), name="api-component-history"),
    path("components/<slug:name>/maintenance", api.PlannedWork.as_view(), name="api-component-maintenance"),
    path(
        "components/<slug:name>/maintenance/<int:window_id>",
        api.OnePlannedWork.as_view(),
        name="api-component-maintenance-one",
    ),
    path("components/<slug:name>/series/<int:series_id>/end", api.EndSeries.as_view(), name="api-component-series-end"),
]
