"""Addresses of the pages about on-call, of the calendars that others read, and of links that pages bring."""

from django.urls import path

from monitoring.alerts.oncall import views, views_calendar, views_changes, views_links

urlpatterns = [
    path("alerts/on-call/", views.overview, name="on-call"),
    path("alerts/on-call/schedules/<str:name>/", views.schedule, name="schedule"),
    path("alerts/on-call/schedules/<str:name>/remove/", views_changes.schedule_remove, name="schedule-remove"),
    path("alerts/on-call/schedules/<str:name>/override/", views_changes.override_new, name="schedule-override"),
    path(
        "alerts/on-call/schedules/<str:name>/overrides/<int:override_id>/cancel/",
        views_changes.override_cancel,
        name="schedule-override-cancel",
    ),
    path("alerts/on-call/schedules/<str:name>/swap/", views_changes.swap_new, name="schedule-swap"),
    path(
        "alerts/on-call/schedules/<str:name>/swaps/<int:swap_id>/<slug:action>/",
        views_changes.swap_act,
        name="schedule-swap-act",
    ),
    path("page/<str:signed>/", views_links.page_link, name="page-link"),
    path("on-call/calendars/<str:signed>.ics", views_calendar.calendar, name="on-call-calendar"),
]
