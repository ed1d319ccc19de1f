"""Addresses of the pages about incidents."""

from django.urls import path

from monitoring.availability.incidents import views, views_changes

urlpatterns = [
    path("incidents/", views.incident_list, name="incidents"),
    path("incidents/new/", views_changes.incident_new, name="incident-new"),
    path("incidents/<int:incident_id>/", views.incident, name="incident"),
    path("incidents/<int:incident_id>/edit/", views_changes.incident_edit, name="incident-edit"),
    path("incidents/<int:incident_id>/state/<slug:state>/", views_changes.incident_move, name="incident-move"),
    path("incidents/<int:incident_id>/note/", views_changes.incident_note, name="incident-note"),
    path("incidents/<int:incident_id>/roles/<slug:role>/", views_changes.incident_role, name="incident-role"),
    path("incidents/<int:incident_id>/follow-ups/", views_changes.follow_up_new, name="incident-follow-up-new"),
    path(
        "incidents/<int:incident_id>/follow-ups/<int:follow_up_id>/",
        views_changes.follow_up_done,
        name="incident-follow-up-done",
    ),
    path("incidents/<int:incident_id>/postmortem/", views_changes.postmortem_edit, name="incident-postmortem"),
]
