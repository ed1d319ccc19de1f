"""Registers the drift app: is the model still right, and what did a person decide."""

from importlib import import_module

from django.apps import AppConfig


class DriftConfig(AppConfig):
    name = "drift"
    label = "drift"
    verbose_name = "Drift"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("drift.config")  # its section of the configuration file
        import_module("drift.checks")
