"""Registers the costs app: who pays."""

from django.apps import AppConfig


class CostsConfig(AppConfig):
    name = "costs"
    label = "costs"
    verbose_name = "Costs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from costs import alerting, hour_prices
        from fleetledger.fleet import ports
        from monitoring.alerts.rules import facts

        ports.register_gpu_hour_price(hour_prices.hour_prices)
        facts.register(alerting.FACT)
