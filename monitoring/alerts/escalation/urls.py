"""Addresses of the pages about escalations."""

from django.urls import path

from monitoring.alerts.escalation import views

urlpatterns = [
    path("alerts/escalations/", views.escalations, name="escalations"),
    path("alerts/escalations/<str:name>/remove/", views.remove, name="escalation-remove"),
    path("alerts/escalations/runs/<int:run_id>/", views.run, name="escalation-run"),
]
