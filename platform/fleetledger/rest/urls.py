"""The API's addresses that no other room has: inventory, jobs, the caller, the schema and its pages."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
