"""Registers the REST furniture: the schema's words for our ways to sign in, and the checks of wrong settings."""

from importlib import import_module

from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "fleetledger.rest"
    label = "rest"
    verbose_name = "REST"

    def ready(self) -> None:
        for module in ("fleetledger.rest.schema", "fleetledger.checks"):
            import_module(module)
