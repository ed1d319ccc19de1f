"""Registers the facts that alerting itself can tell."""

from monitoring.alerts.rules.facts import failing, heartbeats, idle, register, senders, telemetry


def register_all() -> None:
    """Called from AlertsConfig.ready."""
    for fact in (
        idle.FACT,
        telemetry.BEHIND,
        telemetry.COVERAGE,
        heartbeats.FACT,
        senders.SILENT,
        senders.MISSING,
        failing.FACT,
    ):
        register(fact)
