"""Registers how every page looks with Django."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "fleetledger.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
