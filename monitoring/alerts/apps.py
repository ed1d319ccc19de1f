"""Registers the alerts app: who is told."""

from importlib import import_module

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "monitoring.alerts"
    label = "alerts"
    verbose_name = "Alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("monitoring.alerts.config")  # its sections of the configuration file
        import_module("monitoring.alerts.rules.facts.builtin").register_all()
        import_module("monitoring.alerts.badge").register()
