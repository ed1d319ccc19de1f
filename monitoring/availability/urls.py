"""Availability's addresses outside of /api/v1/."""

from django.urls import URLPattern, URLResolver, re_path

from monitoring.availability import views_beats

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^probe/(?P<token>[-\w]{1,64})/?$", views_beats.beat, name="probe-beat"),
]
