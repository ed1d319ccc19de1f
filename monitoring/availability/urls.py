"""Availability's addresses outside of /api/v1/."""

from django.urls import URLPattern, URLResolver, path, re_path

from fleetledger.web.search import hits
from monitoring.availability import finding, views, views_beats, views_changes, views_component, views_slos

hits.register("components", finding.components)
hits.register("slos", finding.slos)

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^probe/(?P<token>[-\w]{1,64})/?$", views_beats.beat, name="probe-beat"),
    path("availability/", views.status_wall, name="availability"),
    re_path(r"^status/?$", views.status_wall, name="status"),
    path("availability/slos/", views_slos.slo_list, name="slos"),
    path("availability/slos/<slug:name>/", views_slos.slo, name="slo"),
    path("availability/slos/<slug:name>/budget.json", views_slos.budget_figure, name="slo-budget"),
    path("availability/<slug:name>/", views_component.component, name="component"),
    path("availability/<slug:name>/maintenance/", views_changes.plan_work, name="component-plan"),
    path(
        "availability/<slug:name>/maintenance/<int:window_id>/end/", views_changes.end_work, name="component-work-end"
    ),
    path("availability/<slug:name>/series/<int:series_id>/end/", views_changes.end_series, name="component-series-end"),
]
