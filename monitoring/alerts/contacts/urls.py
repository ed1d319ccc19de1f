"""Addresses of the settings about how a person is reached."""

from django.urls import path

from monitoring.alerts.contacts import views

urlpatterns = [
    path("settings/notifications/", views.notifications, name="settings-notifications"),
    path("settings/notifications/quiet/", views.quiet, name="settings-quiet-hours"),
    path("settings/notifications/rules/<slug:action>/", views.rules, name="settings-page-rules"),
    path("settings/notifications/<int:method_id>/<slug:action>/", views.act, name="settings-contact"),
]
