"""The demo as a Django app: it brings commands, no models."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "fleetledger.demo"
    label = "demo"
    verbose_name = "Simulated fleet"
