"""Registers the costs app: who pays."""

from django.apps import AppConfig


class CostsConfig(AppConfig):
    name = "costs"
    label = "costs"
    verbose_name = "Costs"
    default_auto_field = "django.db.models.BigAutoField"
