"""Addresses of signing in, settings, help and search."""

from django.urls import include, path

urlpatterns = [path("", include("fleetledger.web.accounts.urls"))]
