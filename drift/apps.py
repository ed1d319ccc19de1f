"""Registers the drift app: is the model still right, and what did a person decide."""

from importlib import import_module

from django.apps import AppConfig

from drift.reviews import histograms


class DriftConfig(AppConfig):
    name = "drift"
    label = "drift"
    verbose_name = "Drift"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("drift.config")  # its section of the configuration file
        import_module("drift.checks")
        histograms.register(_bars)


def _bars(report_id: int, column: str) -> tuple[histograms.Bar, ...]:
    """Only a card that shows bars needs what computes them."""
    return tuple(import_module("drift.native.histograms").bars(report_id, column))
