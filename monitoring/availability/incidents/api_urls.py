"""Addresses of the endpoints about incidents."""

from django.urls import path

from monitoring.availability.incidents import api, api_changes

urlpatterns = [
    path("incidents", api.Incidents.as_view()),
    path("incidents/<int:incident_id>", api.OneIncident.as_view()),
    path("incidents/<int:incident_id>/notes", api_changes.Notes.as_view()),
    path("incidents/<int:incident_id>/follow-ups", api_changes.FollowUps.as_view()),
    path("incidents/<int:incident_id>/follow-ups/<int:follow_up_id>", api_changes.OneFollowUp.as_view()),
    path("incidents/<int:incident_id>/postmortem", api_changes.IncidentPostmortem.as_view()),
]
