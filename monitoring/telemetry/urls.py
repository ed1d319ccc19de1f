"""Addresses of the pages about the fleet and its sources."""

from django.urls import path

from monitoring.telemetry import views

urlpatterns = [
    path("fleet/", views.fleet, {"tab": "clusters"}, name="fleet"),
    path("fleet/nodes/", views.fleet, {"tab": "nodes"}, name="fleet-nodes"),
    path("fleet/gpus/", views.fleet, {"tab": "gpus"}, name="fleet-gpus"),
    path("fleet/nodes/<str:cluster>/<str:name>/", views.node, name="node"),
    path("fleet/gpus/<str:uuid>/", views.gpu, name="gpu"),
    path("fleet/gpus/<str:uuid>/figures/<slug:name>.json", views.gpu_figure, name="gpu-figure"),
    path("sources/", views.sources, name="sources"),
    path("data-age/", views.data_age, name="data-age"),
]
