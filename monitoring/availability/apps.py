"""Registers the availability app: are we up."""

from django.apps import AppConfig


class AvailabilityConfig(AppConfig):
    name = "monitoring.availability"
    label = "availability"
    verbose_name = "Availability"
    default_auto_field = "django.db.models.BigAutoField"
