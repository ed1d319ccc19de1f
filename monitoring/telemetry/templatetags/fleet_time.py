"""Says in percent what became of a machine's GPU time."""

from django import template

from monitoring.telemetry import inventory_table
from monitoring.telemetry.inventory_table import Measured, Timed

register = template.Library()


@register.filter
def held(row: Timed) -> float | None:
    """Percent of existence; None for what did not exist."""
    return inventory_table.held_percent(row)


@register.filter
def used(row: Measured) -> float | None:
    """Percent of what was measured."""
    return inventory_table.used_percent(row)


@register.filter
def unknown(row: Timed) -> float | None:
    """Percent of existence of which nobody knows anything."""
    return inventory_table.unknown_percent(row)
