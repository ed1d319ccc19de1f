"""Addresses of the page about learning."""

from django.urls import path

from monitoring.alerts.learning import views

urlpatterns = [
    path("alerts/learning/", views.learning, name="alert-learning"),
    path("alerts/learning/figures/times.json", views.times_figure, name="alert-learning-times"),
    path("alerts/learning/figures/hours.json", views.hours_figure, name="alert-learning-hours"),
]
