"""Addresses of the endpoints about hooks, their runs, and game days."""

from django.urls import path

from monitoring.availability.healing import api

urlpatterns = [
    path("healing-hooks", api.HealingHooks.as_view()),
    path("healing-runs", api.HealingRuns.as_view()),
    path("healing-runs/<int:run_id>", api.OneHealingRun.as_view()),
    path("healing-runs/<int:run_id>/approve", api.Approve.as_view()),
    path("healing-runs/<int:run_id>/refuse", api.Refuse.as_view()),
    path("game-days", api.GameDays.as_view()),
    path("game-days/<int:game_day_id>", api.OneGameDay.as_view()),
    path("game-days/<int:game_day_id>/start", api.StartGameDay.as_view()),
    path("game-days/<int:game_day_id>/end", api.EndGameDay.as_view()),
]
