"""Addresses of the public page, its feeds, and subscriptions to it."""

from django.urls import path

from monitoring.availability.public import views, views_subscribe

urlpatterns = [
    path("public/status/", views.page, name="public-status"),
    path("public/status.json", views.feed_json, name="public-status-json"),
    path("public/status.atom", views.feed_atom, name="public-status-atom"),
    path("public/status/subscribe/", views_subscribe.subscribe, name="public-subscribe"),
    path("public/status/confirm/<str:signed>/", views_subscribe.confirm, name="public-confirm"),
    path("public/status/leave/<str:signed>/", views_subscribe.leave, name="public-leave"),
]
