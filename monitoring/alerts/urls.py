"""Addresses of the pages about alerts."""

from django.urls import include, path

from monitoring.alerts import (
    views,
    views_alert,
    views_deliveries,
    views_history,
    views_routing,
    views_rules,
    views_silences,
)
from monitoring.alerts.moving_in import views as moving_in_views

urlpatterns = [
    path("alerts/", views.alert_list, name="alerts"),
    path("alerts/act/", views.act, name="alerts-act"),
    path("alerts/<int:alert_id>/", views_alert.alert, name="alert"),
    path("alerts/<int:alert_id>/figures/expression.json", views_alert.expression_figure, name="alert-expression"),
    path("alerts/<int:alert_id>/<slug:action>/", views_alert.act, name="alert-act"),
    path("alerts/silences/", views_silences.silence_list, name="silences"),
    path("alerts/silences/new/", views_silences.silence_new, name="silence-new"),
    path("alerts/silences/preview/", views_silences.silence_preview, name="silence-preview"),
    path("alerts/silences/<uuid:silence_id>/", views_silences.silence_edit, name="silence-edit"),
    path("alerts/silences/<uuid:silence_id>/end/", views_silences.silence_end, name="silence-end"),
    path("alerts/maintenance/new/", views_silences.maintenance_new, name="maintenance-new"),
    path("alerts/maintenance/<uuid:window_id>/", views_silences.maintenance_edit, name="maintenance-edit"),
    path("alerts/maintenance/<uuid:window_id>/end/", views_silences.maintenance_end, name="maintenance-end"),
    path("alerts/routing/", views_routing.routing, name="alert-routing"),
    path("alerts/routing/import/", moving_in_views.moving_in, name="moving-in"),
    path("alerts/routing/test/", views_routing.send_test, name="routing-test"),
    path("alerts/deliveries/", views_deliveries.delivery_list, name="deliveries"),
    path("alerts/deliveries/<int:message_id>/", views_deliveries.delivery, name="delivery"),
    path("alerts/rules/", views_rules.rules, name="alert-rules"),
    path("alerts/history/", views_history.history, name="alert-history"),
    path("", include("monitoring.alerts.oncall.urls")),
    path("", include("monitoring.alerts.contacts.urls")),
    path("", include("monitoring.alerts.learning.urls")),
    path("", include("monitoring.alerts.escalation.urls")),
]
