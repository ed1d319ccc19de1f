"""Addresses of schedules below /api/v1/."""

from django.urls import path

from monitoring.alerts.oncall import api, api_changes

urlpatterns = [
    path("schedules", api.Schedules.as_view(), name="api-schedules"),
    path("schedules/<str:name>", api.OneSchedule.as_view(), name="api-schedule"),
    path("schedules/<str:name>/on-call", api.OnCallNow.as_view(), name="api-schedule-on-call"),
    path("schedules/<str:name>/shifts", api.Shifts.as_view(), name="api-schedule-shifts"),
    path("schedules/<str:name>/gaps", api.Gaps.as_view(), name="api-schedule-gaps"),
    path("schedules/<str:name>/overrides", api_changes.Overrides.as_view(), name="api-schedule-overrides"),
    path(
        "schedules/<str:name>/overrides/<int:override_id>",
        api_changes.OneOverride.as_view(),
        name="api-schedule-override",
    ),
    path("schedules/<str:name>/swaps", api_changes.Swaps.as_view(), name="api-schedule-swaps"),
    path("schedules/<str:name>/swaps/<int:swap_id>", api_changes.OneSwap.as_view(), name="api-schedule-swap"),
    path(
        "schedules/<str:name>/swaps/<int:swap_id>/take", api_changes.TakeSwap.as_view(), name="api-schedule-swap-take"
    ),
    path(
        "schedules/<str:name>/swaps/<int:swap_id>/decline",
        api_changes.DeclineSwap.as_view(),
        name="api-schedule-swap-decline",
    ),
]
