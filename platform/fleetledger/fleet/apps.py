"""Registers the fleet app."""

from importlib import import_module

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "fleetledger.fleet"
    label = "fleet"
    verbose_name = "Fleet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import fleetledger.celery  # noqa: F401 in every process shared tasks go to our broker, not to Celery's default
        from fleetledger.fleet import audit

        audit.register()
        import_module("fleetledger.fleet.config")  # its sections come before those of the rooms above
