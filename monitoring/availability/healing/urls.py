"""Addresses of the pages about hooks and game days, and where receivers call back."""

from django.urls import path

from monitoring.availability.healing import views, views_gamedays

urlpatterns = [
    path("healing/", views.healing, name="healing"),
    path("healing/runs/<int:run_id>/", views.healing_run, name="healing-run"),
    path("healing/runs/<int:run_id>/<slug:word>/", views.healing_decide, name="healing-decide"),
    path("healing/callback/<uuid:key>/", views.healing_callback, name="healing-callback"),
    path("game-days/", views_gamedays.game_days, name="game-days"),
    path("game-days/new/", views_gamedays.game_day_new, name="game-day-new"),
    path("game-days/<int:game_day_id>/", views_gamedays.game_day, name="game-day"),
    path("game-days/<int:game_day_id>/start/", views_gamedays.game_day_start, name="game-day-start"),
    path("game-days/<int:game_day_id>/end/", views_gamedays.game_day_end, name="game-day-end"),
]
