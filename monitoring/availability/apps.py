"""Registers the availability app: are we up."""

from importlib import import_module

from django.apps import AppConfig


class AvailabilityConfig(AppConfig):
    name = "monitoring.availability"
    label = "availability"
    verbose_name = "Availability"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("monitoring.availability.config")  # its section of the configuration file
        import_module("monitoring.availability.slo.config")  # after the components that it names
        step = import_module("monitoring.availability.own.step")
        import_module("monitoring.alerts.notifier").go_along("availability", step.Step(), step.EVERY_S)
        import_module("monitoring.availability.incidents.config")
        import_module("monitoring.availability.healing.config")
        import_module("monitoring.availability.badge").register()
        import_module("monitoring.availability.own.backup").register()
