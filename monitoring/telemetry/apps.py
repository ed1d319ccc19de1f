"""Registers the telemetry app: what the GPUs do."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "monitoring.telemetry"
    label = "telemetry"
    verbose_name = "Telemetry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fleetledger.fleet import ports
        from fleetledger.fleet.signals import ownership_changed
        from monitoring.telemetry import reads_inventory, tasks

        ports.register_held_gpus(reads_inventory.held_gpu_ids)
        ownership_changed.connect(tasks.on_ownership_changed, dispatch_uid="telemetry-rebuild")
